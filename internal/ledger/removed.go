package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// Removed lists the transactions that Plaid took back since a time, as they were, the latest first. It reads the heads
// of all segments: it is for jobs, not for pages.
func (l *Ledger) Removed(ctx context.Context, tenant string, visible []string, since time.Time) ([]txn.Transaction, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := []txn.Transaction{}
	b := l.tenants[tenant]
	if b == nil {
		return out, nil
	}
	err := l.db.View(ctx, func(tx *store.Tx) error {
		m := converter{items: b}
		for _, id := range visible {
			it := b.items[id]
			if it == nil {
				continue
			}
			no := uint32(0)
			for rec, err := range segments.Heads(tx, tenant, it.counted()) {
				if err != nil {
					return err
				}
				if err := removedIn(tx, tenant, it, no, rec.Value, &m, since, &out); err != nil {
					return fmt.Errorf("segment %s: %w", rec.ID, err)
				}
				no++
			}
		}
		return nil
	})
	slices.SortStableFunc(out, func(x, y txn.Transaction) int { return y.UpdatedAt.Compare(x.UpdatedAt) })
	return out, err
}

// removedIn adds a segment's removed rows; it opens the body only if there are any.
func removedIn(tx *store.Tx, tenant string, it *item, no uint32, stored []byte, m *converter, since time.Time, out *[]txn.Transaction) error {
	var whole *segment
	s, err := parse(stored)
	if it.staged[no] {
		s, err = readSegment(tx, tenant, it, no)
		whole = s
	}
	if err != nil {
		return err
	}
	for i := range s.n {
		if f := s.header(i).flags; f&removed == 0 || f&moved != 0 {
			continue
		}
		if whole == nil {
			if whole, err = readSegment(tx, tenant, it, no); err != nil {
				return err
			}
		}
		t, err := m.transaction(place{whole.header(i).day, locate(it.No, no, i), it, whole})
		if err != nil {
			return err
		}
		if t.UpdatedAt.After(since) {
			*out = append(*out, t)
		}
	}
	return nil
}
