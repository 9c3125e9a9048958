package bank

import (
	"context"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Subjects of webhooks. A webhook is a hint: bankd asks Plaid for the current state, so webhooks may come late, twice
// or in any order.
const (
	lookItem     = "item"     // and the effects of a change of its state
	lookAccounts = "accounts" // accounts and their numbers
)

// storedHint collects the subjects of a connection's webhooks until they are checked. It survives a restart.
type storedHint struct {
	TenantID string               `json:"tenant_id"`
	Looks    map[string]time.Time `json:"looks"` // subject: signing time of its newest webhook
	Notes    map[string]hintNote  `json:"notes"` // news that only webhooks bring, by Plaid's code
	Rev      int                  `json:"rev"`
}

type hintNote struct {
	At    time.Time  `json:"at"`
	Until *time.Time `json:"until,omitempty"`
}

var hints = store.NewCollection[storedHint]("webhook_hints") // system, by connection id

// webhookTopics maps webhooks, by type and code or by type alone, to their subject.
var webhookTopics = map[string]string{
	"ITEM.ERROR": lookItem, "ITEM.LOGIN_REPAIRED": lookItem, "ITEM.PENDING_DISCONNECT": lookItem, "ITEM.PENDING_EXPIRATION": lookItem,
	"ITEM.USER_PERMISSION_REVOKED": lookItem, "ITEM.USER_ACCOUNT_REVOKED": lookAccounts, "ITEM.NEW_ACCOUNTS_AVAILABLE": lookItem,
	"AUTH": lookAccounts, "IDENTITY": lookItem,
}

// ReadWebhook checks that a webhook is Plaid's, and parses it.
func (b *Bank) ReadWebhook(ctx context.Context, signed string, body []byte) (plaid.Webhook, error) {
	w, err := b.plaid.ReadWebhook(ctx, signed, body, b.now(), func(w plaid.Webhook) string { return b.subjectOf(ctx, w) })
	if fault.Is(err, fault.Unauthenticated) {
		b.stats.ForgedHooks.Add(1)
	}
	if err != nil {
		if n := b.guards.forged.count(refusal{action: "webhook", code: fault.As(err).Code}, tenant.Caller{}, b.time()); n > 0 { // once a minute: a flood must not fill the log
			b.log.Warn("webhooks refused", "calls", n, "reason", fault.As(err).Message)
		}
	}
	return w, err
}

// subjectOf names the Item or open session here that an unchecked webhook is about; "" is none. Nobody outside can guess
// one.
func (b *Bank) subjectOf(ctx context.Context, w plaid.Webhook) string {
	if w.LinkToken != "" {
		id, _, _ := b.openSessionOf(ctx, w.LinkToken)
		return id
	}
	_, id, _ := b.connectionOfItem(ctx, w.ItemID)
	return id
}

// TakeWebhook stores a webhook's subject for the background to check. For an unknown or removed Item it stores nothing.
func (b *Bank) TakeWebhook(ctx context.Context, w plaid.Webhook) (err error) {
	b.stats.Webhooks.Add(1)
	if b.work.hooks.Again(w.Verification, b.now()) {
		return nil
	}
	defer func() {
		if err != nil {
			b.work.hooks.Forget(w.Verification)
		}
	}()
	if w.LinkToken != "" {
		return b.pokeSession(ctx, w.LinkToken)
	}
	tenantID, id, err := b.connectionOfItem(ctx, w.ItemID)
	if err != nil || id == "" {
		return err
	}
	if w.Type == "TRANSACTIONS" {
		b.work.syncs.Poke(id) // not stored: after a restart all connections are synced
		return nil
	}
	topic := webhookTopics[w.Type+"."+w.Code]
	if topic == "" {
		topic = webhookTopics[w.Type]
	}
	if topic == "" {
		return nil
	}
	err = b.update(ctx, func(tx *store.Tx) error {
		h, err := hints.Get(tx, store.SystemTenant, id)
		if errors.Is(err, store.ErrNotFound) {
			h, err = storedHint{TenantID: tenantID, Looks: map[string]time.Time{}, Notes: map[string]hintNote{}}, nil
		}
		if err != nil {
			return err
		}
		if w.SignedAt.After(h.Looks[topic]) {
			h.Looks[topic] = w.SignedAt
		}
		if connection.CodeOf(w.Code).WebhookOnly && w.Type == "ITEM" && w.SignedAt.After(h.Notes[w.Code].At) {
			h.Notes[w.Code] = hintNote{At: w.SignedAt, Until: webhookDeadline(w)}
		}
		h.Rev++
		return hints.Put(tx, store.SystemTenant, id, h)
	})
	if err == nil {
		b.work.checks.Poke(id)
	}
	return err
}

// webhookDeadline is when the Item stops working; nil if the webhook announces no end. An end without a time is seven
// days ahead, Plaid's usual notice.
func webhookDeadline(w plaid.Webhook) *time.Time {
	until := w.Disconnect
	if until.IsZero() {
		until = w.ConsentEnds
	}
	if until.IsZero() && (w.Code == connection.DisconnectsSoon || w.Code == connection.ExpiresSoon) {
		until = w.SignedAt.Add(soon)
	}
	if until.IsZero() {
		return nil
	}
	until = until.UTC().Truncate(time.Microsecond)
	return &until
}

// pokeSession makes the follower of a link token's session look at it now.
func (b *Bank) pokeSession(ctx context.Context, linkToken string) error {
	id, found, err := b.openSessionOf(ctx, linkToken)
	if found {
		b.sessions.Poke(id)
	}
	return err
}
