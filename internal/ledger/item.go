package ledger

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/txn"
)

// item is the part of one connection's transactions that stays in memory.
type item struct {
	No        uint32
	Head      head
	segments  []segmentInfo
	order     []uint32    // segment numbers, newest rows first
	minDays   []int32     // for each place of the order, the smallest first day of the segments up to it
	cells     []cell      // sorted by day, account, currency, pending
	sums      *prefixSums // prefix sums of the cells; nil where they would take too much room
	bound     sumBound
	rows      int
	accountNo map[string]uint16
	plaid     *index // shared by an item and its copies
	dead      *index // of the rows that Plaid took back, by their contents
	alias     *aliases

	staged map[uint32]bool // segments whose new form still lies where a large update staged it
}

// head is an item's own stored record.
type head struct {
	No           uint32     `json:"no"`
	ConnectionID string     `json:"connection_id"`
	Cursor       string     `json:"cursor,omitempty"`
	Status       string     `json:"status,omitempty"` // Plaid's transactions_update_status
	SyncedAt     *time.Time `json:"synced_at,omitempty"`
	Accounts     []string   `json:"accounts"` // Plaid's ids, in the order they came
	Currencies   []string   `json:"currencies"`
	Segments     uint32     `json:"segments"`
	SetAside     int        `json:"set_aside,omitempty"`      // rows that could not be stored
	SetAsideMore int        `json:"set_aside_more,omitempty"` // of these, rows that are only counted
}

type segmentInfo struct {
	minDay, maxDay int32
	rows           uint8
}

// kind groups cells: one account, currency and pending flag, on all days.
type kind struct {
	account  uint16
	currency uint8
	pending  bool
}

// order is the sort key of a kind.
func (k kind) order() uint32 {
	n := uint32(k.account)<<16 | uint32(k.currency)<<8
	if k.pending {
		n++
	}
	return n
}

func (k kind) compare(o kind) int { return cmp.Compare(k.order(), o.order()) }

// cell holds the sums of one day and one kind.
type cell struct {
	day int32
	kind
	txn.Cell
}

// prefixSums holds, for each day that has rows and for each kind, the sum of all cells up to that day. The sum of a
// range of days is the difference of two entries.
type prefixSums struct {
	days  []int32
	kinds []kind
	upTo  []txn.Cell // one row of kinds a day
}

// rowAt finds the row of a day, or of the last one before it; -1 is before the first.
func (g *prefixSums) rowAt(day int32) int {
	if n := len(g.days); n == 0 || day < g.days[0] {
		return -1
	} else if day >= g.days[n-1] {
		return n - 1
	}
	if at := int(int64(day) - int64(g.days[0])); at < len(g.days) && g.days[at] == day { // fast path: no day is missing before this one
		return at
	}
	i, found := slices.BinarySearch(g.days, day)
	if found {
		return i
	}
	return i - 1
}

// between yields each kind's sum over the days of [from, to], in the order of the kinds.
func (g *prefixSums) between(from, to int32, yield func(k kind, sum txn.Cell) error) error {
	last, before := g.rowAt(to), -1
	if from > math.MinInt32 {
		before = g.rowAt(from - 1)
	}
	if last <= before {
		return nil
	}
	n := len(g.kinds)
	for i, k := range g.kinds {
		sum := g.upTo[last*n+i]
		if before >= 0 {
			less := &g.upTo[before*n+i]
			sum.Count, sum.Debits, sum.Credits = sum.Count-less.Count, sum.Debits-less.Debits, sum.Credits-less.Credits
		}
		if sum.Count > 0 {
			if err := yield(k, sum); err != nil {
				return err
			}
		}
	}
	return nil
}

// truncate drops a day and all after it.
func (g *prefixSums) truncate(from int32) {
	n, _ := slices.BinarySearch(g.days, from)
	g.days, g.upTo = g.days[:n], g.upTo[:n*len(g.kinds)]
}

// appendDay adds a row for a day, a copy of the one before.
func (g *prefixSums) appendDay(day int32) {
	g.days = append(g.days, day)
	if n := len(g.kinds); len(g.upTo) == 0 {
		g.upTo = append(g.upTo, make([]txn.Cell, n)...)
	} else {
		g.upTo = append(g.upTo, g.upTo[len(g.upTo)-n:]...)
	}
}

func newItem(h head) *item {
	it := &item{No: h.No, Head: h, accountNo: map[string]uint16{}, plaid: &index{}, dead: &index{}}
	for i, a := range h.Accounts {
		it.accountNo[a] = uint16(i)
	}
	return it
}

// change is one row that enters the cells or leaves them.
type change struct {
	rowHeader
	gone bool
}

// sumBound bounds every sum of an item: it is the sum of all amounts without their signs, and stops at 2^63.
type sumBound uint64

