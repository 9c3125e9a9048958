package bank

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
)

// syncsAtOnce is how many connections are synced side by side: one that waits for its next minute of calls holds up no
// other.
const syncsAtOnce = 4

// pace is how long a connection rests between two syncs, by how far Plaid is with it.
func (b *Bank) pace(status string, failed int) time.Duration {
	rest := 6 * time.Hour
	switch {
	case failed > 0:
		rest = min(6*time.Hour, time.Minute<<min(failed, 9))
	case status == "" || status == plaid.NotReady:
		rest = 15 * time.Second
	case status == plaid.InitialComplete:
		rest = time.Minute
	}
	return b.spread(rest)
}

// spread adds up to a quarter, so that connections linked together do not ask together; the simulator's time is quick.
func (b *Bank) spread(rest time.Duration) time.Duration {
	if b.simulated() {
		rest /= 20
	}
	return rest + rand.N(rest/4+1)
}

func (b *Bank) simulated() bool { return b.plaid.Environment() == plaid.Simulated }

// lookEvery is how often background work looks for what is due.
func (b *Bank) lookEvery() time.Duration {
	if b.simulated() {
		return 500 * time.Millisecond
	}
	return 5 * time.Second
}

// watchTransactions keeps connections up to date until ctx ends; those that need a new sign-in are left alone.
func (b *Bank) watchTransactions(ctx context.Context) {
	b.inTurns(ctx, b.syncs, b.syncable, b.syncInTurn)
}

// inTurns gives each connection of a list its turn, again and again until ctx ends. What a list cannot be had for, the
// store says where it matters.
func (b *Bank) inTurns(ctx context.Context, t *turns, list func(context.Context) ([]tenantConnection, error), take func(context.Context, tenantConnection)) {
	var running sync.WaitGroup
	defer running.Wait()
	tick := time.NewTicker(b.lookEvery())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all, err := list(ctx)
		if err != nil {
			continue
		}
		ids := map[string]bool{}
		for _, tc := range all {
			ids[tc.conn.ID] = true
			if t.begin(tc.conn.ID, b.now()) {
				running.Go(func() { take(ctx, tc) })
			}
		}
		t.keep(ids)
	}
}

func (b *Bank) syncInTurn(ctx context.Context, s tenantConnection) {
	p := b.syncUnderway(ctx, system(s.tenantID), s.conn)
	<-p.done
	reply, err := p.reply, p.err
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrPoisoned) {
		b.log.Warn("transactions could not be synced", "connection", s.conn.ID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err))
	}
	b.syncs.end(s.conn.ID, b.now(), err, func(failed int) time.Duration { return b.pace(reply.Status, failed) })
}

type tenantConnection struct {
	tenantID string
	conn     storedConnection
}

// syncable lists the connections that may be asked for transactions.
func (b *Bank) syncable(ctx context.Context) ([]tenantConnection, error) {
	return b.everyConnection(ctx, func(c storedConnection) bool {
		return c.Employee == nil && c.Read && c.Working() && slices.Contains(c.Products, "transactions")
	})
}

// everyConnection lists all tenants' connections that are wanted.
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
