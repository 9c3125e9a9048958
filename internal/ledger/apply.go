package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// Apply stores a whole update of an item together with the cursor it leads to. commit runs the transaction: it calls
// the function that it gets in there, and may write more beside it (an audit event). Readers see all of the update or
// nothing.
func (l *Ledger) Apply(ctx context.Context, tenant, connectionID string, u txn.Update, status string, now time.Time,
	commit func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error,
) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.tenants[tenant]
	if b == nil {
		var err error
		if b, err = l.newTenant(tenant); err != nil {
			return err
		}
	}
	if it := b.items[connectionID]; it != nil && it.staged != nil {
		if err := l.takeOver(ctx, tenant, it, atOnce); err != nil {
			return err
		}
	}
	var done *pendingUpdate
	err := commit(ctx, func(tx *store.Tx) (txn.Counts, error) {
		a := b.begin(tenant, connectionID, now, len(u.Added)) // anew each time: commit may run its transaction more than once
		a.db = l.db
		if err := a.beginAside(tx, u.From == ""); err != nil {
			return txn.Counts{}, fmt.Errorf("read rows that are set aside: %w", err)
		}
		a.read = func(no uint32) (*segment, error) { return readSegment(tx, tenant, a.item, no) }
		if err := a.apply(tx, u, status); err != nil {
			return txn.Counts{}, fmt.Errorf("apply update: %w", err)
		}
		done = a
		return a.counts, nil
	})
	if err != nil {
		return err
	}
	if done != nil {
		l.tenants[tenant] = b
		done.publish(b)
	}
	return nil
}

// pendingUpdate is one update of an item that is not committed yet: the changed copies of all it touches.
type pendingUpdate struct {
	db     *store.DB
	tenant string
	item   *item // as readers see it; unchanged until publish
	fresh  bool  // the item is new
	head   head
	now    int64
	read   func(no uint32) (*segment, error)
	stage  *stage // nil: the update is held in memory until its commit

	segments map[uint32]*openSegment
	count    uint32             // segments of the item
	newest   int                // rows in the last segment
	account  map[string]uint16  // numbers of accounts that are new to the item
	added    map[string]locator // rows by those of Plaid's ids that this update brings
	index    []entry
	comers   index   // new rows by their contents, if the item had rows before
	buried   []entry // rows that the update takes back, by their contents
	changes  []change
	bound    sumBound
	trial    *item // the sums with the changes so far, where the bound no longer shows that they fit
	aside    aside
	counts   txn.Counts
}

// openSegment is a segment that the update reads or writes.
type openSegment struct {
	rows  []row
	dirty bool
}

type entry struct {
	tag uint32
	at  locator
}

// begin begins an update that brings about n rows.
func (b *tenantItems) begin(tenant, connectionID string, now time.Time, n int) *pendingUpdate {
	a := &pendingUpdate{
		tenant: tenant, segments: make(map[uint32]*openSegment, n/maxRows+4), account: map[string]uint16{},
		added: make(map[string]locator, n), index: make([]entry, 0, n), changes: make([]change, 0, n),
	}
	if a.item = b.items[connectionID]; a.item == nil {
		a.fresh = true
		a.item = newItem(head{No: b.last + 1, ConnectionID: connectionID, Accounts: []string{}, Currencies: []string{}})
		a.item.alias = b.aliasesOf(connectionID)
	}
	a.head = a.item.Head
	a.head.Accounts, a.head.Currencies = clip(a.head.Accounts), clip(a.head.Currencies)
	if a.count = uint32(len(a.item.segments)); a.count > 0 {
		a.newest = int(a.item.segments[a.count-1].rows)
	}
	a.bound = a.item.bound
	a.reachTime(now)
	return a
}

// reachTime sets the time of the update. It is later than that of the update before, also where the clock went back:
// readers go on from the time that they know.
func (a *pendingUpdate) reachTime(now time.Time) {
	synced := now.UTC().Truncate(time.Microsecond)
	if before := a.item.Head.SyncedAt; before != nil && !synced.After(*before) {
		synced = before.Add(time.Microsecond)
	}
	if at := time.UnixMicro(a.now).UTC(); synced.Before(at) {
		synced = at // a large update began then
	}
	a.head.SyncedAt, a.now = &synced, synced.UnixMicro()
}

// clip cuts the capacity, so that the next append copies and readers keep the old slice.
func clip(s []string) []string { return s[:len(s):len(s)] }

