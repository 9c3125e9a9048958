package bank

import (
	"context"
	"errors"
	"fmt"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// ListConnections lists linked institutions, newest first; removed ones only where they are asked for.
func (b *Bank) ListConnections(ctx context.Context, c tenant.Caller, q connection.Query, p page.Request) ([]connection.Connection, page.Info, error) {
	all := []connection.Connection{}
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range connections.Scan(tx, c.TenantID, store.Range{Reverse: true}) {
			if err != nil {
				return err
			}
			conn := rec.Value.Connection
			if rec.Value.Employee != nil {
				continue // an employee's own
			}
			if conn.Status == connection.Removed && q.Status != connection.Removed {
				continue
			}
			if c.Sees(conn.EmployerID, conn.CarrierID) && q.Match(conn) {
				all = append(all, b.withTransactions(c.TenantID, conn))
			}
		}
		return nil
	})
	rows, info := page.Of(all, p)
	return rows, info, err
}

// GetConnection reads one by our id or Plaid's (A28).
func (b *Bank) GetConnection(ctx context.Context, c tenant.Caller, id string) (connection.Connection, error) {
	conn, err := b.connection(ctx, c, id)
	return b.withTransactions(c.TenantID, conn.Connection), err
}

// connection finds a connection that the caller sees, by our id or by Plaid's item id.
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
	if err == nil && c.Client.ID != "" && (conn.Employee != nil || !c.Sees(conn.EmployerID, conn.CarrierID)) {
		return storedConnection{}, fault.New(fault.NotFound, "no such connection")
	}
	return conn, err
}

// byPointer follows an index record to what it names; found is false where there is none.
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

// RemoveConnection removes the Item at Plaid, then closes what came from it: its accounts become inactive, its ACH
// accounts disabled.
func (b *Bank) RemoveConnection(ctx context.Context, c tenant.Caller, id string) (connection.RemovedReply, error) {
	conn, err := b.connection(ctx, c, id)
	if err != nil {
		return connection.RemovedReply{}, err
	}
	if err := writable(c, conn.EmployerID, conn.CarrierID, "connection"); err != nil {
		return connection.RemovedReply{}, err
	}
	return b.removeConnection(ctx, c, conn)
}

func (b *Bank) removeConnection(ctx context.Context, c tenant.Caller, conn storedConnection) (connection.RemovedReply, error) {
	reply := connection.RemovedReply{ID: conn.ID, ItemID: conn.ItemID, Deleted: true}
	if conn.Status == connection.Removed {
		return reply, nil
	}
	ctx = context.WithoutCancel(ctx)
	err := b.plaid.RemoveItem(ctx, plaid.NewAccessToken(conn.AccessToken))
	if err != nil && plaid.Code(err) != "ITEM_NOT_FOUND" && plaid.Code(err) != "INVALID_ACCESS_TOKEN" {
		return connection.RemovedReply{}, err
	}
	now := b.time()
	err = b.write(ctx, c, func(tx *store.Tx) (deed, error) {
		latest, err := connections.Get(tx, c.TenantID, conn.ID)
		if err != nil {
			return deed{}, missing(err, "connection")
		}
		latest.Status, latest.AccessToken, latest.UpdatedAt = connection.Removed, "", now
		if _, err := b.retire(tx, c.TenantID, conn.ID, nil, now); err != nil {
			return deed{}, err
		}
		if reply.Disabled, err = disableACH(tx, c.TenantID, conn.ID, b); err != nil {
			return deed{}, err
		}
		d := deed{action: "connection.remove", object: "connection:" + conn.ID, onWhose: conn.Employee.String(), details: map[string]string{"item": conn.ItemID}, reply: reply}
		return d, connections.Put(tx, c.TenantID, conn.ID, latest)
	})
	return reply, err
}

func disableACH(tx *store.Tx, tenantID, connectionID string, b *Bank) (int, error) {
	var found []storedACH
	for rec, err := range achAccounts.Scan(tx, tenantID, store.Range{}) {
		if err != nil {
			return 0, err
		}
		if rec.Value.ConnectionID == connectionID && rec.Value.Status != account.Disabled {
			found = append(found, rec.Value)
		}
	}
	for _, a := range found {
		a.Status, a.IsPrimary, a.UpdatedAt = account.Disabled, false, b.time()
		if err := achAccounts.Put(tx, tenantID, a.ID, a); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}

// states says what Plaid's word means for a connection.
var states = map[string]struct{ state, hint string }{
	"ITEM_LOGIN_REQUIRED":     {connection.NeedsReauth, "the bank asks the user to sign in again: `bankctl connections update ID`"},
	"PENDING_DISCONNECT":      {connection.PendingDisconnect, "it will stop soon unless the user signs in again: `bankctl connections update ID`"},
	"PENDING_EXPIRATION":      {connection.PendingExpiration, "the user's consent ends soon: `bankctl connections update ID`"},
	"USER_PERMISSION_REVOKED": {connection.Revoked, "the user took their consent back: link again"},
	"USER_ACCOUNT_REVOKED":    {connection.Revoked, "the user took their consent back: link again"},
	"ITEM_NOT_FOUND":          {connection.Failed, "the connection is gone at Plaid: link again"},
	"INVALID_ACCESS_TOKEN":    {connection.Failed, "the connection is gone at Plaid: link again"},
}

// troubled notes in a connection what Plaid said against it, and hands the error on.
func (b *Bank) troubled(ctx context.Context, c tenant.Caller, id string, why error) error {
	to, ok := states[plaid.Code(why)]
	if !ok {
		return why
	}
	now := b.time()
	err := b.write(context.WithoutCancel(ctx), c, func(tx *store.Tx) (deed, error) {
		conn, err := connections.Get(tx, c.TenantID, id)
		if err != nil {
			return deed{}, missing(err, "connection")
		}
		conn.Status, conn.UpdatedAt = to.state, now
		conn.Error = &connection.Trouble{Code: plaid.Code(why), Hint: to.hint, At: now}
		d := deed{action: "connection.trouble", object: "connection:" + id, outcome: string(fault.As(why).Code), details: map[string]string{"plaid_error_code": plaid.Code(why)}}
		return d, connections.Put(tx, c.TenantID, id, conn)
	})
	if err != nil {
		return errors.Join(why, fmt.Errorf("note trouble: %w", err))
	}
	return why
}

// mended checks a connection whose update session ended well, and reads its accounts anew.
func (b *Bank) mended(ctx context.Context, w where, s storedSession) error {
	c := system(w.TenantID)
	if s.AccountID != "" {
		return b.mendedEmployee(ctx, w, s)
	}
	conn, err := b.connection(ctx, c, s.ConnectionID)
	if err != nil {
		return b.giveUp(ctx, w, fault.As(err))
	}
	item, err := b.plaid.GetItem(ctx, plaid.NewAccessToken(conn.AccessToken))
	if err != nil {
		return err
	}
	if item.ErrorCode != "" {
		return b.giveUp(ctx, w, fault.New(fault.RelinkRequired, "the bank still refuses: %s", item.ErrorCode).
			WithHint("run `bankctl connections update %s` again", conn.ID))
	}
	if _, err := b.syncAccounts(ctx, c, conn); err != nil {
		return err
	}
	return b.update(ctx, func(tx *store.Tx) error { return open.Delete(tx, store.SystemTenant, w.ID) })
}
