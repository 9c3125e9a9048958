package bank

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/store"
)

// linkedCache keeps each tenant's connections in memory between two writes, since every call about transactions reads
// them all.
type linkedCache struct {
	writes  atomic.Uint64 // counts the begins and ends of writes
	tenants sync.Map      // tenant id → linkedBanks
}

// linkedBanks holds a tenant's connections without their tokens, as of a count of writes.
type linkedBanks struct {
	writes uint64
	all    []linkedBank
}

// linkedBank is a connection with the accounts that it had: their transactions stay.
type linkedBank struct {
	connection.Connection
	had []connection.LinkedAccount // the bank shows them no more, or they were deleted here
}

// eachAccount yields the accounts that the bank shows, then those that it had.
func (l *linkedBank) eachAccount(yield func(*connection.LinkedAccount) bool) {
	for _, list := range [2][]connection.LinkedAccount{l.Accounts, l.had} {
		for i := range list {
			if !yield(&list[i]) {
				return
			}
		}
	}
}

// linkedBanks returns a tenant's connections except employees'. Callers must not change the result.
func (b *Bank) linkedBanks(ctx context.Context, tenantID string) ([]linkedBank, error) {
	select {
	case <-b.db.Poisoned(): // the store may differ from the cached state
		return nil, store.ErrPoisoned
	default:
	}
	now := b.linked.writes.Load()
	if known, ok := b.linked.tenants.Load(tenantID); ok && known.(linkedBanks).writes == now {
		return known.(linkedBanks).all, nil
	}
	var all []linkedBank
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range connections.Scan(tx, tenantID, store.Range{}) {
			if err != nil {
				return err
			}
			if rec.Value.Employee == nil {
				all = append(all, linkedBank{rec.Value.Connection, slices.Concat(rec.Value.Past, rec.Value.Deleted)})
			}
		}
		return nil
	})
	if err == nil {
		b.linked.tenants.Store(tenantID, linkedBanks{now, all})
	}
	return all, err
}
