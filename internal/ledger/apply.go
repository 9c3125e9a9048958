package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// Apply stores a whole update of an item together with the cursor it leads to, in the transaction that commit runs:
// commit gets the function to call in it, and what else belongs there (an audit line) is its own. Readers see either
// all of the update or nothing.
func (l *Ledger) Apply(ctx context.Context, tenant, connectionID string, u txn.Update, status string, now time.Time,
	commit func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error,
) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.books[tenant]
	if b == nil {
		var err error
		if b, err = l.newBook(tenant); err != nil {
			return err
		}
	}
	var done *applying
	err := commit(ctx, func(tx *store.Tx) (txn.Counts, error) {
		a := b.begin(tenant, connectionID, now) // anew each time: a transaction may run more than once
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
		l.books[tenant] = b
		done.keep(b)
	}
	return nil
}

// applying is one update on its way: a copy of the item's state, and the segments it touches.
type applying struct {
	tenant string
	book   *book
	item   *item
	now    int64
	loaded map[uint32][]row
	dirty  map[uint32]bool
	added  map[string]locator // Plaid's ids that this update brings
	index  []entry            // for the index, once it is committed
	fresh  bool               // the item is new
	counts txn.Counts
}

type entry struct {
	tag uint32
	at  locator
}

func (b *book) begin(tenant, connectionID string, now time.Time) *applying {
	a := &applying{tenant: tenant, book: b, now: now.UnixMicro(), loaded: map[uint32][]row{}, dirty: map[uint32]bool{}, added: map[string]locator{}}
	if known := b.items[connectionID]; known != nil {
		a.item = known.clone()
	} else {
		a.fresh = true
		a.item = newItem(head{No: b.last + 1, ConnectionID: connectionID, Accounts: []string{}, Currencies: []string{}})
	}
	synced := now.UTC().Truncate(time.Microsecond)
	a.item.Head.SyncedAt = &synced
	return a
}

func (a *applying) apply(tx *store.Tx, u txn.Update, status string) error {
	fresh := newcomers{at: map[string]int{}}
	for i, list := range [][]txn.Raw{u.Added, u.Modified} {
		for _, r := range list {
			known, err := a.upsert(tx, r)
			if err != nil {
				return err
			}
			switch {
			case !known:
				fresh.put(r)
			case i == 1:
				a.counts.Modified++
			}
		}
	}
	if err := a.append(tx, fresh.rows); err != nil {
		return err
	}
	for _, r := range u.Removed {
		if err := a.remove(tx, r); err != nil {
			return err
		}
	}
	if u.To != "" { // an empty cursor would restart the item from its beginning
		a.item.Head.Cursor = u.To
	}
	if status != "" {
		a.item.Head.Status = status
	}
	return a.store(tx)
}

// newcomers are the rows of an update that nothing was known of: each once, as it is told last.
type newcomers struct {
	rows []txn.Raw
	at   map[string]int
}

func (n *newcomers) put(r txn.Raw) {
	i, again := n.at[r.ID]
	if !again && r.PendingID != "" {
		if i, again = n.at[r.PendingID]; again { // posted within the update that brought it
			delete(n.at, r.PendingID)
		}
	}
	if !again {
		i = len(n.rows)
		n.rows = append(n.rows, txn.Raw{})
	}
	if r.PendingID == "" {
		r.PendingID = n.rows[i].PendingID
	}
	n.rows[i], n.at[r.ID] = r, i
}

// upsert brings a known row up to date, or lets a posted one take its pending one's place; false where there is none.
func (a *applying) upsert(tx *store.Tx, r txn.Raw) (bool, error) {
	at, found, err := a.find(tx, r.ID)
	if err == nil && !found && r.PendingID != "" {
		at, found, err = a.find(tx, r.PendingID)
	}
	if err != nil || !found {
		return false, err
	}
	rows, err := a.load(tx, at.seg())
	if err != nil {
		return false, err
	}
	old := rows[at.ordinal()]
	next, err := a.row(r)
	if err != nil {
		return false, err
	}
	next.FirstSeen = old.FirstSeen
	if next.PendingID == "" {
		next.PendingID = old.PendingID
		next.flags |= old.flags & wasPending
	}
	if next.rowHeader == old.rowHeader && old.sameAs(r) && next.PendingID == old.PendingID {
		return true, nil // a replay
	}
	if err := a.replace(at, old, next); err != nil {
		return false, err
	}
	if old.ID != next.ID {
		a.know(next.ID, at)
		a.index = append(a.index, entry{tagOf(next.PendingID), at})
		a.counts.Added++
	}
	return true, nil
}

