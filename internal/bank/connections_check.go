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

// soon is how long before its end a consent turns into something to do: Plaid warns as early.
const soon = 7 * 24 * time.Hour

// CheckConnection asks Plaid how an Item is, reads its accounts and, where ACH accounts rest on it, their numbers, and
// brings the connection's state in line.
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
	return b.GetConnection(ctx, c, conn.ID) // what Plaid says against it is the answer, not a failure
}

// checkData reads the accounts and the numbers of a connection that answers.
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

// checkItem asks /item/get, the one call that answers for a broken Item too.
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
	if err := b.pointWebhook(ctx, c, conn, item.Webhook); err != nil { // it works without
		b.log.Warn("Plaid could not be told where webhooks go", "connection", conn.ID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err))
	}
	return conn, nil
}

// noteConsent keeps when the consent ends. Where Plaid names no end, one that a webhook told of stands until it has
// passed without harm.
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

// pendingOver reports whether the end that a webhook told of has passed, and the Item still works.
func pendingOver(conn *storedConnection, now time.Time) bool {
	return conn.Error != nil && conn.Error.Until != nil && now.Sub(*conn.Error.Until) > 24*time.Hour
}

func sameTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

// pointWebhook has Plaid tell of an Item where bankd listens, and nowhere when it no longer does. Where others had an
// Item point is not touched while bankd wants no webhooks itself.
func (b *Bank) pointWebhook(ctx context.Context, c tenant.Caller, conn storedConnection, points string) error {
	if points == b.links.Webhook || b.links.Webhook == "" && conn.Pointed != points {
		return nil
	}
	crashPoint("webhook.ask")
	if err := b.plaid.PointWebhook(ctx, conn.token(), b.links.Webhook); err != nil {
		return err
	}
	crashPoint("webhook.asked")
	d := auditEvent{action: "connection.point_webhook", details: map[string]string{"on": strconv.FormatBool(b.links.Webhook != "")}}
	_, err := b.changeConnection(ctx, c, conn.ID, d, func(_ *store.Tx, latest *storedConnection) (bool, error) {
		latest.Pointed = b.links.Webhook
		return true, nil
	})
	crashPoint("webhook.stored")
	return err
}

// mended checks a connection whose update session ended well: it is asked after, its accounts are reconciled and their
// numbers read anew where ACH accounts rest on them.
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
