package bank

import (
	"cmp"
	"errors"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/store"
)

// rejoinable finds the owner's account with the same numbers that lost its connection. A new link revives it, with its
// id and all references to it.
func rejoinable(tx *store.Tx, tenantID string, fresh storedACH) (old storedACH, found bool, err error) {
	old, held, err := byPointer(tx, achNumbers, achAccounts, tenantID, fresh.Fingerprint)
	if err != nil || !held || old.ConnectionID == "" || old.ConnectionID == fresh.ConnectionID {
		return old, false, err
	}
	if old.Status == account.Disabled {
		return old, old.DisabledReason != "", nil // an account that a user disabled stays disabled
	}
	conn, err := connections.Get(tx, tenantID, old.ConnectionID)
	if errors.Is(err, store.ErrNotFound) {
		return old, true, nil
	}
	return old, conn.Status == connection.Removed, err
}

// rejoined is the old account on its new connection: with Plaid's new data and its owner's nickname.
func rejoined(old, fresh storedACH) storedACH {
	fresh.ID, fresh.CreatedAt, fresh.ConnectionType = old.ID, old.CreatedAt, old.ConnectionType
	fresh.IsPrimary = fresh.IsPrimary || old.IsPrimary
	fresh.BankAccountID = cmp.Or(fresh.BankAccountID, old.BankAccountID)
	if fresh.Nickname == "" {
		fresh.Nickname = old.Nickname
	}
	return fresh
}
