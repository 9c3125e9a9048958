package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/store"
)

// The indexes of what webhooks name. Webhooks come from outside, before anything about them is checked, so that finding
// what one is about must cost the same however many tenants and sessions there are.
var (
	itemTenants = store.NewCollection[recordRef]("item_tenants") // system, by Plaid's item id: the connection that had it last
	linkTokens  = store.NewCollection[recordRef]("link_tokens")  // system, by fingerprint of the link token: the session
)

const webhookIndexes = "webhooks"

// putItem stores the connection of an Item, where its tenant and where webhooks look for it.
func putItem(tx *store.Tx, tenantID, itemID, connectionID string) error {
	if err := items.Put(tx, tenantID, itemID, pointer{connectionID}); err != nil {
		return err
	}
	return itemTenants.Put(tx, store.SystemTenant, itemID, recordRef{tenantID, connectionID})
}

func (b *Bank) linkTokenKey(linkToken string) (string, error) {
	return b.db.Fingerprint(store.SystemTenant, "link token", []byte(linkToken))
}

// openLinkSession notes that a session is open.
func (b *Bank) openLinkSession(tx *store.Tx, tenantID string, s storedSession) error {
	key, err := b.linkTokenKey(s.LinkToken)
	if err != nil {
		return err
	}
	if err := linkTokens.Put(tx, store.SystemTenant, key, recordRef{tenantID, s.ID}); err != nil {
		return err
	}
	return open.Put(tx, store.SystemTenant, s.ID, recordRef{tenantID, s.ID})
}

// connectionOfItem finds the connection of Plaid's item id in any tenant; none if it is unknown or removed.
func (b *Bank) connectionOfItem(ctx context.Context, itemID string) (tenantID, id string, err error) {
	if itemID == "" || len(itemID) > 100 || !store.ValidID(itemID) {
		return "", "", nil
	}
	err = b.db.View(ctx, func(tx *store.Tx) error {
		tenantID, id = "", ""
		ref, err := itemTenants.Get(tx, store.SystemTenant, itemID)
		if err != nil {
			return err
		}
		conn, err := connections.Get(tx, ref.TenantID, ref.ID)
		if err == nil && conn.Status != connection.Removed {
			tenantID, id = ref.TenantID, conn.ID
		}
		return err
	})
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrUnknownTenant) {
		return "", "", nil
	}
	return tenantID, id, err
}

// openSessionOf finds the open session of a link token.
func (b *Bank) openSessionOf(ctx context.Context, linkToken string) (id string, found bool, err error) {
	key, err := b.linkTokenKey(linkToken)
	if err != nil {
		return "", false, err
	}
	err = b.db.View(ctx, func(tx *store.Tx) error {
		ref, err := linkTokens.Get(tx, store.SystemTenant, key)
		if err == nil {
			_, err = open.Get(tx, store.SystemTenant, ref.ID)
		}
		id = ref.ID
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	return id, err == nil, err
}

// fillWebhookIndexes builds them in a tenant of an older store.
func (b *Bank) fillWebhookIndexes(tx *store.Tx, tenantID string) error {
	for rec, err := range items.Scan(tx, tenantID, store.Range{}) {
		if err != nil {
			return err
		}
		if err := itemTenants.Put(tx, store.SystemTenant, rec.ID, recordRef{tenantID, rec.Value.ID}); err != nil {
			return err
		}
	}
	for rec, err := range open.Scan(tx, store.SystemTenant, store.Range{}) {
		if err != nil {
			return err
		}
		if rec.Value.TenantID != tenantID {
			continue
		}
		s, err := linkSessions.Get(tx, tenantID, rec.Value.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		key, err := b.linkTokenKey(s.LinkToken)
		if err != nil {
			return err
		}
		if err := linkTokens.Put(tx, store.SystemTenant, key, recordRef{tenantID, s.ID}); err != nil {
			return err
		}
	}
	return nil
}
