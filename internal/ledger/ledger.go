// Package ledger keeps transactions: sealed segments of at most 64 rows on disk, and in memory what makes a sum and a
// page number cheap, derived from the segments at start. Who may see what, and what Plaid says, is package bank's.
package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// ErrNotFound says that there is no such transaction.
var ErrNotFound = errors.New("no such transaction")

// Ledger holds the transactions of every tenant of one store.
type Ledger struct {
	db *store.DB

	mu    sync.RWMutex // held for writing while an update is committed, so that memory and disk are seen as one
	books map[string]*book
}

// book is one tenant's.
type book struct {
	ids   scrambler
	items map[string]*item // by connection id
	byNo  map[uint32]*item
	plaid index
}

// item is what is kept in memory of one connection's rows.
type item struct {
	No        uint32
	Head      head
	accounts  []string // Plaid's account ids, in the order they came
	segments  []segmentInfo
	order     []uint32 // segment numbers, those with the newest rows first
	least     []int32  // the least first day of the segments up to each place of the order
	cells     []cell   // sorted by day, account, pending, currency
	rows      int
	accountNo map[string]uint16
}

// head is an item's own record.
type head struct {
	No           uint32     `json:"no"`
	ConnectionID string     `json:"connection_id"`
	Cursor       string     `json:"cursor,omitempty"`
	Status       string     `json:"status,omitempty"` // Plaid's transactions_update_status
	SyncedAt     *time.Time `json:"synced_at,omitempty"`
	Accounts     []string   `json:"accounts"`
	Currencies   []string   `json:"currencies"`
	Segments     uint32     `json:"segments"`
}

type segmentInfo struct {
	minDay, maxDay int32
	rows           uint8
}

// cell adds up one day of one account.
type cell struct {
	day      int32
	account  uint16
	currency uint8
	pending  bool
	txn.Cell
}

func (c cell) compare(o cell) int {
	pending := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(c.day, o.day), cmp.Compare(c.account, o.account), cmp.Compare(c.currency, o.currency), pending(c.pending)-pending(o.pending))
}

var (
	heads    = store.NewCollection[head]("txn_items")
	segments = store.NewBlobs("txn_segments")
)

func segmentID(item, no uint32) string { return fmt.Sprintf("%08x.%08x", item, no) }

// Open reads the tenants' segments once and builds what is kept in memory.
func Open(ctx context.Context, db *store.DB, tenants []string) (*Ledger, error) {
	l := &Ledger{db: db, books: map[string]*book{}}
	for _, t := range tenants {
		b, err := l.load(ctx, t)
		if err != nil {
			return nil, fmt.Errorf("read transactions: %w", err)
		}
		l.books[t] = b
	}
	return l, nil
}

func (l *Ledger) load(ctx context.Context, tenant string) (*book, error) {
	ids, err := newScrambler(l.db, tenant)
	if err != nil {
		return nil, err
	}
	b := &book{ids: ids, items: map[string]*item{}, byNo: map[uint32]*item{}}
	err = l.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range heads.Scan(tx, tenant, store.Range{}) {
			if err != nil {
				return err
			}
			it := newItem(rec.Value)
			b.items[it.Head.ConnectionID], b.byNo[it.No] = it, it
		}
		for rec, err := range segments.Scan(tx, tenant, store.Range{}) {
			if err != nil {
				return err
			}
			if err := b.take(rec.ID, rec.Value); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, it := range b.items {
		it.finish()
	}
	return b, nil
}

func newItem(h head) *item {
	it := &item{No: h.No, Head: h, accounts: h.Accounts, accountNo: map[string]uint16{}}
	for i, a := range h.Accounts {
		it.accountNo[a] = uint16(i)
	}
	return it
}

// take adds a stored segment to what is kept in memory.
func (b *book) take(id string, stored []byte) error {
	var itemNo, no uint32
	if _, err := fmt.Sscanf(id, "%08x.%08x", &itemNo, &no); err != nil {
		return fmt.Errorf("segment %q: %w", id, errDamaged)
	}
	it := b.byNo[itemNo]
	s, err := parse(stored)
	if err != nil || it == nil || int(no) != len(it.segments) {
		return fmt.Errorf("segment %q: %w", id, cmp.Or(err, errDamaged))
	}
	it.segments = append(it.segments, s.info())
	for i := range s.n {
		h := s.header(i)
		b.plaid.put(h.hash, locate(itemNo, no, i))
		if h.flags&wasPending != 0 {
			r, err := s.row(i)
			if err != nil {
				return err
			}
			b.plaid.put(hashOf(r.PendingID), locate(itemNo, no, i))
		}
		if h.flags&removed == 0 {
			it.rows++
			if err := it.count(h, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// count puts a row into its cell, or takes it out.
func (it *item) count(h rowHeader, sign int) error {
	key := cell{day: h.day, account: h.account, currency: h.currency, pending: h.flags&pending != 0}
	i, found := slices.BinarySearchFunc(it.cells, key, cell.compare)
	if !found {
		it.cells = slices.Insert(it.cells, i, key)
	}
	if sign > 0 {
		return it.cells[i].Add(h.amount)
	}
	it.cells[i].Take(h.amount)
	if it.cells[i].Count == 0 {
		it.cells = slices.Delete(it.cells, i, i+1)
	}
	return nil
}

// finish puts the segments in the order in which listings read them.
func (it *item) finish() {
	it.order = make([]uint32, len(it.segments))
	for i := range it.order {
		it.order[i] = uint32(i)
	}
	slices.SortFunc(it.order, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(it.segments[b].maxDay, it.segments[a].maxDay), cmp.Compare(b, a))
	})
	it.least = make([]int32, len(it.order))
	least := int32(math.MaxInt32)
	for i, no := range it.order {
		least = min(least, it.segments[no].minDay)
		it.least[i] = least
	}
}

// clone copies what an update changes.
func (it *item) clone() *item {
	c := *it
	c.Head.Accounts = slices.Clone(it.Head.Accounts)
	c.Head.Currencies = slices.Clone(it.Head.Currencies)
	c.segments, c.cells = slices.Clone(it.segments), slices.Clone(it.cells)
	c.accountNo = make(map[string]uint16, len(it.accountNo))
	for k, v := range it.accountNo {
		c.accountNo[k] = v
	}
	return &c
}

// State is how far an item's transactions are.
type State struct {
	Cursor   string
	Status   string
	SyncedAt *time.Time
	Rows     int
}

// State tells how far an item is; the zero one where nothing was synced.
func (l *Ledger) State(tenant, connectionID string) State {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := l.books[tenant]
	if b == nil || b.items[connectionID] == nil {
		return State{}
	}
	it := b.items[connectionID]
	return State{it.Head.Cursor, it.Head.Status, it.Head.SyncedAt, it.rows}
}
