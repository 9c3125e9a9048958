package ledger

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"

	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/txn"
)

// selection is a query, made ready to be compared with rows.
type selection struct {
	items    []selectedItem // visible and selected, newest item first
	from, to int32
	pending  *bool
	min, max *int64
	currency string
	text     string
}

// selectedItem is an item with the query's account and currency as the item numbers them.
type selectedItem struct {
	*item
	account  int    // -1: all
	several  []bool // by number, for an account that had several of Plaid's ids
	currency int    // -1: all
}

// selectFrom turns a query into a selection among the visible connections.
func (b *tenantItems) selectFrom(visible []string, q txn.Query) selection {
	s := selection{
		items: make([]selectedItem, 0, len(visible)),
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
		c := selectedItem{item: it, account: -1, currency: -1}
		if q.AccountID != "" && !c.selectAccount(q.AccountID) {
			continue
		}
		if s.currency != "" {
			code := s.currency
			if code == money.None {
				code = ""
			}
			if c.currency = slices.Index(it.Head.Currencies, code); c.currency < 0 {
				continue
			}
		}
		s.items = append(s.items, c)
	}
	slices.SortFunc(s.items, func(a, b selectedItem) int { return cmp.Compare(b.No, a.No) })
	s.items = slices.CompactFunc(s.items, func(a, b selectedItem) bool { return a.item == b.item })
	return s
}

// cellsSuffice reports whether the cells alone can count the selection.
func (s *selection) cellsSuffice() bool { return s.min == nil && s.max == nil && s.text == "" }

// matchesKind reports whether cells of a kind are selected.
func (s *selection) matchesKind(c selectedItem, k kind) bool {
	return c.isAccount(k.account) && (s.pending == nil || *s.pending == k.pending) && (c.currency < 0 || int(k.currency) == c.currency)
}

// matchesHeader reports whether a row's header satisfies the selection; matchesText compares the rest.
func (s *selection) matchesHeader(c selectedItem, h rowHeader) bool {
	return h.flags&removed == 0 && h.day >= s.from && h.day <= s.to && s.matchesKind(c, kind{h.account, h.currency, h.flags&pending != 0}) &&
		(s.min == nil || h.amount >= *s.min) && (s.max == nil || h.amount <= *s.max)
}

// matchesText reports whether a row's name or merchant contains the text searched for.
func (s *selection) matchesText(seg *segment, i int) (bool, error) {
	if s.text == "" {
		return true, nil
	}
	r, err := seg.row(i)
	return strings.Contains(strings.ToLower(r.Name), s.text) || strings.Contains(strings.ToLower(r.MerchantName), s.text), err
}

// cells yields the selected cells of an item.
func (s *selection) cells(c selectedItem) func(yield func(*cell) bool) {
	return func(yield func(*cell) bool) {
		for i := c.firstFrom(s.from); i < len(c.cells) && c.cells[i].day <= s.to; i++ {
			if s.matchesKind(c, c.cells[i].kind) && !yield(&c.cells[i]) {
				return
			}
		}
	}
}

// firstFrom finds the first cell on or after a day. It tries the newest days first: most queries ask for those.
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

// eachKind yields, by kind, the sums of the selected rows of an item's days of [from, to]; without prefix sums it
// yields the single cells.
func (s *selection) eachKind(c selectedItem, from, to int32, yield func(kind, txn.Cell) error) error {
	if c.sums == nil {
		part := *s
		part.from, part.to = from, to
		for cell := range part.cells(c) {
			if err := yield(cell.kind, cell.Cell); err != nil {
				return err
			}
		}
		return nil
	}
	return c.sums.between(from, to, func(k kind, sum txn.Cell) error {
		if !s.matchesKind(c, k) {
			return nil
		}
		return yield(k, sum)
	})
}

// countOf counts the selected rows of an item's days of [from, to].
func (s *selection) countOf(c selectedItem, from, to int32) (n int) {
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

// dayAtOffset finds the day of the row that follows the first skip rows, and how many of that day's rows are skipped.
func (s *selection) dayAtOffset(skip int) (day int32, left int) {
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