func (a *applying) replace(at locator, old, next row) error {
	if old.flags&removed == 0 {
		a.item.rows--
		if err := a.item.count(old.rowHeader, -1); err != nil {
			return err
		}
	}
	if next.flags&removed == 0 {
		a.item.rows++
		if err := a.item.count(next.rowHeader, 1); err != nil {
			return err
		}
	}
	a.loaded[at.seg()][at.ordinal()] = next
	a.dirty[at.seg()] = true
	return nil
}

// remove leaves a tombstone; an id that is not known, or lives on as a posted row's past, is passed over.
func (a *applying) remove(tx *store.Tx, r txn.Removed) error {
	at, found, err := a.find(tx, r.ID)
	if err != nil || !found {
		return err
	}
	old := a.loaded[at.seg()][at.ordinal()]
	if old.flags&removed != 0 {
		return nil
	}
	next := old
	next.flags |= removed
	next.UpdatedUnix = a.now
	a.counts.Removed++
	return a.replace(at, old, next)
}

// find looks for the row that now has an id of Plaid's, within the item; its segment is loaded then.
func (a *applying) find(tx *store.Tx, id string) (locator, bool, error) {
	if at, ok := a.added[id]; ok && a.loaded[at.seg()][at.ordinal()].ID == id { // it may have become another since
		return at, true, nil
	}
	for at := range a.item.plaid.find(a.item.No, tagOf(id)) {
		rows, err := a.load(tx, at.seg())
		if err != nil {
			return 0, false, err
		}
		if rows[at.ordinal()].ID == id {
			return at, true, nil
		}
	}
	return 0, false, nil
}

func (a *applying) know(id string, at locator) {
	a.added[id] = at
	a.index = append(a.index, entry{tagOf(id), at})
}

func (a *applying) load(tx *store.Tx, no uint32) ([]row, error) {
	if rows, ok := a.loaded[no]; ok {
		return rows, nil
	}
	s, err := readSegment(tx, a.tenant, a.item.No, no)
	if err != nil {
		return nil, err
	}
	rows, err := s.rows()
	if err != nil {
		return nil, err
	}
	a.loaded[no] = rows
	return rows, nil
}

// append puts new rows behind the others, oldest first, so that segments hold neighbouring days.
func (a *applying) append(tx *store.Tx, fresh []txn.Raw) error {
	slices.SortStableFunc(fresh, func(x, y txn.Raw) int { return cmp.Or(cmp.Compare(x.Date, y.Date), strings.Compare(x.ID, y.ID)) })
	for _, r := range fresh {
		next, err := a.row(r)
		if err != nil {
			return err
		}
		no := uint32(len(a.item.segments))
		if no > 0 && a.item.segments[no-1].rows < maxRows {
			no--
			if _, err := a.load(tx, no); err != nil {
				return err
			}
		} else {
			if no >= maxSegments {
				return errors.New("too many transactions in one connection")
			}
			a.item.segments = append(a.item.segments, segmentInfo{minDay: next.day, maxDay: next.day})
		}
		at := locate(a.item.No, no, len(a.loaded[no]))
		a.loaded[no] = append(a.loaded[no], next)
		a.item.segments[no].rows++
		a.dirty[no] = true
		a.item.rows++
		if err := a.item.count(next.rowHeader, 1); err != nil {
			return err
		}
		a.know(next.ID, at)
		if next.flags&wasPending != 0 {
			a.index = append(a.index, entry{tagOf(next.PendingID), at})
		}
		a.counts.Added++
	}
	return nil
}

