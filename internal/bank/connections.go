package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// ListConnections lists linked institutions, newest first; removed ones on request only.
func (b *Bank) ListConnections(ctx context.Context, c tenant.Caller, q connection.Query, p page.Request) ([]connection.Connection, page.Info, error) {
	all := []connection.Connection{}
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range connections.Scan(tx, c.TenantID, store.Range{Reverse: true}) {
			if err != nil {
				return err
			}
			conn := rec.Value.Connection
			if rec.Value.Employee != nil {
				continue // an employee's
			}
			if conn.Status == connection.Removed && q.Status != connection.Removed {
				continue
			}
			if c.Sees(conn.EmployerID, conn.CarrierID) && q.Match(conn) {
				all = append(all, conn)
			}
		}
		return nil
	})
	rows, info := page.Of(all, p)
	for i := range rows { // after the transaction: waiting for the ledger inside it would make a sync's commit grow the file
		rows[i] = b.withTransactions(c.TenantID, rows[i])
	}
	return rows, info, err
}

// GetConnection reads a connection by our id or Plaid's (A28).
func (b *Bank) GetConnection(ctx context.Context, c tenant.Caller, id string) (connection.Connection, error) {
	conn, err := b.connection(ctx, c, id)
	if err != nil {
		return connection.Connection{}, err
	}
	return b.withTransactions(c.TenantID, conn.Connection), nil
}

// connection finds a connection that the caller sees, by our id or Plaid's item id.
func (b *Bank) connection(ctx context.Context, c tenant.Caller, id string) (storedConnection, error) {
	var conn storedConnection
	err := b.db.View(ctx, func(tx *store.Tx) error {
		var err error
		if conn, err = connections.Get(tx, c.TenantID, id); err == nil || !errors.Is(err, store.ErrNotFound) {
			return missing(err, "connection")
		}
		conn, _, err = byPointer(tx, items, connections, c.TenantID, id)
		if err == nil && conn.ID == "" {
			err = store.ErrNotFound
		}
		return missing(err, "connection")
	})
	if err == nil && !seesConnection(c, conn) {
		return storedConnection{}, fault.New(fault.NotFound, "no such connection")
	}
	return conn, err
}

// readConnectionNow reads a connection's current state. To act on it, hold the connection's lock.
func (b *Bank) readConnectionNow(ctx context.Context, tenantID, id string) (conn storedConnection, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) error {
		conn, err = connections.Get(tx, tenantID, id)
		return missing(err, "connection")
	})
	return conn, err
}

func errRemoved(id string) *fault.Error {
	return fault.New(fault.Conflict, "the connection was removed").WithID(id)
}

// livingConnection is connection without removed ones.
func (b *Bank) livingConnection(ctx context.Context, c tenant.Caller, id string) (storedConnection, error) {
	conn, err := b.connection(ctx, c, id)
	if err == nil && conn.Status == connection.Removed {
		return conn, fault.New(fault.RelinkRequired, "the connection was removed").WithID(conn.ID).WithHint("link the bank again with `bankctl link`")
	}
	return conn, err
}

// byPointer follows an index record to its target; found is false if there is no record.
func byPointer[T any](tx *store.Tx, index store.Collection[pointer], of store.Collection[T], tenantID, key string) (value T, found bool, err error) {
	to, err := index.Get(tx, tenantID, key)
	if err == nil {
		value, err = of.Get(tx, tenantID, to.ID)
	}
	if errors.Is(err, store.ErrNotFound) {
		return value, false, nil
	}
	return value, err == nil, err
}

type tenantConnection struct {
	tenantID string
	conn     storedConnection
}

// everyConnection lists the wanted connections of all tenants.
func (b *Bank) everyConnection(ctx context.Context, wanted func(storedConnection) bool) ([]tenantConnection, error) {
	tenants, err := b.allTenants(ctx)
	if err != nil {
		return nil, err
	}
	var out []tenantConnection
	for _, t := range tenants {
		err := b.db.View(ctx, func(tx *store.Tx) error {
			for rec, err := range connections.Scan(tx, t.ID, store.Range{}) {
				if err != nil {
					return err
				}
				if wanted(rec.Value) {
					out = append(out, tenantConnection{t.ID, rec.Value})
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}
