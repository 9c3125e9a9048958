package ledger

import (
	"cmp"
	"container/heap"
	"math"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// selection is a query as the rows see it.
type selection struct {
	items    []*item // whose rows may be seen and are asked for
	account  map[uint32]int
	from, to int32
	pending  *bool
	min, max *int64
	currency string
	text     string
}

// choose turns a query into a selection over the connections that may be seen.
func (b *book) choose(visible []string, q txn.Query) selection {
	s := selection{account: map[uint32]int{}, from: math.MinInt32, to: math.MaxInt32, pending: q.Pending, min: q.MinCents, max: q.MaxCents, currency: q.Currency, text: strings.ToLower(q.Text)}
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
		account := -1
		if q.AccountID != "" {
			no, ok := it.accountNo[q.AccountID]
			if !ok {
				continue
			}
			account = int(no)
		}
		if s.currency != "" && !slices.Contains(it.Head.Currencies, s.currency) {
			continue
		}
		s.items = append(s.items, it)
		s.account[it.No] = account
	}
	return s
}

// byCells reports whether the cells alone can count the selection.
func (s selection) byCells() bool { return s.min == nil && s.max == nil && s.text == "" }

// cells yields an item's cells that are selected.
func (s selection) cells(it *item) func(yield func(cell) bool) {
	return func(yield func(cell) bool) {
		from, _ := slices.BinarySearchFunc(it.cells, s.from, func(c cell, day int32) int { return cmp.Compare(c.day, day) })
		account := s.account[it.No]
		for _, c := range it.cells[from:] {
			if c.day > s.to {
				return
			}
			if account >= 0 && int(c.account) != account || s.pending != nil && *s.pending != c.pending ||
				s.currency != "" && it.Head.Currencies[c.currency] != s.currency {
				continue
			}
			if !yield(c) {
				return
			}
		}
	}
}

// selects reports whether a row is selected, as far as its header tells.
func (s selection) selects(it *item, h rowHeader) bool {
	account := s.account[it.No]
	return h.flags&removed == 0 && h.day >= s.from && h.day <= s.to && (account < 0 || int(h.account) == account) &&
		(s.pending == nil || *s.pending == (h.flags&pending != 0)) && (s.min == nil || h.amount >= *s.min) && (s.max == nil || h.amount <= *s.max) &&
		(s.currency == "" || it.Head.Currencies[h.currency] == s.currency)
}

// says reports whether a row's name or merchant holds the text asked for.
func (s selection) says(seg *segment, i int) (bool, error) {
	if s.text == "" {
		return true, nil
	}
	r, err := seg.row(i)
	return strings.Contains(strings.ToLower(r.Name), s.text) || strings.Contains(strings.ToLower(r.Merchant), s.text), err
}

// place is a selected row, and where it stands in the order of listings: newest day first, then by locator.
type place struct {
	day int32
	at  locator
	it  *item
	seg *segment
}

func (p place) before(o place) bool {
	return p.day > o.day || p.day == o.day && p.at > o.at
}

// walk yields the selected rows in the order of listings. Segments are read when the walk comes to their newest day.
func (s selection) walk(tx *store.Tx, tenant string, yield func(place) (more bool, err error)) error {
	w := walker{tx: tx, tenant: tenant, sel: s}
	for _, it := range s.items {
		w.sources = append(w.sources, source{it, s.firstUpTo(it)})
	}
	for {
		if err := w.fill(); err != nil {
			return err
		}
		if len(w.rows) == 0 {
			return nil
		}
		more, err := yield(heap.Pop(&w.rows).(place))
		if err != nil || !more {
			return err
		}
	}
}

// firstUpTo finds the first segment of an item's order that may hold a row of the selection's last day or before.
func (s selection) firstUpTo(it *item) int {
	i, _ := slices.BinarySearchFunc(it.least, s.to, func(least, day int32) int {
		if least > day {
			return -1
		}
		return 1
	})
	return i
}

type source struct {
	it   *item
	next int // in its order
}

type walker struct {
	tx      *store.Tx
	tenant  string
	sel     selection
	sources []source
	rows    places
}

// fill reads every segment that may hold a row before the first one waiting.
func (w *walker) fill() error {
	for {
		best := -1
		for i, src := range w.sources {
			if src.next >= len(src.it.order) {
				continue
			}
			in := src.it.segments[src.it.order[src.next]]
			if in.maxDay < w.sel.from {
				w.sources[i].next = len(src.it.order)
				continue
			}
			if best < 0 || in.maxDay > w.newest(best) {
				best = i
			}
		}
		if best < 0 || len(w.rows) > 0 && w.rows[0].day > w.newest(best) {
			return nil
		}
		if err := w.read(best); err != nil {
			return err
		}
	}
}

func (w *walker) newest(i int) int32 {
	src := w.sources[i]
	return src.it.segments[src.it.order[src.next]].maxDay
}

func (w *walker) read(i int) error {
	it := w.sources[i].it
	no := it.order[w.sources[i].next]
	w.sources[i].next++
	if it.segments[no].minDay > w.sel.to {
		return nil
	}
	b, err := segments.Get(w.tx, w.tenant, segmentID(it.No, no))
	if err != nil {
		return err
	}
	seg, err := parse(b)
	if err != nil {
		return err
	}
	for k := range seg.n {
		h := seg.header(k)
		if !w.sel.selects(it, h) {
			continue
		}
		ok, err := w.sel.says(seg, k)
		if err != nil {
			return err
		}
		if ok {
			heap.Push(&w.rows, place{h.day, locate(it.No, no, k), it, seg})
		}
	}
	return nil
}

// places is a heap, the first of the order on top.
type places []place

func (p places) Len() int           { return len(p) }
func (p places) Less(i, j int) bool { return p[i].before(p[j]) }
func (p places) Swap(i, j int)      { p[i], p[j] = p[j], p[i] }

// Push is heap's.
func (p *places) Push(x any) { *p = append(*p, x.(place)) }

// Pop is heap's.
func (p *places) Pop() any {
	old := *p
	last := old[len(old)-1]
	*p = old[:len(old)-1]
	return last
}
