package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/bankctl/bankctl/internal/vault"
)

// Recipient is an age recipient that can open every tenant's keys without the KEK. It is a public key.
type Recipient struct {
	Name string `json:"name,omitempty"`
	Key  string `json:"key"` // age1…
}

// LeastRecipients is the least number of an escrow: one identity that is lost must not be the last.
const LeastRecipients = 2

// ErrTooFewRecipients means that an escrow has fewer than LeastRecipients different recipients.
var ErrTooFewRecipients = errors.New("an escrow needs two different recipients or more")

// ErrRecipient means that a text is no age recipient.
var ErrRecipient = vault.ErrRecipient

// Recipients returns the escrow's recipients; none if there is no escrow.
func (db *DB) Recipients() []Recipient {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return slices.Clone(db.recipients)
}

func (db *DB) setRecipients(to []Recipient) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.recipients = to
}

// loadRecipients reads the recipients, which a root covers like all the store's own entries.
func (db *DB) loadRecipients(ctx context.Context) error {
	var to []Recipient
	err := db.engine.View(ctx, func(tx EngineTx) error {
		stored, err := tx.Get([]byte(keyRecipients))
		if err != nil {
			return err
		}
		to = nil
		return json.Unmarshal(stored, &to)
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return damaged("the recipients of its escrow cannot be read")
	}
	db.setRecipients(to)
	return nil
}

func parseRecipients(to []Recipient) (vault.Recipients, error) {
	texts := make([]string, len(to))
	for i, r := range to {
		texts[i] = r.Key
	}
	return vault.ParseRecipients(texts)
}

// escrow encrypts a tenant's keys to the recipients; nil if there are none.
func (k tenantKeys) escrow(to []Recipient, db, tenant string) ([]byte, error) {
	if len(to) == 0 {
		return nil, nil
	}
	parsed, err := parseRecipients(to)
	if err != nil {
		return nil, err
	}
	return vault.Escrow(parsed, k.sealer, k.digester, "bankd/1", "escrow", db, tenant)
}

// SetEscrow encrypts every tenant's keys to the recipients, who replace those from before, in one transaction. audit
// runs in it.
func (db *DB) SetEscrow(ctx context.Context, to []Recipient, audit func(*Tx) error) error {
	seen := map[string]bool{}
	for _, r := range to {
		seen[r.Key] = true
	}
	if _, err := parseRecipients(to); err != nil {
		return err
	}
	if len(seen) < LeastRecipients || len(seen) < len(to) {
		return ErrTooFewRecipients
	}
	plain, err := json.Marshal(to)
	if err != nil {
		return err
	}
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	files := map[string][]byte{}
	for _, tenant := range db.allTenants() {
		keys, err := db.tenant(tenant)
		if err != nil {
			return err
		}
		if files[tenant], err = keys.escrow(to, db.Header().ID, tenant); err != nil {
			return fmt.Errorf("escrow keys: %w", err)
		}
	}
	crashPoint("escrow.made")
	err = db.Update(ctx, func(tx *Tx) error {
		for _, tenant := range db.allTenants() {
			if err := tx.putOwn(escrowKey(tenant), files[tenant]); err != nil {
				return err
			}
		}
		if err := tx.putOwn([]byte(keyRecipients), plain); err != nil {
			return err
		}
		return audit(tx)
	})
	if err != nil {
		return fmt.Errorf("escrow keys: %w", err)
	}
	crashPoint("escrow.stored")
	db.setRecipients(to)
	return nil
}