func (a *pendingUpdate) apply(tx *store.Tx, u txn.Update, status string) error {
	if err := a.put(u.Added, u.Modified); err != nil {
		return err
	}
	if err := a.putUnread(u.Unread); err != nil {
		return err
	}
	for _, r := range u.Removed {
		if err := a.remove(r.ID); err != nil {
			return err
		}
	}
	if err := a.revive(); err != nil {
		return err
	}
	a.reach(u.To, status)
	a.countAside()
	if err := a.endAside(tx); err != nil {
		return err
	}
	return a.store(tx)
}

// put takes in the rows that Plaid added and modified.
func (a *pendingUpdate) put(added, modified []txn.Raw) error {
	fresh := newRows{at: make(map[string]int, len(added)), rows: make([]*txn.Raw, 0, len(added))}
	for i, list := range [][]txn.Raw{added, modified} {
		for k := range list {
			r := &list[k]
			known, err := a.upsert(r)
			if err == nil && !known && !fresh.has(r) {
				known, err = a.claim(r)
			}
			if err == nil && known {
				err = a.cameWell(r.PlaidTransactionID)
			}
			if err != nil {
				if err = a.setRowAside(r, err); err != nil {
					return err
				}
				continue
			}
			switch {
			case !known:
				fresh.put(r)
			case i == 1:
				a.counts.Modified++
			}
		}
	}
	return a.append(fresh.rows)
}

func (a *pendingUpdate) putUnread(unread []txn.Unread) error {
	for _, u := range unread {
		if err := a.setAside(u); err != nil {
			return err
		}
	}
	return nil
}

// reach sets how far the item is after the update.
func (a *pendingUpdate) reach(cursor, status string) {
	if cursor != "" { // an empty cursor would restart the item from its beginning
		a.head.Cursor = cursor
	}
	if status != "" {
		a.head.Status = status
	}
}

// newRows collects the rows of an update that the item does not have yet. A row told twice is kept once, as told last.
type newRows struct {
	rows []*txn.Raw
	at   map[string]int
}

// has reports whether the row, or its pending one, is among them.
func (n *newRows) has(r *txn.Raw) bool {
	_, known := n.at[r.PlaidTransactionID]
	if !known && r.PendingTransactionID != "" {
		_, known = n.at[r.PendingTransactionID]
	}
	return known
}

func (n *newRows) put(r *txn.Raw) {
	i, again := n.at[r.PlaidTransactionID]
	if !again && r.PendingTransactionID != "" {
		if i, again = n.at[r.PendingTransactionID]; again { // posted within the update that brought it as pending
			delete(n.at, r.PendingTransactionID)
		}
	}
	if !again {
		n.at[r.PlaidTransactionID] = len(n.rows)
		n.rows = append(n.rows, r)
		return
	}
	if old := n.rows[i].PendingTransactionID; r.PendingTransactionID == "" && old != "" {
		copied := *r
		copied.PendingTransactionID = old
		r = &copied
	}
	n.rows[i], n.at[r.PlaidTransactionID] = r, i
}

// upsert updates a known row, or replaces a pending row by its posted one; it returns false if there is neither.
func (a *pendingUpdate) upsert(r *txn.Raw) (bool, error) {
	at, old, err := a.find(r.PlaidTransactionID)
	if err == nil && old == nil && r.PendingTransactionID != "" {
		at, old, err = a.find(r.PendingTransactionID)
	}
	if err != nil || old == nil {
		return false, err
	}
	next, err := a.row(r)
	if err != nil {
		return false, err
	}
	next.FirstSeen = old.FirstSeen
	next.keepPendingID(old)
	renamed := old.PlaidTransactionID != next.PlaidTransactionID
	if !renamed && next.saysTheSame(old) && a.accountID(next.account) == a.accountID(old.account) && next.PendingTransactionID == old.PendingTransactionID {
		if next.account == old.account {
			return true, nil // a replay
		}
		next.UpdatedUnix = old.UpdatedUnix
	} else if !a.fits(next.rowHeader) {
		return false, errNoRoom
	}
	if err := a.replace(at, old, next); err != nil {
		return false, err
	}
	if renamed {
		a.remember(next.PlaidTransactionID, next.tag, at)
		a.point(tagOf(next.PendingTransactionID), at)
		a.counts.Added++
	}
	return true, nil
}

func (a *pendingUpdate) replace(at locator, old *row, next row) error {
	var bad error
	if old.flags&removed == 0 {
		bad = a.note(change{old.rowHeader, true})
	}
	if next.flags&removed == 0 {
		bad = errors.Join(bad, a.note(change{next.rowHeader, false}))
	}
	*old = next
	a.segments[at.segment()].dirty = true
	return bad
}

