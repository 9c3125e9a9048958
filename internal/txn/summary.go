package txn

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// Summary is a selection added up (R97-R101). Debits and credits are sums without a sign; net = credits - debits.
type Summary struct {
	Total    int64      `json:"total_transactions"`
	Debits   int64      `json:"total_debits_cents"`
	Credits  int64      `json:"total_credits_cents"`
	Net      int64      `json:"net_cents"`
	Currency string     `json:"currency" doc:"Empty where nothing is selected"`
	Each     []Currency `json:"by_currency,omitempty" doc:"With by_currency=true: one line a currency, in place of the sums above"`
	By       []Bucket   `json:"by,omitempty" doc:"With by=: one line a day, week, month, account or category"`
	SyncedAt *string    `json:"synced_at" doc:"The oldest sync among the connections it rests on"`
}

// Currency is the sums of one currency.
type Currency struct {
	Currency string `json:"currency"`
	Sums
}

// Bucket is the sums of one day, week, month, account or category.
type Bucket struct {
	Key      string `json:"key"`
	Label    string `json:"label,omitempty"`
	Currency string `json:"currency"`
	Sums
}

// Sums counts and adds up.
type Sums struct {
	Total   int64 `json:"total_transactions"`
	Debits  int64 `json:"total_debits_cents"`
	Credits int64 `json:"total_credits_cents"`
	Net     int64 `json:"net_cents"`
}

// ErrOverflow says that a sum does not fit 64 bits.
var ErrOverflow = errors.New("the sum is out of range")

// Cell is a number of transactions of one currency, added up: what storage keeps, and what is folded.
type Cell struct {
	Count, Debits, Credits int64 // never negative
}

// Add puts one amount into a cell.
func (c *Cell) Add(minor int64) error {
	c.Count++
	if minor > 0 {
		return grow(&c.Debits, minor)
	}
	if minor == math.MinInt64 {
		return ErrOverflow
	}
	return grow(&c.Credits, -minor)
}

// Take takes one amount out again.
func (c *Cell) Take(minor int64) {
	c.Count--
	if minor > 0 {
		c.Debits -= minor
	} else {
		c.Credits += minor
	}
}

// Join adds another cell.
func (c *Cell) Join(o Cell) error {
	c.Count += o.Count
	return errors.Join(grow(&c.Debits, o.Debits), grow(&c.Credits, o.Credits))
}

func grow(sum *int64, by int64) error {
	if *sum > math.MaxInt64-by {
		return ErrOverflow
	}
	*sum += by
	return nil
}

// Sums gives a cell as a reply shows it.
func (c Cell) Sums() Sums {
	return Sums{Total: c.Count, Debits: c.Debits, Credits: c.Credits, Net: c.Credits - c.Debits}
}

// ErrMixed says that a selection holds several currencies, which do not add up (A21).
var ErrMixed = errors.New("several currencies")

// Summarize folds cells by currency; several need byCurrency.
func Summarize(cells map[string]Cell, byCurrency bool) (Summary, error) {
	var s Summary
	held := make([]Currency, 0, len(cells))
	for code, cell := range cells {
		if cell.Count > 0 {
			held = append(held, Currency{code, cell.Sums()})
		}
	}
	slices.SortFunc(held, func(a, b Currency) int { return cmp.Compare(a.Currency, b.Currency) })
	if byCurrency {
		s.Each = held
	}
	switch {
	case len(held) == 1:
		s.Currency = held[0].Currency
		s.Total, s.Debits, s.Credits, s.Net = held[0].Total, held[0].Debits, held[0].Credits, held[0].Net
	case len(held) > 1 && !byCurrency:
		return s, ErrMixed
	}
	return s, nil
}