// row makes a row of what Plaid told.
func (a *applying) row(r txn.Raw) (row, error) {
	day, err := txn.Day(r.Date)
	if err != nil {
		return row{}, fmt.Errorf("date of a transaction: %w", err)
	}
	account, ok := a.item.accountNo[r.AccountID]
	if !ok {
		if len(a.item.Head.Accounts) > math.MaxUint16 {
			return row{}, errors.New("too many accounts in one connection")
		}
		account = uint16(len(a.item.Head.Accounts))
		a.item.Head.Accounts = append(a.item.Head.Accounts, r.AccountID)
		a.item.accountNo[r.AccountID] = account
	}
	currency := slices.Index(a.item.Head.Currencies, r.Amount.Currency)
	if currency < 0 {
		if currency = len(a.item.Head.Currencies); currency > 255 {
			return row{}, errors.New("more than 256 currencies in one connection")
		}
		a.item.Head.Currencies = append(a.item.Head.Currencies, r.Amount.Currency)
	}
	out := row{
		rowHeader: rowHeader{day: day, account: account, currency: uint8(currency), amount: r.Amount.Minor, tag: tagOf(r.ID)},
		text: text{
			ID: r.ID, PendingID: r.PendingID, AuthorizedDate: r.AuthorizedDate, Datetime: r.Datetime, Name: r.Name, Merchant: r.MerchantName,
			Category: r.Category, Detail: r.CategoryDetail, Channel: r.PaymentChannel, Check: r.CheckNumber, FirstSeen: a.now, UpdatedUnix: a.now,
		},
	}
	if r.Pending {
		out.flags |= pending
	}
	if r.Rounded {
		out.flags |= rounded
	}
	if r.PendingID != "" {
		out.flags |= wasPending
	}
	return out, nil
}

// store writes the segments that changed, and the item's record.
func (a *applying) store(tx *store.Tx) error {
	for _, no := range slices.Sorted(maps.Keys(a.dirty)) {
		head, body, err := encode(a.loaded[no])
		if err != nil {
			return err
		}
		in := segmentInfo{minDay: a.loaded[no][0].day, maxDay: a.loaded[no][0].day, rows: uint8(len(a.loaded[no]))}
		for _, r := range a.loaded[no] {
			in.minDay, in.maxDay = min(in.minDay, r.day), max(in.maxDay, r.day)
		}
		a.item.segments[no] = in
		if err := segments.Put(tx, a.tenant, segmentID(a.item.No, no), head, body); err != nil {
			return err
		}
	}
	a.item.Head.Segments = uint32(len(a.item.segments))
	if a.fresh {
		if err := counters.Put(tx, a.tenant, itemNumbers, numbers{a.item.No}); err != nil {
			return err
		}
	}
	return heads.Put(tx, a.tenant, a.item.Head.ConnectionID, a.item.Head)
}

// keep makes a committed update what everybody sees.
func (a *applying) keep(b *book) {
	a.item.finish()
	b.items[a.item.Head.ConnectionID], b.byNo[a.item.No] = a.item, a.item
	b.last = max(b.last, a.item.No)
	for _, e := range a.index {
		a.item.plaid.put(e.tag, e.at)
	}
}

// Drop forgets an item's transactions: its segments are deleted in the transaction that commit runs.
func (l *Ledger) Drop(ctx context.Context, tenant, connectionID string, commit func(ctx context.Context, drop func(*store.Tx) error) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.books[tenant]
	if b == nil || b.items[connectionID] == nil {
		return commit(ctx, func(*store.Tx) error { return nil })
	}
	it := b.items[connectionID]
	err := commit(ctx, func(tx *store.Tx) error {
		for no := range it.segments {
			if err := segments.Delete(tx, tenant, segmentID(it.No, uint32(no))); err != nil {
				return err
			}
		}
		return heads.Delete(tx, tenant, connectionID)
	})
	if err == nil {
		delete(b.items, connectionID)
		delete(b.byNo, it.No)
	}
	return err
}
