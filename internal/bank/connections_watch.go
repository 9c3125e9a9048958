package bank

import (
	"context"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/background"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// checkRest is the pause between two checks of a connection: a user may have repaired it elsewhere, or a near end may
// have been postponed.
func (b *Bank) checkRest(conn storedConnection, failed int) time.Duration {
	rest := 6 * time.Hour
	switch {
	case failed > 0:
		rest = min(rest, time.Minute<<min(failed, 9))
	case conn.Waits():
		rest = 15 * time.Minute
	case conn.Status == connection.Active:
	case conn.Has(connection.TokenLost) || conn.Has(connection.ItemNotFound): // only a new link mends these
		rest = 24 * time.Hour
	case conn.Working():
		rest = time.Hour
	default:
		rest = 30 * time.Minute
	}
	return b.tempo.Check(rest)
}

// dataDue reports whether a connection's accounts and numbers are to be read again although no webhook asked for it. A
// consent taken back for one account, or another number given by the bank, shows nowhere else without webhooks.
func (b *Bank) dataDue(ctx context.Context, c tenant.Caller, conn storedConnection) (bool, error) {
	if conn.Employee != nil { // checkEmployees checks it
		return false, nil
	}
	if conn.SyncedAt != nil && b.time().Sub(*conn.SyncedAt) < b.tempo.Data {
		return false, nil
	}
	linked, err := b.linkedACH(ctx, c.TenantID, conn.ID)
	return len(linked) > 0 || conn.SyncedAt == nil, err
}

// checkConnections keeps the states of connections up to date until ctx ends, with webhooks or without: it checks each
// at intervals, checks at once after a webhook, and finishes swaps of tokens.
func (b *Bank) checkConnections(ctx context.Context) {
	b.work.checks.Run(ctx, b.tempo.Look, func(ctx context.Context) ([]background.Task, error) {
		all, err := b.everyConnection(ctx, func(c storedConnection) bool { return c.Status != connection.Removed && (c.Read || c.Rotating != nil) })
		tasks := make([]background.Task, len(all))
		for i, tc := range all {
			tasks[i] = background.Task{
				ID:   tc.conn.ID,
				Rest: func(failed int) time.Duration { return b.checkRest(tc.conn, failed) },
				Do:   func(ctx context.Context) error { return b.checkInTurn(ctx, tc) },
			}
		}
		return tasks, err
	})
}

func (b *Bank) checkInTurn(ctx context.Context, tc tenantConnection) error {
	conn, err := b.checkConnectionState(ctx, tc)
	if err == nil && conn.Swap {
		err = b.swapImported(ctx, system(tc.tenantID), conn.ID)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrPoisoned) {
		b.log.Warn("connection check failed", "connection", tc.conn.ID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err), "cause", fault.Cause(err))
	}
	return err
}

// checkConnectionState checks one connection, and the subjects of its webhooks.
func (b *Bank) checkConnectionState(ctx context.Context, tc tenantConnection) (storedConnection, error) {
	c := system(tc.tenantID)
	if tc.conn.Rotating != nil {
		if err := b.finishRotation(ctx, c, tc.conn.ID); err != nil {
			return tc.conn, err
		}
	}
	h, hinted, err := b.webhookHint(ctx, tc.conn.ID)
	if err != nil {
		return tc.conn, err
	}
	before, err := b.connection(ctx, c, tc.conn.ID)
	if err != nil || before.Status == connection.Removed {
		return before, err
	}
	conn, err := b.checkItem(ctx, c, before)
	if err != nil {
		return conn, err
	}
	if conn, err = b.noteWebhookTroubles(ctx, c, conn, h); err != nil {
		return conn, err
	}
	_, accounts := h.Looks[lookAccounts]
	due, err := b.dataDue(ctx, c, conn)
	if err != nil {
		return conn, err
	}
	if conn.Answers() && (accounts || due || !before.Working() || len(conn.Notices) > 0 || b.depositsOpen(ctx, c, conn.ID)) {
		if conn, err = b.checkData(ctx, c, conn); err != nil && !connection.Known(plaid.Code(err)) {
			return conn, err
		}
	}
	if conn.Working() && !before.Working() {
		b.work.syncs.Poke(conn.ID)
	}
	if !hinted {
		return conn, nil
	}
	return conn, b.dropHint(ctx, conn.ID, h.Rev)
}

func (b *Bank) finishRotation(ctx context.Context, c tenant.Caller, id string) error {
	defer b.locks.Lock("item " + id)()
	return b.settleRotation(ctx, c, id)
}

// noteWebhookTroubles records the troubles that only webhooks report, unless the user has signed in again since. A
// webhook is dated to the second: one from the second of the sign-in counts, since to lose it would be worse.
func (b *Bank) noteWebhookTroubles(ctx context.Context, c tenant.Caller, conn storedConnection, h storedHint) (storedConnection, error) {
	if len(h.Notes) == 0 {
		return conn, nil
	}
	now := b.time()
	return b.changeConnection(ctx, c, conn.ID, auditEvent{action: "connection.trouble", outcome: "noted"}, func(_ *store.Tx, conn *storedConnection) (bool, error) {
		changed := false
		for code, n := range h.Notes {
			other := connection.CodeOf(code).OppositeEnd
			if conn.Mended != nil && n.At.Add(time.Second).Before(*conn.Mended) || other != "" && h.Notes[other].At.After(n.At) {
				continue
			}
			if other != "" { // /item/get reports an end, but not which of the two kinds
				changed = conn.Drop(other, now) || changed
			}
			changed = conn.Note(code, now, n.Until) || changed
		}
		return changed, nil
	})
}

// depositsOpen reports whether an ACH account waits for its deposit to be confirmed.
func (b *Bank) depositsOpen(ctx context.Context, c tenant.Caller, connectionID string) bool {
	var waiting []storedACH
	err := b.db.View(ctx, func(tx *store.Tx) (err error) {
		waiting, err = achWhere(tx, c.TenantID, func(a storedACH) bool { return a.ConnectionID == connectionID && a.pending() })
		return err
	})
	return err == nil && len(waiting) > 0
}

func (b *Bank) webhookHint(ctx context.Context, id string) (h storedHint, found bool, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) error {
		h, err = hints.Get(tx, store.SystemTenant, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		found = err == nil
		return err
	})
	return h, found, err
}

// dropHint drops the subjects that were checked, unless another webhook came meanwhile.
func (b *Bank) dropHint(ctx context.Context, id string, rev int) error {
	return b.update(ctx, func(tx *store.Tx) error {
		h, err := hints.Get(tx, store.SystemTenant, id)
		if errors.Is(err, store.ErrNotFound) || err == nil && h.Rev != rev {
			return nil
		}
		if err != nil {
			return err
		}
		return hints.Delete(tx, store.SystemTenant, id)
	})
}
