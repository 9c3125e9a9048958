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
	series    []series // the cells added up, unless they do not fit
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

func (k kind) compare(o kind) int {
	pending := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(k.account, o.account), cmp.Compare(k.currency, o.currency), pending(k.pending)-pending(o.pending))
}

// cell adds up one day of one kind.
type cell struct {
	day int32
	kind
	txn.Cell
}

func (c cell) compare(o cell) int { return cmp.Or(cmp.Compare(c.day, o.day), c.kind.compare(o.kind)) }

// series is the cells of one kind, each added to those before it: what lies between two days is a difference.
type series struct {
	kind
	days []int32
	upTo []txn.Cell
}

// between adds up the days of [from, to].
func (s *series) between(from, to int32) txn.Cell {
	first, _ := slices.BinarySearch(s.days, from)
	end, found := slices.BinarySearch(s.days, to)
	if found {
		end++
	}
	if first >= end {
		return txn.Cell{}
	}
	sum := s.upTo[end-1]
	if first > 0 {
		less := s.upTo[first-1]
		sum.Count, sum.Debits, sum.Credits = sum.Count-less.Count, sum.Debits-less.Debits, sum.Credits-less.Credits
	}
	return sum
}

func newItem(h head) *item {
	it := &item{No: h.No, Head: h, accountNo: map[string]uint16{}, plaid: &index{}}
	for i, a := range h.Accounts {
		it.accountNo[a] = uint16(i)
	}
	return it
}

// count puts a row into its cell, or takes it out.
func (it *item) count(h rowHeader, sign int) error {
	key := cell{day: h.day, kind: kind{h.account, h.currency, h.flags&pending != 0}}
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

// finish makes what listings and sums read from the segments and cells.
func (it *item) finish() {
	it.order = make([]uint32, len(it.segments))
	for i := range it.order {
		it.order[i] = uint32(len(it.order) - 1 - i)
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
	it.addUp()
}

// addUp makes the series; none where a sum would not fit, so that the cells are asked.
func (it *item) addUp() {
	at := map[kind]int{}
	it.series = it.series[:0:0]
	for _, c := range it.cells {
		i, known := at[c.kind]
		if !known {
			i = len(it.series)
			at[c.kind] = i
			it.series = append(it.series, series{kind: c.kind})
		}
		s := &it.series[i]
		sum := c.Cell
		if n := len(s.upTo); n > 0 {
			sum = s.upTo[n-1]
			if sum.Join(c.Cell) != nil {
				it.series = nil
				return
			}
		}
		s.days, s.upTo = append(s.days, c.day), append(s.upTo, sum)
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
