package bank

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/quota"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// storedUsage counts a connection's calls to Plaid by endpoint.
type storedUsage map[string]usageCount

type usageCount struct {
	Total   int64     `json:"total"`
	Month   int64     `json:"month"`
	Of      string    `json:"of"` // the month of Month's counts, such as 2026-11
	Refused int64     `json:"refused,omitempty"`
	Last    time.Time `json:"last"`
}

var usage = store.NewCollection[storedUsage]("usage") // by connection id

// billed are the endpoints whose calls Plaid charges for.
var billed = map[string]bool{"balance": true, "refresh": true, "identity": true}

func monthOf(t time.Time) string { return t.UTC().Format("2006-01") }

func (u usageCount) add(n plaid.Count, now time.Time) usageCount {
	if u.Of != monthOf(now) {
		u.Of, u.Month = monthOf(now), 0
	}
	u.Total, u.Month, u.Refused = u.Total+n.Made, u.Month+n.Made, u.Refused+n.Refused
	u.Last = n.Last.UTC().Truncate(time.Second)
	return u
}

// KeepUsage stores the counts since the last time; the daemon calls it at intervals and at its end.
func (b *Bank) KeepUsage(ctx context.Context) error {
	counted := b.plaid.TakeCounts()
	if len(counted) == 0 {
		return nil
	}
	err := b.keepUsage(context.WithoutCancel(ctx), counted)
	if err != nil {
		b.plaid.GiveBack(counted)
	}
	return err
}

func (b *Bank) keepUsage(ctx context.Context, counted map[plaid.Counted]plaid.Count) error {
	all, err := b.allTenants(ctx)
	if err != nil {
		return err
	}
	now := b.time()
	return b.update(ctx, func(tx *store.Tx) error {
		for _, t := range all {
			byID := map[string]storedUsage{}
			for what, n := range counted {
				if _, err := connections.Get(tx, t.ID, what.ConnectionID); errors.Is(err, store.ErrNotFound) {
					continue
				} else if err != nil {
					return err
				}
				u, known := byID[what.ConnectionID]
				if !known {
					var err error
					if u, err = usage.Get(tx, t.ID, what.ConnectionID); errors.Is(err, store.ErrNotFound) {
						u = storedUsage{}
					} else if err != nil {
						return err
					}
					byID[what.ConnectionID] = u
				}
				u[what.Endpoint] = u[what.Endpoint].add(n, now)
			}
			for id, u := range byID {
				if err := usage.Put(tx, t.ID, id, u); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// ListUsage returns the calls to Plaid of each connection that the caller sees, or of one.
func (b *Bank) ListUsage(ctx context.Context, c tenant.Caller, id string) ([]connection.Usage, error) {
	if err := b.KeepUsage(ctx); err != nil {
		return nil, err
	}
	var conns []connection.Connection
	if id != "" {
		conn, err := b.connection(ctx, c, id)
		if err != nil {
			return nil, err
		}
		conns = append(conns, conn.Connection)
	} else {
		known, err := b.linkedBanks(ctx, c.TenantID)
		if err != nil {
			return nil, err
		}
		for _, conn := range known {
			if conn.Status != connection.Removed && c.Sees(conn.EmployerID, conn.CarrierID) {
				conns = append(conns, conn.Connection)
			}
		}
	}
	out := make([]connection.Usage, 0, len(conns))
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for _, conn := range conns {
			u, err := usage.Get(tx, c.TenantID, conn.ID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			out = append(out, connection.Usage{ConnectionID: conn.ID, Institution: conn.Institution, Calls: b.callCounts(conn.ID, u)})
		}
		return nil
	})
	return out, err
}

func (b *Bank) callCounts(id string, u storedUsage) []connection.Calls {
	out := []connection.Calls{}
	for endpoint, n := range u {
		last := n.Last
		row := connection.Calls{Endpoint: endpoint, Billed: billed[endpoint], Total: n.Total, Refused: n.Refused, Last: &last, Allowance: b.allowance(endpoint, id)}
		if n.Of == monthOf(b.time()) {
			row.Month = n.Month
		}
		out = append(out, row)
	}
	slices.SortFunc(out, func(a, b connection.Calls) int { return cmp.Compare(a.Endpoint, b.Endpoint) })
	return out
}

// allowance is the rest of an endpoint's budget; nil without a limit.
func (b *Bank) allowance(endpoint, id string) *quota.Allowance {
	a := b.plaid.Allowance(endpoint, id)
	if a.PerMinute == 0 {
		return nil
	}
	return &quota.Allowance{PerMinute: a.PerMinute, Left: a.Left, ResetSeconds: int(a.Reset / time.Second)}
}
