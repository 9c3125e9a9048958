package bank

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/txn"
)

const (
	syncPage     = 500 // rows a page: the most Plaid gives, so that its data changes least often in between
	syncRestarts = 5   // how often an update is begun again because it did
	syncWaits    = 60  // how often in a row the next page may be put off by a rate limit
)

// SyncTransactions brings a connection's transactions up to date (A18).
func (b *Bank) SyncTransactions(ctx context.Context, c tenant.Caller, p connection.ItemParams) (txn.Synced, error) {
	conn, err := b.connection(ctx, c, p.ItemID)
	if err != nil {
		return txn.Synced{}, asField(err, "item_id", "is not a connection of yours")
	}
	if err := writable(c, conn.EmployerID, conn.CarrierID, "connection"); err != nil {
		return txn.Synced{}, err
	}
	if conn.Status == connection.Removed {
		return txn.Synced{}, fault.New(fault.Conflict, "the connection was removed").WithID(conn.ID)
	}
	return b.syncTransactions(ctx, c, conn)
}

// syncTransactions reads a whole update, then stores it with its cursor in one transaction.
func (b *Bank) syncTransactions(ctx context.Context, c tenant.Caller, conn storedConnection) (txn.Synced, error) {
	defer b.locks.lock("sync " + conn.ID)()
	u, status, err := b.readUpdate(ctx, conn, b.ledger.State(c.TenantID, conn.ID).Cursor)
	if err != nil {
		return txn.Synced{}, b.troubled(ctx, c, conn.ID, err)
	}
	now := b.time()
	reply := txn.Synced{ConnectionID: conn.ID, PlaidItemID: conn.ItemID, Status: status, SyncedAt: now}
	err = b.ledger.Apply(ctx, c.TenantID, conn.ID, u, status, now, func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error {
		return b.write(ctx, c, func(tx *store.Tx) (deed, error) {
			counts, err := apply(tx)
			reply.Counts = counts
			return deed{action: "txn.sync", object: "connection:" + conn.ID, reply: reply, details: map[string]string{
				"added": strconv.Itoa(counts.Added), "modified": strconv.Itoa(counts.Modified), "removed": strconv.Itoa(counts.Removed), "status": status,
			}}, err
		})
	})
	reply.Total = b.ledger.State(c.TenantID, conn.ID).Rows
	return reply, err
}

// readUpdate pages through one update. Where Plaid's data changes on the way, or a page fails, what was read is dropped
// and the update begun again from its first cursor: taking up in the middle would lose rows.
func (b *Bank) readUpdate(ctx context.Context, conn storedConnection, from string) (txn.Update, string, error) {
	var lastErr error
	for range syncRestarts {
		u, status, err := b.readPages(ctx, conn, from)
		switch {
		case err == nil:
			return u, status, nil
		case plaid.Code(err) == "PRODUCT_NOT_READY":
			return txn.Update{From: from}, plaid.NotReady, nil
		case plaid.Code(err) == "INVALID_FIELD" && from != "":
			from = "" // a cursor of another Item: everything is read again, and known rows stay what they are
		case plaid.Code(err) != "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION":
			return txn.Update{}, "", err
		}
		lastErr = err
	}
	f := *fault.As(lastErr)
	f.Retryable = true
	return txn.Update{}, "", f.WithHint("Plaid's data changes faster than it can be read: try again in a minute")
}

func (b *Bank) readPages(ctx context.Context, conn storedConnection, from string) (txn.Update, string, error) {
	u := txn.Update{From: from}
	waited := 0
	for cursor := from; ; {
		p, err := b.plaid.SyncTransactions(ctx, plaid.NewAccessToken(conn.AccessToken), cursor, syncPage)
		// An update of more pages than a minute has calls would never end if it gave up here.
		limited := fault.Is(err, fault.RateLimited) && cursor != from && waited < syncWaits
		if limited && sleep(ctx, max(fault.As(err).RetryAfter, 1)) {
			waited++
			continue
		}
		waited = 0
		if err != nil {
			return txn.Update{}, "", err
		}
		u.Added, u.Modified, u.Removed = append(u.Added, p.Added...), append(u.Modified, p.Modified...), append(u.Removed, p.Removed...)
		if p.Next != "" {
			cursor, u.To = p.Next, p.Next
		}
		if !p.More {
			return u, p.Status, nil
		}
		if p.Next == "" {
			return txn.Update{}, "", fault.New(fault.PlaidError, "Plaid promises more transactions and names no cursor")
		}
	}
}

// sleep waits some seconds, or reports that ctx ended first.
func sleep(ctx context.Context, seconds int) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(seconds) * time.Second):
		return true
	}
}

// pace is how long a connection rests between two syncs, by how far Plaid is with it.
func (b *Bank) pace(status string, failed int) time.Duration {
	quick := b.plaid.Environment() == plaid.Simulated
	rest := 6 * time.Hour
	switch {
	case failed > 0:
		rest = min(6*time.Hour, time.Minute<<min(failed, 9))
	case status == "" || status == plaid.NotReady:
		rest = 15 * time.Second
	case status == plaid.InitialComplete:
		rest = time.Minute
	}
	if quick {
		rest /= 20
	}
	return rest + rand.N(rest/4) // so that connections linked together do not ask together
}

type syncTurn struct {
	due    time.Time
	failed int
}

// watchTransactions keeps connections up to date until ctx ends; those that need a new sign-in are left alone.
func (b *Bank) watchTransactions(ctx context.Context) {
	turns := map[string]syncTurn{}
	every := 5 * time.Second
	if b.plaid.Environment() == plaid.Simulated {
		every = 500 * time.Millisecond
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all, err := b.syncable(ctx)
		if err != nil {
			continue // the store says it where it matters
		}
		for _, s := range all {
			turn := turns[s.conn.ID]
			if b.now().Before(turn.due) {
				continue
			}
			reply, err := b.syncTransactions(ctx, system(s.tenantID), s.conn)
			if ctx.Err() != nil {
				return
			}
			turn.failed++
			if err == nil {
				turn.failed = 0
			} else if !errors.Is(err, store.ErrPoisoned) {
				b.log.Warn("transactions could not be synced", "connection", s.conn.ID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err))
			}
			turn.due = b.now().Add(b.pace(reply.Status, turn.failed))
			turns[s.conn.ID] = turn
		}
	}
}

type syncableConnection struct {
	tenantID string
	conn     storedConnection
}

// syncable lists the connections that may be asked for transactions.
func (b *Bank) syncable(ctx context.Context) ([]syncableConnection, error) {
	tenants, err := b.allTenants(ctx)
	if err != nil {
		return nil, err
	}
	var out []syncableConnection
	for _, t := range tenants {
		err := b.db.View(ctx, func(tx *store.Tx) error {
			for rec, err := range connections.Scan(tx, t.ID, store.Range{}) {
				if err != nil {
					return err
				}
				if c := rec.Value; c.Employee == nil && c.Read && c.Status == connection.Active && slices.Contains(c.Products, "transactions") {
					out = append(out, syncableConnection{t.ID, c})
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
