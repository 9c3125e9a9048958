package ledger

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// Stage is an update too large to hold in memory. Its rows go to disk as they come, where readers do not see them: new
// segments behind those that the item's head counts, and new forms of seen segments in a collection of their own.
// Commit makes all of it visible by one transaction that writes the head. What a crash leaves is swept by Open, or, if
// the head was written, taken over. One Stage or Apply of an item runs at a time.
type Stage struct {
	l          *Ledger
	tenant     string
	connection string
	items      *tenantItems
	update     *pendingUpdate
	gone       []string // Plaid's ids of removed rows: they are removed after all rows have come
	base       uint32   // segments that readers see
	infos      map[uint32]segmentInfo
	replaced   map[uint32]bool // seen segments whose new form is staged
	committed  bool
}

// stage is the part of a staged update that its rows share: an index of the staged rows, and the sums as they will be.
type stage struct {
	index index
	sums  item
}

func (s *stage) count(c change) error {
	if !c.gone {
		s.sums.bound.add(c.amount)
	}
	return s.sums.count(c)
}

// stageRecord tells Open of a stage.
type stageRecord struct {
	No        uint32 `json:"no"`
	Committed bool   `json:"committed"` // the head counts it; what is staged has to be taken over
}

// Stage begins an update of an item; whole means that it tells all of the item's rows.
func (l *Ledger) Stage(ctx context.Context, tenant, connectionID string, whole bool, now time.Time) (*Stage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.tenants[tenant]
	if b == nil {
		var err error
		if b, err = l.newTenant(tenant); err != nil {
			return nil, err
		}
		l.tenants[tenant] = b
	}
	if err := l.tidy(ctx, tenant, connectionID, b.items[connectionID]); err != nil {
		return nil, fmt.Errorf("begin large update: %w", err)
	}
	a := b.begin(tenant, connectionID, now, 0)
	a.db = l.db
	b.last = max(b.last, a.item.No)
	s := &Stage{
		l: l, tenant: tenant, connection: connectionID, items: b, update: a, base: a.count,
		infos: map[uint32]segmentInfo{}, replaced: map[uint32]bool{},
	}
	a.newest = maxRows // the last segment that readers see stays as it is
	a.stage = &stage{sums: item{cells: slices.Clone(a.item.cells), rows: a.item.rows, bound: a.item.bound}}
	a.read = s.read
	err := l.db.View(ctx, func(tx *store.Tx) error { return a.beginAside(tx, whole) })
	if err != nil {
		return nil, fmt.Errorf("read rows that are set aside: %w", err)
	}
	err = l.db.Update(ctx, func(tx *store.Tx) error {
		n, err := counters.Get(tx, tenant, itemNumbers)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := counters.Put(tx, tenant, itemNumbers, numbers{max(n.Last, a.item.No)}); err != nil {
			return err
		}
		return stages.Put(tx, tenant, connectionID, stageRecord{No: a.item.No})
	})
	if err != nil {
		return nil, fmt.Errorf("begin large update: %w", err)
	}
	return s, nil
}

// read reads a segment as the stage has it.
func (s *Stage) read(no uint32) (seg *segment, err error) {
	own := &item{No: s.update.item.No, staged: s.replaced}
	err = s.l.db.View(context.Background(), func(tx *store.Tx) error {
		if seg, err = readSegment(tx, s.tenant, own, no); err != nil {
			return err
		}
		if _, err = seg.text(0); err != nil { // the body too, which lies in the transaction's memory
			return err
		}
		seg.from.Reset()
		return nil
	})
	return seg, err
}

// Add takes in rows that Plaid added and modified, and notes those that it removed.
func (s *Stage) Add(ctx context.Context, u txn.Update) error {
	if err := s.update.put(u.Added, u.Modified); err != nil {
		return fmt.Errorf("stage rows: %w", err)
	}
	if err := s.update.putUnread(u.Unread); err != nil {
		return fmt.Errorf("stage rows: %w", err)
	}
	for _, r := range u.Removed {
		s.gone = append(s.gone, r.ID)
	}
	return s.flush(ctx, false)
}

// encoded is a segment ready to be written.
type encoded struct {
	no         uint32
	head, body []byte
	info       segmentInfo
}

