package bank

import (
	"context"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
)

// later finishes an exchange in the background, for as long as the daemon runs.
func (b *Bank) later(w where) {
	b.sessions.mu.Lock()
	ctx := b.sessions.ctx
	b.sessions.mu.Unlock()
	if ctx != nil && ctx.Err() == nil {
		b.sessions.running.Go(func() { b.finishLater(ctx, w) })
	}
}

func (b *Bank) finishLater(ctx context.Context, w where) {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := b.finish(ctx, w)
		if err == nil || !fault.As(err).Retryable {
			if err != nil {
				b.log.Warn("exchange could not be finished", "code", fault.As(err).Code, "plaid_code", plaid.Code(err))
			}
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// finish takes one unfinished exchange up again.
func (b *Bank) finish(ctx context.Context, w where) error {
	defer b.locks.lock("exchange " + w.ID)()
	e, err := b.exchangeRecord(ctx, w.TenantID, w.ID)
	if err != nil {
		return missing(err, "exchange")
	}
	_, err = b.carryOn(ctx, system(w.TenantID), w.ID, e, true)
	if err != nil && e.SessionID != "" && !fault.As(err).Retryable {
		return errors.Join(err, b.giveUp(ctx, where{w.TenantID, e.SessionID}, fault.As(err)))
	}
	return err
}