// fits reports whether a row can be added to the sums.
func (a *pendingUpdate) fits(h rowHeader) bool {
	if a.stage != nil {
		return a.stage.sums.fitsCell(h)
	}
	bound := a.bound
	if bound.add(h.amount); bound.fits() {
		return true
	}
	if a.trial == nil {
		a.trial = &item{cells: slices.Clone(a.item.cells)}
		for _, c := range a.changes {
			_ = a.trial.count(c) // each one fitted
		}
	}
	return a.trial.fitsCell(h)
}

// note takes a change of the sums in; one that is staged is counted at once.
func (a *pendingUpdate) note(c change) error {
	if a.stage != nil {
		return a.stage.count(c)
	}
	if !c.gone {
		a.bound.add(c.amount)
	}
	if a.trial != nil {
		if err := a.trial.count(c); err != nil {
			return err
		}
	}
	a.changes = append(a.changes, c)
	return nil
}

// point remembers a place for a tag.
func (a *pendingUpdate) point(tag uint32, at locator) {
	if a.stage != nil {
		a.stage.index.put(tag, at)
		return
	}
	a.index = append(a.index, entry{tag, at})
}

// remove turns a row into a tombstone, unless the update brought it anew under another id. It skips an id that is unknown
// or that a posted row keeps as its pending id.
func (a *pendingUpdate) remove(id string) error {
	if err := a.cameWell(id); err != nil {
		return err
	}
	at, old, err := a.find(id)
	if err != nil || old == nil || old.flags&removed != 0 {
		return err
	}
	if place, heir, err := a.heirOf(old); err != nil {
		return err
	} else if heir != nil {
		return a.moveInto(at, old, place, heir)
	}
	a.buried = append(a.buried, entry{contentTag(old.rowHeader), at})
	next := *old
	next.flags |= removed
	next.UpdatedUnix = a.now
	a.counts.Removed++
	return a.replace(at, old, next)
}

// find looks up the item's row that now has one of Plaid's ids.
func (a *pendingUpdate) find(id string) (locator, *row, error) {
	if a.stage != nil {
		if at, r, err := a.findAt(a.stage.index.find(a.item.No, tagOf(id)), id); err != nil || r != nil {
			return at, r, err
		}
	} else if at, ok := a.added[id]; ok {
		if r := &a.segments[at.segment()].rows[at.ordinal()]; r.PlaidTransactionID == id { // it may have become another since
			return at, r, nil
		}
	}
	return a.findAt(a.item.plaid.find(a.item.No, tagOf(id)), id)
}

// findAt looks for a row of that id at the places of its tag.
func (a *pendingUpdate) findAt(places iter.Seq[locator], id string) (locator, *row, error) {
	for at := range places {
		s, err := a.load(at.segment())
		if err != nil {
			return 0, nil, err
		}
		if at.ordinal() >= len(s.rows) {
			return 0, nil, errDamaged
		}
		if r := &s.rows[at.ordinal()]; r.PlaidTransactionID == id {
			return at, r, nil
		}
	}
	return 0, nil, nil
}

func (a *pendingUpdate) remember(id string, tag uint32, at locator) {
	if a.stage == nil {
		a.added[id] = at
	}
	a.point(tag, at)
}

func (a *pendingUpdate) load(no uint32) (*openSegment, error) {
	if s := a.segments[no]; s != nil {
		return s, nil
	}
	seg, err := a.read(no)
	if err != nil {
		return nil, err
	}
	rows, err := seg.rows()
	if err != nil {
		return nil, err
	}
	a.segments[no] = &openSegment{rows: rows}
	return a.segments[no], nil
}

// publish shows a committed update to readers.
func (a *pendingUpdate) publish(b *tenantItems) {
	it := a.item
	it.Head = a.head
	for id, no := range a.account {
		it.accountNo[id] = no
	}
	for int(a.count) > len(it.segments) {
		it.segments = append(it.segments, segmentInfo{})
	}
	for no, s := range a.segments {
		if s.dirty {
			it.segments[no] = infoOf(s.rows)
		}
	}
	from := int32(1<<31 - 1)
	for _, c := range a.changes {
		from = min(from, c.day)
		if !c.gone {
			it.bound.add(c.amount)
		}
		_ = it.count(c) // checked before
	}
	for _, e := range a.index {
		it.plaid.put(e.tag, e.at)
	}
	for _, e := range a.buried {
		it.dead.put(e.tag, e.at)
	}
	it.refresh(from)
	b.items[it.Head.ConnectionID] = it
	b.last = max(b.last, it.No)
}
