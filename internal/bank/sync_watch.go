package bank

import (
	"context"
	"errors"
	"slices"
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

// watchTransactions keeps connections up to date until ctx ends; those that need a new sign-in are left alone.
func (b *Bank) watchTransactions(ctx context.Context) {
	b.inTurns(ctx, b.syncs, b.syncable, b.syncInTurn)
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

// syncable lists the connections that may be asked for transactions.
func (b *Bank) syncable(ctx context.Context) ([]tenantConnection, error) {
	return b.everyConnection(ctx, func(c storedConnection) bool {
		return c.Employee == nil && c.Read && c.Working() && slices.Contains(c.Products, "transactions")
	})
}
