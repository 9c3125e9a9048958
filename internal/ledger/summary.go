package ledger

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// Summarize adds up the selected transactions; by is empty, or day, week, month, account or category.
func (l *Ledger) Summarize(ctx context.Context, tenant string, visible []string, q txn.Query, byCurrency bool, by string) (txn.Summary, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := l.tenants[tenant]
	if b == nil {
		return txn.Summarize(nil, byCurrency)
	}
	var sums tally
	var buckets map[bucket]txn.Cell
	if by != "" {
		buckets = map[bucket]txn.Cell{}
	}
	s := b.selectFrom(visible, q)
	add := func(c selectedItem, key string, currency uint8, cell txn.Cell) error {
		code := c.Head.Currencies[currency]
		if err := sums.join(code, cell); err != nil || by == "" {
			return err
		}
		return join(buckets, bucket{key, code}, cell)
	}
	var err error
	switch {
	case !s.cellsSuffice() || by == "category":
		err = l.eachRow(ctx, tenant, &s, by, add)
	case by == "" || by == "account":
		for _, c := range s.items {
			err = errors.Join(err, s.eachKind(c, s.from, s.to, func(k kind, sum txn.Cell) error {
				return add(c, keyOf(by, c.item, 0, k.account), k.currency, sum)
			}))
		}
	default:
		err = s.eachRun(by, add)
	}
	if err != nil {
		return txn.Summary{}, err
	}
	out, err := txn.Summarize(sums.cells(), byCurrency)
	out.By = sorted(buckets)
	return out, err
}

// tally holds sums by currency: a slice, since there are few.
type tally []struct {
	code string
	sum  txn.Cell
}

func (t *tally) join(code string, cell txn.Cell) error {
	for i := range *t {
		if (*t)[i].code == code {
			return (*t)[i].sum.Join(cell)
		}
	}
	*t = append(*t, struct {
		code string
		sum  txn.Cell
	}{code, cell})
	return nil
}

func (t tally) cells() map[string]txn.Cell {
	out := make(map[string]txn.Cell, len(t))
	for _, s := range t {
		out[s.code] = s.sum
	}
	return out
}

func join[K comparable](sums map[K]txn.Cell, at K, cell txn.Cell) error {
	sum := sums[at]
	err := sum.Join(cell)
	sums[at] = sum
	return err
}

type bucket struct{ key, currency string }

type adder func(c selectedItem, key string, currency uint8, cell txn.Cell) error

// eachRun adds cells up by day, week or month. It joins neighbours of one bucket before it looks the bucket up.
func (s *selection) eachRun(by string, add adder) error {
	for _, c := range s.items {
		var run txn.Cell
		var key string
		var currency uint8
		day, keyOfDay := int32(math.MinInt32), ""
		for cell := range s.cells(c) {
			if cell.day != day {
				day, keyOfDay = cell.day, keyOf(by, c.item, cell.day, 0)
			}
			if run.Count > 0 && (keyOfDay != key || cell.currency != currency) {
				if err := add(c, key, currency, run); err != nil {
					return err
				}
				run = txn.Cell{}
			}
			key, currency = keyOfDay, cell.currency
			if err := run.Join(cell.Cell); err != nil {
				return err
			}
		}
		if run.Count > 0 {
			if err := add(c, key, currency, run); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *Ledger) eachRow(ctx context.Context, tenant string, s *selection, by string, add adder) error {
	return l.db.View(ctx, func(tx *store.Tx) error {
		w := walker{tx: tx, tenant: tenant, sel: s}
		return w.walk(func(p place) (bool, error) {
			h := p.seg.header(p.at.ordinal())
			key := ""
			if by == "category" {
				e, err := p.seg.escaped(p.at.ordinal())
				if err != nil {
					return false, err
				}
				if key, err = unescape(e.part[txn.CategoryText]); err != nil {
					return false, err
				}
				key = cmp.Or(key, "UNCATEGORIZED")
			} else {
				key = keyOf(by, p.it, h.day, h.account)
			}
			var c txn.Cell
			if err := c.Add(h.amount); err != nil {
				return false, err
			}
			return true, add(selectedItem{item: p.it}, key, h.currency, c)
		})
	})
}

// keyOf names the bucket of a day or an account; weeks are named by their Monday.
func keyOf(by string, it *item, day int32, account uint16) string {
	switch by {
	case "day":
		return txn.Date(day)
	case "week":
		return txn.Date(day - ((day+3)%7+7)%7) // 1970-01-01 was a Thursday
	case "month":
		return txn.Date(day)[:7]
	case "account":
		return it.accountID(account)
	}
	return ""
}

func sorted(buckets map[bucket]txn.Cell) []txn.Bucket {
	out := make([]txn.Bucket, 0, len(buckets))
	for k, c := range buckets {
		if c.Count > 0 {
			out = append(out, txn.Bucket{Key: k.key, Currency: k.currency, Sums: c.Sums()})
		}
	}
	slices.SortFunc(out, func(a, b txn.Bucket) int {
		return cmp.Or(cmp.Compare(a.Key, b.Key), cmp.Compare(a.Currency, b.Currency))
	})
	if len(out) == 0 {
		return nil
	}
	return out
}

// SyncedAt returns the time of the oldest sync among connections; nil if one was never synced.
func (l *Ledger) SyncedAt(tenant string, visible []string) *time.Time {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var oldest *time.Time
	b := l.tenants[tenant]
	for _, id := range visible {
		if b == nil || b.items[id] == nil || b.items[id].Head.SyncedAt == nil {
			return nil
		}
		if at := b.items[id].Head.SyncedAt; oldest == nil || at.Before(*oldest) {
			oldest = at
		}
	}
	return oldest
}
