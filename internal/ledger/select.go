package ledger

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/bankctl/bankctl/internal/txn"
)

// selection is a query as the rows see it.
type selection struct {
	items    []chosen // whose rows may be seen and are asked for, the newest item first
	from, to int32
	pending  *bool
	min, max *int64
	currency string
	text     string
}

// chosen is an item with what of the query depends on it.
type chosen struct {
	*item
	account  int // -1: all
	currency int // -1: all
}

// choose turns a query into a selection over the connections that may be seen.
func (b *book) choose(visible []string, q txn.Query) selection {
	s := selection{
		items: make([]chosen, 0, len(visible)),
		from:  math.MinInt32, to: math.MaxInt32, pending: q.Pending, min: q.MinCents, max: q.MaxCents, currency: q.Currency, text: strings.ToLower(q.Text),
	}
	if q.DateFrom != "" {
		s.from, _ = txn.Day(q.DateFrom)
	}
	if q.DateTo != "" {
		s.to, _ = txn.Day(q.DateTo)
	}
	for _, id := range visible {
		it := b.items[id]
		if it == nil {
			continue
		}
		c := chosen{it, -1, -1}
		if q.AccountID != "" {
			no, ok := it.accountNo[q.AccountID]
			if !ok {
				continue
			}
			c.account = int(no)
		}
		if s.currency != "" {
			if c.currency = slices.Index(it.Head.Currencies, s.currency); c.currency < 0 {
				continue
			}
		}
		s.items = append(s.items, c)
	}
	slices.SortFunc(s.items, func(a, b chosen) int { return cmp.Compare(b.No, a.No) })
	s.items = slices.CompactFunc(s.items, func(a, b chosen) bool { return a.item == b.item })
	return s
}

// byCells reports whether the cells alone can count the selection.
func (s *selection) byCells() bool { return s.min == nil && s.max == nil && s.text == "" }

// takes reports whether cells of a kind are selected.
func (s *selection) takes(c chosen, k kind) bool {
	return (c.account < 0 || int(k.account) == c.account) && (s.pending == nil || *s.pending == k.pending) && (c.currency < 0 || int(k.currency) == c.currency)
}

// selects reports whether a row is selected, as far as its header tells.
func (s *selection) selects(c chosen, h rowHeader) bool {
	return h.flags&removed == 0 && h.day >= s.from && h.day <= s.to && s.takes(c, kind{h.account, h.currency, h.flags&pending != 0}) &&
		(s.min == nil || h.amount >= *s.min) && (s.max == nil || h.amount <= *s.max)
}

// says reports whether a row's name or merchant holds the text asked for.
func (s *selection) says(seg *segment, i int) (bool, error) {
	if s.text == "" {
		return true, nil
	}
	r, err := seg.row(i)
	return strings.Contains(strings.ToLower(r.Name), s.text) || strings.Contains(strings.ToLower(r.MerchantName), s.text), err
}

// cells yields an item's cells that are selected.
func (s *selection) cells(c chosen) func(yield func(*cell) bool) {
	return func(yield func(*cell) bool) {
		for i := c.firstFrom(s.from); i < len(c.cells) && c.cells[i].day <= s.to; i++ {
			if s.takes(c, c.cells[i].kind) && !yield(&c.cells[i]) {
				return
			}
		}
	}
}

// firstFrom finds the first cell of a day or after it; most often the day is among the newest.
func (it *item) firstFrom(day int32) int {
	low, high := 0, len(it.cells)
	if near := high - 16; near > 0 && it.cells[near].day < day {
		low = near + 1
	}
	for low < high {
		if mid := int(uint(low+high) >> 1); it.cells[mid].day < day {
			low = mid + 1
		} else {
			high = mid
		}
	}
	return low
}

// eachKind yields what is selected in an item's days of [from, to], added up by kind; cells where they do not add up.
func (s *selection) eachKind(c chosen, from, to int32, yield func(kind, txn.Cell) error) error {
	if c.grid == nil {
		part := *s
		part.from, part.to = from, to
		for cell := range part.cells(c) {
			if err := yield(cell.kind, cell.Cell); err != nil {
				return err
			}
		}
		return nil
	}
	return c.grid.between(from, to, func(k kind, sum txn.Cell) error {
		if !s.takes(c, k) {
			return nil
		}
		return yield(k, sum)
	})
}

// countOf counts the selected rows of an item's days of [from, to].
func (s *selection) countOf(c chosen, from, to int32) (n int) {
	_ = s.eachKind(c, from, to, func(_ kind, sum txn.Cell) error {
		n += int(sum.Count)
		return nil
	})
	return n
}

func (s *selection) count(from, to int32) (n int) {
	for _, c := range s.items {
		n += s.countOf(c, from, to)
	}
	return n
}

// seek finds the day on which the row after skip others stands, and how many of that day's rows come before it.
func (s *selection) seek(skip int) (day int32, left int) {
	if skip == 0 {
		return s.to, 0
	}
	oldest, newest := int32(math.MaxInt32), int32(math.MinInt32)
	for _, c := range s.items {
		if n := len(c.cells); n > 0 {
			oldest, newest = min(oldest, c.cells[0].day), max(newest, c.cells[n-1].day)
		}
	}
	oldest, newest = max(oldest, s.from), min(newest, s.to)
	if oldest > newest {
		return s.from, skip
	}
	// The newest day from which on more than skip rows stand: what stands before it is taken from all.
	all := s.count(oldest, newest)
	if all <= skip {
		return s.from, skip
	}
	back := sort.Search(int(newest-oldest), func(back int) bool { return all-s.count(oldest, newest-int32(back)-1) > skip })
	if day = newest - int32(back); back == 0 {
		return day, skip
	}
	return day, skip - (all - s.count(oldest, day))
}
