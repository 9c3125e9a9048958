package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bankctl/bankctl/internal/store"
)

// moves is how many segments one transaction moves or deletes.
const moves = 200

// recover ends what large updates left when the process ended: a committed one is taken over, any other one swept.
func (l *Ledger) recover(ctx context.Context, tenant string) error {
	left := map[string]stageRecord{}
	err := l.db.View(ctx, func(tx *store.Tx) error {
		clear(left)
		for rec, err := range stages.Scan(tx, tenant, store.Range{}) {
			if err != nil {
				return err
			}
			left[rec.ID] = rec.Value
		}
		return nil
	})
	for connection, r := range left {
		if err == nil && r.Committed {
			err = l.takeOver(ctx, tenant, &item{No: r.No, Head: head{ConnectionID: connection}}, atOnce)
		} else if err == nil {
			err = l.sweep(ctx, tenant, connection, r.No)
		}
	}
	return err
}

// tidy ends what an earlier large update of the item left.
func (l *Ledger) tidy(ctx context.Context, tenant, connection string, it *item) error {
	if it != nil && it.staged != nil {
		return l.takeOver(ctx, tenant, it, atOnce)
	}
	var r stageRecord
	err := l.db.View(ctx, func(tx *store.Tx) (err error) {
		r, err = stages.Get(tx, tenant, connection)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return l.sweep(ctx, tenant, connection, r.No)
}

// atOnce is for callers who hold the ledger's lock, or have it for themselves.
func atOnce(do func() error) error { return do() }

// takeOver moves the staged forms of an item's segments to their places, bit by bit under the ledger's lock.
func (l *Ledger) takeOver(ctx context.Context, tenant string, it *item, locked func(func() error) error) error {
	ids, err := l.blobIDs(ctx, staged, tenant, store.Range{Prefix: segmentID(it.No, 0)[:9]})
	if err != nil {
		return err
	}
	for part := range slices.Chunk(ids, moves) {
		err := locked(func() error {
			err := l.db.Update(ctx, func(tx *store.Tx) error {
				for _, id := range part {
					if err := moveStaged(tx, tenant, id); err != nil {
						return err
					}
				}
				return nil
			})
			for _, id := range part {
				if err == nil {
					delete(it.staged, segmentNo(id))
				}
			}
			return err
		})
		if err != nil {
			return fmt.Errorf("take over a large update: %w", err)
		}
	}
	return locked(func() error {
		it.staged = nil
		return l.db.Update(ctx, func(tx *store.Tx) error { return stages.Delete(tx, tenant, it.Head.ConnectionID) })
	})
}

func moveStaged(tx *store.Tx, tenant, id string) error {
	var b store.Blob
	if err := staged.Get(tx, tenant, id, &b); errors.Is(err, store.ErrNotFound) {
		return nil
	} else if err != nil {
		return err
	}
	head, err := b.Head(nil)
	if err != nil {
		return err
	}
	body, err := b.Body(nil)
	if err != nil {
		return err
	}
	if err := segments.Put(tx, tenant, id, head, body); err != nil {
		return err
	}
	return staged.Delete(tx, tenant, id)
}

// sweep deletes what a large update staged and never committed: everything that the item's head does not count.
func (l *Ledger) sweep(ctx context.Context, tenant, connection string, no uint32) error {
	var counted uint32
	err := l.db.View(ctx, func(tx *store.Tx) error {
		h, err := heads.Get(tx, tenant, connection)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		if h.No == no {
			counted = h.Segments
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("sweep a large update: %w", err)
	}
	for _, from := range []struct {
		store.Blobs
		store.Range
	}{
		{segments, store.Range{Prefix: segmentID(no, 0)[:9], From: segmentID(no, counted)}},
		{staged, store.Range{Prefix: segmentID(no, 0)[:9]}},
	} {
		ids, err := l.blobIDs(ctx, from.Blobs, tenant, from.Range)
		if err != nil {
			return err
		}
		for part := range slices.Chunk(ids, moves) {
			err := l.db.Update(ctx, func(tx *store.Tx) error {
				for _, id := range part {
					if err := from.Delete(tx, tenant, id); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return fmt.Errorf("sweep a large update: %w", err)
			}
		}
	}
	return l.db.Update(ctx, func(tx *store.Tx) error { return stages.Delete(tx, tenant, connection) })
}

func (l *Ledger) blobIDs(ctx context.Context, of store.Blobs, tenant string, r store.Range) (ids []string, err error) {
	err = l.db.View(ctx, func(tx *store.Tx) error {
		ids = nil
		for rec, err := range of.Heads(tx, tenant, r) {
			if err != nil {
				return err
			}
			ids = append(ids, rec.ID)
		}
		return nil
	})
	return ids, err
}
