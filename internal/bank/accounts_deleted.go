package bank

import (
	"errors"
	"slices"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
)

// keepDeleted records in the connection that a linked bank account was deleted here, so that no sync brings it back.
func keepDeleted(tx *store.Tx, tenantID string, a storedAccount) error {
	if a.ConnectionID == "" {
		return nil
	}
	conn, err := connections.Get(tx, tenantID, a.ConnectionID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	i := slices.IndexFunc(conn.Accounts, func(l connection.LinkedAccount) bool { return l.ID == a.ID })
	if i < 0 {
		return nil
	}
	conn.Deleted = append(conn.Deleted, conn.Accounts[i])
	conn.Accounts = slices.Delete(conn.Accounts, i, i+1)
	return connections.Put(tx, tenantID, conn.ID, conn)
}

// staysDeleted reports whether an account from Plaid was deleted here, under the same id or under an older one. It then
// records the new id.
func (b *Bank) staysDeleted(tx *store.Tx, tenantID string, conn *storedConnection, f plaid.Account, found []plaid.Account) (bool, error) {
	if slices.ContainsFunc(conn.Deleted, func(l connection.LinkedAccount) bool { return l.PlaidAccountID == f.ID }) {
		return true, nil
	}
	index, err := b.plaidAccountKey(tenantID, conn.ItemID, f.ID)
	if err != nil {
		return false, err
	}
	to, err := plaidAccounts.Get(tx, tenantID, index)
	if err == nil {
		_, err = bankAccounts.Get(tx, tenantID, to.ID)
		if errors.Is(err, store.ErrNotFound) { // deleted before connections kept a list
			conn.Deleted = append(conn.Deleted, linkedAccountOf(to.ID, f))
			return true, nil
		}
		return false, err
	}
	if !errors.Is(err, store.ErrNotFound) {
		return false, err
	}
	i := slices.IndexFunc(conn.Deleted, func(l connection.LinkedAccount) bool {
		return !showsAccount(found, l.PlaidAccountID) && l.Name == f.Name && l.Mask == f.Mask && l.Type == f.Type && l.Subtype == f.Subtype
	})
	if i < 0 {
		return false, nil
	}
	conn.rename(conn.Deleted[i].PlaidAccountID, f.ID)
	conn.Deleted[i].PlaidAccountID = f.ID
	return true, nil
}

// forgetDeleted lets deleted accounts come back, after their user has chosen accounts again.
func (b *Bank) forgetDeleted(tx *store.Tx, tenantID string, conn *storedConnection) error {
	for _, l := range conn.Deleted {
		index, err := b.plaidAccountKey(tenantID, conn.ItemID, l.PlaidAccountID)
		if err != nil {
			return err
		}
		if err := plaidAccounts.Delete(tx, tenantID, index); err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
	}
	conn.Deleted = nil
	return nil
}

func linkedAccountOf(id string, f plaid.Account) connection.LinkedAccount {
	return connection.LinkedAccount{ID: id, PlaidAccountID: f.ID, Name: f.Name, Mask: f.Mask, Type: f.Type, Subtype: f.Subtype}
}