func (s *sumBound) add(amount int64) {
	n := uint64(amount)
	if amount < 0 {
		n = -n
	}
	*s = min(*s+sumBound(n), 1<<63)
}

// fits reports whether every sum of the item fits an int64.
func (s sumBound) fits() bool { return s < 1<<63 }

// fitsCell reports whether an amount can be added to its cell.
func (it *item) fitsCell(h rowHeader) bool {
	i, found := it.find(&cell{day: h.day, kind: kind{h.account, h.currency, h.flags&pending != 0}})
	if !found {
		return true
	}
	sum := it.cells[i].Cell
	return sum.Add(h.amount) == nil
}

// count adds a row to its cell, or takes it out.
func (it *item) count(c change) error {
	key := cell{day: c.day, kind: kind{c.account, c.currency, c.flags&pending != 0}}
	i, found := it.find(&key)
	if !found {
		it.cells = slices.Insert(it.cells, i, key)
	}
	if !c.gone {
		it.rows++
		return it.cells[i].Add(c.amount)
	}
	it.rows--
	it.cells[i].Subtract(c.amount)
	if it.cells[i].Count == 0 {
		it.cells = slices.Delete(it.cells, i, i+1)
	}
	return nil
}

// find returns a cell's place, searching only the few cells of its day.
func (it *item) find(key *cell) (int, bool) {
	from := it.firstFrom(key.day)
	for i := from; i < len(it.cells) && it.cells[i].day == key.day; i++ {
		if c := it.cells[i].kind.compare(key.kind); c >= 0 {
			return i, c == 0
		}
		from = i + 1
	}
	return from, false
}

// refresh derives the order of segments and, from a day on, the prefix sums.
func (it *item) refresh(from int32) {
	if n := len(it.segments) - len(it.order); n > 0 { // new segments go in front first: most often that is where they belong
		it.order = append(it.order, make([]uint32, n)...)
		copy(it.order[n:], it.order)
		for i := range n {
			it.order[i] = uint32(len(it.segments) - 1 - i)
		}
	}
	newest := func(a, b uint32) int {
		return cmp.Or(cmp.Compare(it.segments[b].maxDay, it.segments[a].maxDay), cmp.Compare(b, a))
	}
	if !slices.IsSortedFunc(it.order, newest) {
		slices.SortFunc(it.order, newest)
	}
	it.minDays = slices.Grow(it.minDays[:0], len(it.order))
	least := int32(math.MaxInt32)
	for _, no := range it.order {
		least = min(least, it.segments[no].minDay)
		it.minDays = append(it.minDays, least)
	}
	it.refreshSums(from)
}

// maxEmptyCells bounds the unused entries of prefixSums, which accounts that come and go leave behind.
const maxEmptyCells = 4096

// refreshSums rebuilds the prefix sums from a day on. It drops them where a sum might not fit or most entries would be
// empty; queries then add up the cells.
func (it *item) refreshSums(from int32) {
	if it.sums == nil || slices.ContainsFunc(it.cells[it.firstFrom(from):], func(c cell) bool { return !it.sums.hasKind(c.kind) }) {
		it.sums, from = &prefixSums{}, math.MinInt32
		for _, c := range it.cells {
			if i, found := slices.BinarySearchFunc(it.sums.kinds, c.kind, kind.compare); !found {
				it.sums.kinds = slices.Insert(it.sums.kinds, i, c.kind)
			}
		}
	}
	g := it.sums
	g.truncate(from)
	for _, c := range it.cells[it.firstFrom(from):] {
		if n := len(g.days); n == 0 || g.days[n-1] != c.day {
			if g.appendDay(c.day); len(g.upTo) > maxEmptyCells+8*len(it.cells) {
				it.sums = nil
				return
			}
		}
		i, _ := slices.BinarySearchFunc(g.kinds, c.kind, kind.compare)
		if !it.bound.fits() || g.upTo[len(g.upTo)-len(g.kinds)+i].Join(c.Cell) != nil {
			it.sums = nil
			return
		}
	}
}

func (g *prefixSums) hasKind(k kind) bool {
	_, found := slices.BinarySearchFunc(g.kinds, k, kind.compare)
	return found
}

// segmentsOn lists the segments that may hold rows of a day, the last written first.
func (it *item) segmentsOn(day int32, to []uint32) []uint32 {
	first, _ := slices.BinarySearchFunc(it.minDays, day, func(least, day int32) int {
		if least > day {
			return -1
		}
		return 1
	})
	for _, no := range it.order[first:] {
		if it.segments[no].maxDay < day {
			break
		}
		if it.segments[no].minDay <= day {
			to = append(to, no)
		}
	}
	slices.SortFunc(to, func(a, b uint32) int { return cmp.Compare(b, a) })
	return to
}
