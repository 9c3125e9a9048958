package txn

import (
	"cmp"
	"errors"
	"math"
	"slices"
)

// Summary holds the sums of a selection (R97-R101). Debits and credits have no sign; net = credits - debits.
type Summary struct {
	Total    int64      `json:"total_transactions"`
	Debits   int64      `json:"total_debits_cents"`
	Credits  int64      `json:"total_credits_cents"`
	Net      int64      `json:"net_cents"`
	Currency string     `json:"currency" doc:"Empty where nothing is selected, and for rows without a currency"`
	Each     []Currency `json:"by_currency,omitempty" doc:"With by_currency=true: one line a currency, in place of the sums above"`
	By       []Bucket   `json:"by,omitempty" doc:"With by=: one line a day, week, month, account or category"`
	SyncedAt *string    `json:"synced_at" doc:"The oldest sync among the connections it rests on"`
}

// Currency holds the sums of one currency.
type Currency struct {
	Currency string `json:"currency" doc:"Empty for the rows without a currency, which are never added to another's"`
	Sums
}

// Bucket holds the sums of one day, week, month, account or category.
type Bucket struct {
	Key      string `json:"key"`
	Label    string `json:"label,omitempty"`
	Currency string `json:"currency"`
	Sums
}

// Sums is a count with its sums.
type Sums struct {
	Total   int64 `json:"total_transactions"`
	Debits  int64 `json:"total_debits_cents"`
	Credits int64 `json:"total_credits_cents"`
	Net     int64 `json:"net_cents"`
}

// ErrOverflow means that a sum does not fit 64 bits.
var ErrOverflow = errors.New("the sum is out of range")

// Cell holds the sums of transactions of one currency, as storage keeps them.
type Cell struct {
	Count, Debits, Credits int64 // never negative
}

// Add adds one amount.
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

// Subtract takes one amount out again.
func (c *Cell) Subtract(minor int64) {
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

// Sums returns the cell as replies show it.
func (c Cell) Sums() Sums {
	return Sums{Total: c.Count, Debits: c.Debits, Credits: c.Credits, Net: c.Credits - c.Debits}
}

// ErrMixed means that a selection has several currencies, which cannot be added (A21).
var ErrMixed = errors.New("several currencies")

// Summarize adds cells up by currency. Several currencies need byCurrency.
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
