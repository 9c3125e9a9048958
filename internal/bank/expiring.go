package bank

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

const (
	depositLife  = 7 * 24 * time.Hour // then Plaid locks an account whose deposit nobody confirmed
	balanceFresh = 30 * 24 * time.Hour
)

// ListExpiring lists the ends within a time, nearest first: of consents, accesses and deposits; and balances that are
// more than a month old.
func (b *Bank) ListExpiring(ctx context.Context, c tenant.Caller, within time.Duration) ([]connection.Expiring, error) {
	return b.expiring(ctx, c.TenantID, within, c.Sees)
}

func (b *Bank) expiring(ctx context.Context, tenantID string, within time.Duration, sees func(employer, carrier string) bool) ([]connection.Expiring, error) {
	all := []connection.Expiring{}
	limit := b.time().Add(within)
	add := func(e connection.Expiring) {
		if !e.At.After(limit) {
			all = append(all, e)
		}
	}
	err := b.db.View(ctx, func(tx *store.Tx) error {
		linked := map[string]storedConnection{}
		for rec, err := range connections.Scan(tx, tenantID, store.Range{}) {
			if err != nil {
				return err
			}
			conn := rec.Value
			if conn.Status == connection.Removed || conn.Employee != nil || !sees(conn.EmployerID, conn.CarrierID) {
				continue
			}
			linked[conn.ID] = conn
			if e, ok := endOf(conn); ok {
				add(e)
			}
			if conn.SyncedAt != nil && conn.Working() && !conn.SyncedAt.Add(balanceFresh).After(b.time()) {
				e := ending(conn, conn.SyncedAt.Add(balanceFresh), connection.EndStaleBalance)
				e.Hint = "`bankctl sync " + conn.ID + "` reads them anew"
				add(e)
			}
		}
		for rec, err := range achAccounts.Scan(tx, tenantID, store.Range{}) {
			if err != nil {
				return err
			}
			a := rec.Value
			conn, here := linked[a.ConnectionID]
			if !here || a.Evidence == nil || a.Status != account.PendingVerification {
				continue
			}
			e := ending(conn, a.Evidence.At.Add(depositLife), connection.EndMicroDeposit)
			e.ACHID, e.Hint = a.ID, "`bankctl ach verify "+a.ID+"` takes the code that came with the deposit"
			add(e)
		}
		return nil
	})
	slices.SortStableFunc(all, func(x, y connection.Expiring) int {
		return cmp.Or(x.At.Compare(y.At), cmp.Compare(x.ConnectionID, y.ConnectionID))
	})
	return all, err
}

// endOf returns when a connection ends by itself, if that is known.
func endOf(conn storedConnection) (connection.Expiring, bool) {
	hint := "`bankctl connections reauth " + conn.ID + "` puts it off"
	if conn.Status == connection.PendingDisconnect && conn.Error != nil && conn.Error.Until != nil {
		e := ending(conn, *conn.Error.Until, connection.EndDisconnect)
		e.Hint = hint
		return e, true
	}
	until := conn.ConsentEnds
	if until == nil && conn.Error != nil {
		until = conn.Error.Until
	}
	if until == nil {
		return connection.Expiring{}, false
	}
	e := ending(conn, *until, connection.EndConsent)
	e.Hint = hint
	return e, true
}

func ending(conn storedConnection, at time.Time, kind string) connection.Expiring {
	return connection.Expiring{
		At: at, Kind: kind, ConnectionID: conn.ID, Institution: conn.Institution.Name, EmployerID: conn.EmployerID, CarrierID: conn.CarrierID,
	}
}

// Census counts, over all tenants, connections by status and ends within thirty days by kind: for metrics.
func (b *Bank) Census(ctx context.Context) (byStatus, byEnd map[string]int, err error) {
	byStatus, byEnd = map[string]int{}, map[string]int{}
	all, err := b.everyConnection(ctx, func(storedConnection) bool { return true })
	if err != nil {
		return nil, nil, err
	}
	for _, tc := range all {
		byStatus[tc.conn.Status]++
	}
	tenants, err := b.allTenants(ctx)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range tenants {
		ends, err := b.expiring(ctx, t.ID, 30*24*time.Hour, func(string, string) bool { return true })
		if err != nil {
			return nil, nil, err
		}
		for _, e := range ends {
			byEnd[e.Kind]++
		}
	}
	return byStatus, byEnd, nil
}