// flush writes the changed segments and drops them from memory, all but the last one while it has room.
func (s *Stage) flush(ctx context.Context, all bool) error {
	a := s.update
	var ready []encoded
	for _, no := range slices.Sorted(maps.Keys(a.segments)) {
		seg := a.segments[no]
		if !all && no >= s.base && no == a.count-1 && len(seg.rows) < maxRows {
			continue
		}
		if seg.dirty {
			head, body, err := encode(seg.rows)
			if err != nil {
				return fmt.Errorf("stage rows: %w", err)
			}
			ready = append(ready, encoded{no, head, body, infoOf(seg.rows)})
		}
		delete(a.segments, no)
	}
	if len(ready) == 0 {
		return nil
	}
	err := s.l.db.Update(ctx, func(tx *store.Tx) error {
		for _, e := range ready {
			to := segments
			if e.no < s.base {
				to = staged
			}
			if err := to.Put(tx, s.tenant, segmentID(a.item.No, e.no), e.head, e.body); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("stage rows: %w", err)
	}
	for _, e := range ready {
		s.infos[e.no] = e.info
		if e.no < s.base {
			s.replaced[e.no] = true
		}
	}
	return nil
}

// removals is how many rows are removed before what they changed is written.
const removals = 1000

// Commit makes the update visible, with the cursor that it leads to, in the transaction that commit runs. If it fails,
// readers see nothing of the update; call Abort.
func (s *Stage) Commit(ctx context.Context, cursor, status string, now time.Time, commit func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error) error {
	a := s.update
	for part := range slices.Chunk(s.gone, removals) {
		for _, id := range part {
			if err := a.remove(id); err != nil {
				return fmt.Errorf("stage removals: %w", err)
			}
		}
		if err := s.flush(ctx, false); err != nil {
			return err
		}
	}
	if err := a.revive(); err != nil {
		return fmt.Errorf("stage rows that come again: %w", err)
	}
	if err := s.flush(ctx, true); err != nil {
		return err
	}
	a.reach(cursor, status)
	a.countAside()
	a.reachTime(now)
	a.head.Segments = a.count
	if err := s.flip(ctx, commit); err != nil {
		return err
	}
	s.committed = true
	// The update is there. What cannot be moved now stays readable where it is, and is moved before the next update.
	_ = s.l.takeOver(context.WithoutCancel(ctx), s.tenant, a.item, func(move func() error) error {
		s.l.mu.Lock()
		defer s.l.mu.Unlock()
		return move()
	})
	return nil
}

// flip writes the head and shows the update to readers.
func (s *Stage) flip(ctx context.Context, commit func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error) error {
	a := s.update
	s.l.mu.Lock()
	defer s.l.mu.Unlock()
	err := commit(ctx, func(tx *store.Tx) (txn.Counts, error) {
		if err := heads.Put(tx, s.tenant, s.connection, a.head); err != nil {
			return txn.Counts{}, err
		}
		if err := a.endAside(tx); err != nil {
			return txn.Counts{}, err
		}
		if len(s.replaced) == 0 {
			return a.counts, stages.Delete(tx, s.tenant, s.connection)
		}
		return a.counts, stages.Put(tx, s.tenant, s.connection, stageRecord{No: a.item.No, Committed: true})
	})
	if err == nil {
		s.publish()
	}
	return err
}

// publish shows the committed update to readers.
func (s *Stage) publish() {
	a := s.update
	it := a.item
	it.Head = a.head
	for id, no := range a.account {
		it.accountNo[id] = no
	}
	it.segments = slices.Grow(it.segments, int(a.count)-len(it.segments))[:a.count]
	for no, info := range s.infos {
		it.segments[no] = info
	}
	it.cells, it.rows, it.bound = a.stage.sums.cells, a.stage.sums.rows, a.stage.sums.bound
	if it.plaid.used == 0 {
		*it.plaid = a.stage.index
	} else {
		it.plaid.takeIn(&a.stage.index)
	}
	for _, e := range a.buried {
		it.dead.put(e.tag, e.at)
	}
	if len(s.replaced) > 0 {
		it.staged = s.replaced
	}
	it.refresh(math.MinInt32)
	s.items.items[s.connection] = it
}

// Abort gives the update up, unless it was committed. What it cannot delete any more, the next Stage or Open does.
func (s *Stage) Abort(ctx context.Context) error {
	if s.committed {
		return nil
	}
	return s.l.sweep(ctx, s.tenant, s.connection, s.update.item.No)
}
