package bank

import (
	"context"
	"errors"
	"slices"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
)

// reissue recognises an account that Plaid shows under a new id: by its persistent id, else by a name, mask and type
// that exactly one missing account has. It stays the same account here, with all that refers to it.
func (b *Bank) reissue(tx *store.Tx, tenantID string, conn *storedConnection, was []connection.LinkedAccount, f plaid.Account, found []plaid.Account) (bool, error) {
	index, err := b.plaidAccountKey(tenantID, conn.ItemID, f.ID)
	if err != nil {
		return false, err
	}
	if _, err := plaidAccounts.Get(tx, tenantID, index); !errors.Is(err, store.ErrNotFound) {
		return false, err // a known id
	}
	old, err := sameAccount(tx, tenantID, was, f, found)
	if err != nil || old == nil {
		return false, err
	}
	before, err := b.plaidAccountKey(tenantID, conn.ItemID, old.PlaidAccountID)
	if err != nil {
		return false, err
	}
	if err := plaidAccounts.Delete(tx, tenantID, before); err != nil {
		return false, err
	}
	if err := plaidAccounts.Put(tx, tenantID, index, pointer{old.ID}); err != nil {
		return false, err
	}
	if err := moveACH(tx, tenantID, conn.ID, old.PlaidAccountID, f.ID); err != nil {
		return false, err
	}
	conn.rename(old.PlaidAccountID, f.ID)
	old.PlaidAccountID = f.ID
	return true, bankAccounts.Put(tx, tenantID, old.ID, *old)
}

func (b *Bank) plaidAccountKey(tenantID, itemID, accountID string) (string, error) {
	return b.db.Fingerprint(tenantID, "plaid account", []byte(itemID), []byte(accountID))
}

// showsAccount reports whether Plaid shows an account.
func showsAccount(found []plaid.Account, id string) bool {
	return slices.ContainsFunc(found, func(a plaid.Account) bool { return a.ID == id })
}

// sameAccount finds the one account that the new id can belong to; nil if there is none, or more than one.
func sameAccount(tx *store.Tx, tenantID string, was []connection.LinkedAccount, f plaid.Account, found []plaid.Account) (*storedAccount, error) {
	var byID, byLooks []storedAccount
	for _, l := range was {
		if showsAccount(found, l.PlaidAccountID) {
			continue
		}
		a, err := bankAccounts.Get(tx, tenantID, l.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue // deleted here
		}
		if err != nil {
			return nil, err
		}
		switch {
		case f.PersistentID != "" && a.Persistent == f.PersistentID:
			byID = append(byID, a)
		case f.PersistentID != "" && a.Persistent != "": // both have one, and they differ
		case l.Name == f.Name && l.Mask == f.Mask && l.Type == f.Type && l.Subtype == f.Subtype:
			byLooks = append(byLooks, a)
		}
	}
	switch {
	case len(byID) == 1:
		return &byID[0], nil
	case len(byID) == 0 && len(byLooks) == 1:
		return &byLooks[0], nil
	}
	return nil, nil
}

// moveACH points ACH accounts from an old Plaid account id to the new one.
func moveACH(tx *store.Tx, tenantID, connectionID, from, to string) error {
	moved, err := achWhere(tx, tenantID, func(a storedACH) bool { return a.ConnectionID == connectionID && a.PlaidAccountID == from })
	if err != nil {
		return err
	}
	for _, a := range moved {
		a.PlaidAccountID = to
		if err := achAccounts.Put(tx, tenantID, a.ID, a); err != nil {
			return err
		}
	}
	return nil
}

// tellAliases tells the ledger which of Plaid's former account ids stand for which present ones.
func (b *Bank) tellAliases(ctx context.Context) error {
	renamed, err := b.everyConnection(ctx, func(c storedConnection) bool { return len(c.Renamed) > 0 })
	for _, tc := range renamed {
		err = errors.Join(err, b.ledger.SetAliases(tc.tenantID, tc.conn.ID, tc.conn.Renamed))
	}
	return err
}
