package bank

import (
	"context"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// soon is the time before the end of a consent from which on a step is needed; Plaid warns as early.
const soon = 7 * 24 * time.Hour

// CheckConnection asks Plaid for the state of an Item and its accounts and, if ACH accounts use it, their numbers, and
// updates the connection.
func (b *Bank) CheckConnection(ctx context.Context, c tenant.Caller, id string) (connection.Connection, error) {
	conn, err := b.connection(ctx, c, id)
	if err != nil {
		return connection.Connection{}, err
	}
	if err := writable(c, conn.EmployerID, conn.CarrierID, "connection"); err != nil {
		return connection.Connection{}, err
	}
	if conn.Status == connection.Removed {
		return connection.Connection{}, errRemoved(conn.ID)
	}
	if conn, err = b.checkItem(ctx, c, conn); err == nil && conn.Answers() {
		conn, err = b.checkData(ctx, c, conn)
	}
	if err != nil && !connection.Known(plaid.Code(err)) {
		return connection.Connection{}, err
	}
	return b.GetConnection(ctx, c, conn.ID) // a problem that Plaid reports is the answer, not a failure
}

// checkData reads the accounts and numbers of a working connection.
func (b *Bank) checkData(ctx context.Context, c tenant.Caller, conn storedConnection) (storedConnection, error) {
	if conn.Employee != nil {
		return conn, b.recheck(ctx, linkedEmployee{tenantID: c.TenantID, ref: *conn.Employee})
	}
	if _, err := b.syncAccounts(ctx, c, conn); err != nil {
		return conn, err
	}
	if err := b.refreshNumbers(ctx, c, conn); err != nil {
		return conn, err
	}
	return b.connection(ctx, c, conn.ID)
}

// checkItem calls /item/get, the one call that works for a broken Item too.
func (b *Bank) checkItem(ctx context.Context, c tenant.Caller, conn storedConnection) (storedConnection, error) {
	asked := b.time()
	crashPoint("check.ask")
	item, err := b.plaid.GetItem(ctx, conn.token())
	crashPoint("check.asked")
	if err != nil {
		if connection.Known(plaid.Code(err)) {
			return b.noteTrouble(ctx, c, conn, plaid.Code(err))
		}
		return conn, err
	}
	now := b.time()
	d := auditEvent{action: "connection.check"}
	conn, err = b.changeConnection(ctx, c, conn.ID, d, func(_ *store.Tx, conn *storedConnection) (bool, error) {
		changed := false
		if item.ErrorCode != "" {
			changed = conn.Note(item.ErrorCode, now, nil)
		} else {
			changed = conn.Heal(connection.ByItem, asked, now)
		}
		return noteConsent(conn, item.ConsentEnds, now) || changed, nil
	})
	if err != nil {
		return conn, err
	}
	crashPoint("check.stored")
	if err := b.pointWebhook(ctx, c, conn, item.Webhook); err != nil { // the connection works without webhooks
		b.log.Warn("cannot set the webhook address at Plaid", "connection", conn.ID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err), "cause", fault.Cause(err))
	}
	return conn, nil
}

// noteConsent stores when the consent ends. If Plaid names no end, the end that a webhook announced stays until it has
// passed without effect.
func noteConsent(conn *storedConnection, ends, now time.Time) bool {
	var until *time.Time
	if !ends.IsZero() {
		until = &ends
	}
	changed := !sameTime(conn.ConsentEnds, until)
	conn.ConsentEnds = until
	switch {
	case until != nil && ends.Sub(now) <= soon:
		code := connection.DisconnectsSoon
		if conn.Has(connection.ExpiresSoon) {
			code = connection.ExpiresSoon
		}
		return conn.Note(code, now, until) || changed
	case until != nil || pendingOver(conn, now):
		return conn.Heal(connection.ByTime, now, now) || changed
	}
	return changed
}

// pendingOver reports whether an announced end has passed while the Item still works.
func pendingOver(conn *storedConnection, now time.Time) bool {
	return conn.Error != nil && conn.Error.Until != nil && now.Sub(*conn.Error.Until) > 24*time.Hour
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// pointWebhook sets the Item's webhook address at Plaid to bankd's, or clears it when bankd no longer takes webhooks.
// It leaves an address of somebody else's alone while bankd takes none.
func (b *Bank) pointWebhook(ctx context.Context, c tenant.Caller, conn storedConnection, points string) error {
	if points == b.links.Load().Webhook || b.links.Load().Webhook == "" && conn.Pointed != points {
		return nil
	}
	crashPoint("webhook.ask")
	if err := b.plaid.PointWebhook(ctx, conn.token(), b.links.Load().Webhook); err != nil {
		return err
	}
	crashPoint("webhook.asked")
	d := auditEvent{action: "connection.point_webhook", details: map[string]string{"on": strconv.FormatBool(b.links.Load().Webhook != "")}}
	_, err := b.changeConnection(ctx, c, conn.ID, d, func(_ *store.Tx, latest *storedConnection) (bool, error) {
		latest.Pointed = b.links.Load().Webhook
		return true, nil
	})
	crashPoint("webhook.stored")
	return err
}

// mended checks a connection after a successful update session: its state, its accounts and, if ACH accounts use it,
// their numbers.
func (b *Bank) mended(ctx context.Context, w recordRef, s storedSession) error {
	c := system(w.TenantID)
	if s.AccountID != "" {
		return b.mendedEmployee(ctx, w, s)
	}
	conn, err := b.connection(ctx, c, s.ConnectionID)
	if err != nil {
		return b.abandonSession(ctx, w, fault.As(err))
	}
	now := b.time()
	crashPoint("update.mended")
	conn, err = b.changeConnection(ctx, c, conn.ID, auditEvent{action: "connection.mend"}, func(tx *store.Tx, conn *storedConnection) (bool, error) {
		if s.Choose {
			if err := b.forgetDeleted(tx, c.TenantID, conn); err != nil {
				return false, err
			}
		}
		conn.Heal(connection.ByUpdate, now, now)
		conn.Heal(connection.ByTime, now, now)
		conn.Mended = &now
		return true, nil
	})
	if err != nil {
		return err
	}
	crashPoint("update.noted")
	if conn.Status != connection.Removed {
		conn, err = b.checkItem(ctx, c, conn)
	}
	if err != nil {
		return err
	}
	if conn.Status == connection.Removed {
		return b.abandonSession(ctx, w, errRemoved(conn.ID))
	}
	if !conn.Answers() {
		crashPoint("update.refused")
		return b.abandonSession(ctx, w, fault.New(fault.RelinkRequired, "the bank still refuses: %s", conn.Error.Code).
			WithHint("run `bankctl connections reauth %s` again", conn.ID))
	}
	if _, err := b.checkData(ctx, c, conn); err != nil && !connection.Known(plaid.Code(err)) {
		return err
	}
	crashPoint("update.checked")
	b.work.syncs.Poke(conn.ID)
	err = b.update(ctx, func(tx *store.Tx) error { return open.Delete(tx, store.SystemTenant, w.ID) })
	crashPoint("update.closed")
	return err
}
