package bank

import (
	"context"
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
	all    []connection.Connection
}

// linkedBanks returns a tenant's connections except employees'. Callers must not change the result.
func (b *Bank) linkedBanks(ctx context.Context, tenantID string) ([]connection.Connection, error) {
	select {
	case <-b.db.Poisoned(): // the store may differ from the cached state
		return nil, store.ErrPoisoned
	default:
	}
	now := b.linked.writes.Load()
	if known, ok := b.linked.tenants.Load(tenantID); ok && known.(linkedBanks).writes == now {
		return known.(linkedBanks).all, nil
	}
	var all []connection.Connection
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range connections.Scan(tx, tenantID, store.Range{}) {
			if err != nil {
				return err
			}
			if rec.Value.Employee == nil {
				all = append(all, rec.Value.Connection)
			}
		}
		return nil
	})
	if err == nil {
		b.linked.tenants.Store(tenantID, linkedBanks{now, all})
	}
	return all, err
}
