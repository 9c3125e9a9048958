package bank

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/background"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
)

// syncRest is the pause between two syncs of a connection, by Plaid's progress with its history.
func (b *Bank) syncRest(status string, failed int) time.Duration {
	rest := 6 * time.Hour
	switch {
	case failed > 0:
		rest = min(6*time.Hour, time.Minute<<min(failed, 9))
	case status == "" || status == plaid.NotReady:
		rest = 15 * time.Second
	case status == plaid.InitialComplete:
		rest = time.Minute
	}
	return b.tempo.Sync(rest)
}

// syncConnections keeps transactions up to date until ctx ends. It skips connections that need a new sign-in.
func (b *Bank) syncConnections(ctx context.Context) {
	b.work.syncs.Run(ctx, b.tempo.Look, func(ctx context.Context) ([]background.Task, error) {
		all, err := b.everyConnection(ctx, func(c storedConnection) bool {
			return c.Employee == nil && c.Read && c.Working() && slices.Contains(c.Products, "transactions")
		})
		tasks := make([]background.Task, len(all))
		for i, tc := range all {
			tasks[i] = background.Task{
				ID: tc.conn.ID,
				Rest: func(failed int) time.Duration {
					return b.syncRest(b.ledger.State(tc.tenantID, tc.conn.ID).Status, failed)
				},
				Do: func(ctx context.Context) error { return b.syncInTurn(ctx, tc) },
			}
		}
		return tasks, err
	})
}

func (b *Bank) syncInTurn(ctx context.Context, tc tenantConnection) error {
	conn, err := b.readConnectionNow(ctx, tc.tenantID, tc.conn.ID) // a swap may have changed its token since the list was made
	if err == nil && conn.Working() {
		run := b.syncUnderway(ctx, system(tc.tenantID), conn, false)
		<-run.done
		err = run.err
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrPoisoned) {
		b.log.Warn("sync failed", "connection", tc.conn.ID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err), "cause", fault.Cause(err))
	}
	return err
}
