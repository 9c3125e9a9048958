package ledger

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/txn"
)

// item is what is kept in memory of one connection's rows.
type item struct {
	No        uint32
	Head      head
	segments  []segmentInfo
	order     []uint32 // segment numbers, those with the newest rows first
	least     []int32  // the least first day of the segments up to each place of the order
	cells     []cell   // sorted by day, account, currency, pending
	grid      *grid    // the cells added up; nil where that does not pay
	size      size
	rows      int
	accountNo map[string]uint16
	plaid     *index // shared by an item and its copies
}

// head is an item's own record.
type head struct {
	No           uint32     `json:"no"`
	ConnectionID string     `json:"connection_id"`
	Cursor       string     `json:"cursor,omitempty"`
	Status       string     `json:"status,omitempty"` // Plaid's transactions_update_status
	SyncedAt     *time.Time `json:"synced_at,omitempty"`
	Accounts     []string   `json:"accounts"` // Plaid's ids, in the order they came
	Currencies   []string   `json:"currencies"`
	Segments     uint32     `json:"segments"`
}

type segmentInfo struct {
	minDay, maxDay int32
	rows           uint8
}

// kind is what cells of all days have in common.
type kind struct {
	account  uint16
	currency uint8
	pending  bool
}

// order is a number by which kinds are sorted.
func (k kind) order() uint32 {
	n := uint32(k.account)<<16 | uint32(k.currency)<<8
	if k.pending {
		n++
	}
	return n
}

func (k kind) compare(o kind) int { return cmp.Compare(k.order(), o.order()) }

// cell adds up one day of one kind.
type cell struct {
	day int32
	kind
	txn.Cell
}

// grid is the cells added up: for each day that has rows, and each kind, the sum of all cells up to it. What lies between
// two days is a difference, and all that is read of it stands in two places.
type grid struct {
	days  []int32
	kinds []kind
	upTo  []txn.Cell // a row of kinds for each day
}

// row finds the last row of a day or before it; -1 is before the first.
func (g *grid) row(day int32) int {
	if n := len(g.days); n == 0 || day < g.days[0] {
		return -1
	} else if day >= g.days[n-1] {
		return n - 1
	}
	if at := int(int64(day) - int64(g.days[0])); at < len(g.days) && g.days[at] == day { // no day is missing before
		return at
	}
	i, found := slices.BinarySearch(g.days, day)
	if found {
		return i
	}
	return i - 1
}

// between gives, for the kinds in their order, the sums of the days of [from, to].
func (g *grid) between(from, to int32, yield func(k kind, sum txn.Cell) error) error {
	last, before := g.row(to), -1
	if from > math.MinInt32 {
		before = g.row(from - 1)
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

// cut forgets the days from one on.
func (g *grid) cut(from int32) {
	n, _ := slices.BinarySearch(g.days, from)
	g.days, g.upTo = g.days[:n], g.upTo[:n*len(g.kinds)]
}

// open makes room for a day's row, a copy of the one before.
func (g *grid) open(day int32) {
	g.days = append(g.days, day)
	if n := len(g.kinds); len(g.upTo) == 0 {
		g.upTo = append(g.upTo, make([]txn.Cell, n)...)
	} else {
		g.upTo = append(g.upTo, g.upTo[len(g.upTo)-n:]...)
	}
}

func newItem(h head) *item {
	it := &item{No: h.No, Head: h, accountNo: map[string]uint16{}, plaid: &index{}}
	for i, a := range h.Accounts {
		it.accountNo[a] = uint16(i)
	}
	return it
}

// change is a row that comes into the cells, or leaves them.
type change struct {
	rowHeader
	gone bool
}

// size is a bound on every sum of an item: the sum of all amounts without their signs; at most 2^63, and stays there.
type size uint64

func (s *size) add(amount int64) {
	n := uint64(amount)
	if amount < 0 {
		n = -n
	}
	*s = min(*s+size(n), 1<<63)
}

// fits reports whether no sum of an item can be out of range.
func (s size) fits() bool { return s < 1<<63 }

// count puts a row into its cell, or takes it out.
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
	it.cells[i].Take(c.amount)
	if it.cells[i].Count == 0 {
		it.cells = slices.Delete(it.cells, i, i+1)
	}
	return nil
}

// find gives a cell's place. A day has few cells.
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

// finish makes what listings and sums read from the segments, and from the cells of a day on.
func (it *item) finish(from int32) {
	if n := len(it.segments) - len(it.order); n > 0 { // the new ones first: most often they stand right there
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
	it.least = slices.Grow(it.least[:0], len(it.order))
	least := int32(math.MaxInt32)
	for _, no := range it.order {
		least = min(least, it.segments[no].minDay)
		it.least = append(it.least, least)
	}
	it.addUp(from)
}

// maxSpare bounds the places of a grid that no cell stands in, for accounts that come and go.
const maxSpare = 4096

// addUp makes the grid anew from a day on; none where a sum might not fit or much would stay empty, so that the cells
// are asked.
func (it *item) addUp(from int32) {
	if it.grid == nil || slices.ContainsFunc(it.cells[it.firstFrom(from):], func(c cell) bool { return !it.grid.knows(c.kind) }) {
		it.grid, from = &grid{}, math.MinInt32
		for _, c := range it.cells {
			if i, found := slices.BinarySearchFunc(it.grid.kinds, c.kind, kind.compare); !found {
				it.grid.kinds = slices.Insert(it.grid.kinds, i, c.kind)
			}
		}
	}
	g := it.grid
	g.cut(from)
	for _, c := range it.cells[it.firstFrom(from):] {
		if n := len(g.days); n == 0 || g.days[n-1] != c.day {
			if g.open(c.day); len(g.upTo) > maxSpare+8*len(it.cells) {
				it.grid = nil
				return
			}
		}
		i, _ := slices.BinarySearchFunc(g.kinds, c.kind, kind.compare)
		if !it.size.fits() || g.upTo[len(g.upTo)-len(g.kinds)+i].Join(c.Cell) != nil {
			it.grid = nil
			return
		}
	}
}

func (g *grid) knows(k kind) bool {
	_, found := slices.BinarySearchFunc(g.kinds, k, kind.compare)
	return found
}

// around gives the segments that may hold rows of a day, the last written first.
func (it *item) around(day int32, to []uint32) []uint32 {
	first, _ := slices.BinarySearchFunc(it.least, day, func(least, day int32) int {
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
