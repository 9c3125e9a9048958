package bank

import (
	"errors"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/store"
)

// rejoinable finds the account of the same owner with the same numbers that lost its connection: a new link takes it up
// again, with its id and all that refers to it.
func rejoinable(tx *store.Tx, tenantID string, fresh storedACH) (old storedACH, found bool, err error) {
	old, held, err := byPointer(tx, achNumbers, achAccounts, tenantID, fresh.Fingerprint)
	if err != nil || !held || old.ConnectionID == "" || old.ConnectionID == fresh.ConnectionID {
		return old, false, err
	}
	if old.Status == account.Disabled {
		return old, old.DisabledReason != "", nil // one that a user disabled stays so
	}
	conn, err := connections.Get(tx, tenantID, old.ConnectionID)
	if errors.Is(err, store.ErrNotFound) {
		return old, true, nil
	}
	return old, conn.Status == connection.Removed, err
}

// rejoined is the old account on its new connection: what Plaid says of it now counts, what its owner called it stays.
func rejoined(old, fresh storedACH) storedACH {
	fresh.ID, fresh.CreatedAt, fresh.ConnectionType = old.ID, old.CreatedAt, old.ConnectionType
	if fresh.Nickname == "" {
		fresh.Nickname = old.Nickname
	}
	return fresh
}
