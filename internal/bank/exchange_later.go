package bank

import (
	"context"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
)

// finishInBackground finishes an exchange in the background, beginning after a pause that doubles with each attempt,
// for as long as the daemon runs. Each exchange has one such attempt at a time.
func (b *Bank) finishInBackground(w recordRef, rest time.Duration) {
	b.life.GoOnce("exchange "+w.TenantID+" "+w.ID, func(ctx context.Context) { b.retryExchange(ctx, w, rest) })
}

func (b *Bank) retryExchange(ctx context.Context, w recordRef, rest time.Duration) {
	for ; ; rest = min(max(2*rest, b.tempo.ExchangeRetry), time.Minute) {
		select {
		case <-ctx.Done():
			return
		case <-time.After(rest):
		}
		err := b.finishExchange(ctx, w)
		if err == nil || !fault.As(err).Retryable {
			if err != nil {
				b.log.Warn("cannot finish an exchange", "tenant", w.TenantID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err), "cause", fault.Cause(err))
			}
			return
		}
	}
}

// finishExchange continues one unfinished exchange.
func (b *Bank) finishExchange(ctx context.Context, w recordRef) error {
	defer b.locks.Lock("exchange " + w.ID)()
	e, err := b.exchangeRecord(ctx, w.TenantID, w.ID)
	if err != nil {
		return missing(err, "exchange")
	}
	_, err = b.continueExchange(ctx, system(w.TenantID), w.ID, e, true)
	if err != nil && e.SessionID != "" && !fault.As(err).Retryable {
		return errors.Join(err, b.abandonSession(ctx, recordRef{w.TenantID, e.SessionID}, fault.As(err)))
	}
	return err
}
