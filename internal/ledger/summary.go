package ledger

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// Summarize adds up what a query selects; by is empty, or day, week, month, account or category.
func (l *Ledger) Summarize(ctx context.Context, tenant string, visible []string, q txn.Query, byCurrency bool, by string) (txn.Summary, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	sums := map[string]txn.Cell{}
	buckets := map[bucket]txn.Cell{}
	b := l.books[tenant]
	if b == nil {
		return txn.Summarize(sums, byCurrency)
	}
	s := b.choose(visible, q)
	add := func(it *item, key string, currency uint8, c txn.Cell) error {
		code := it.Head.Currencies[currency]
		sum := sums[code]
		err := sum.Join(c)
		sums[code] = sum
		if by != "" && err == nil {
			at := bucket{key, code}
			sum := buckets[at]
			err = sum.Join(c)
			buckets[at] = sum
		}
		return err
	}
	var err error
	if s.byCells() && by != "category" {
		err = s.eachCell(by, add)
	} else {
		err = l.eachRow(ctx, tenant, s, by, add)
	}
	if err != nil {
		return txn.Summary{}, err
	}
	out, err := txn.Summarize(sums, byCurrency)
	out.By = sorted(buckets)
	return out, err
}

type bucket struct{ key, currency string }

func (s selection) eachCell(by string, add func(*item, string, uint8, txn.Cell) error) error {
	for _, it := range s.items {
		// Cells of one currency and bucket stand close: they are joined here before the maps are asked.
		var run txn.Cell
		var runKey string
		var runCurrency uint8
		for c := range s.cells(it) {
			key := keyOf(by, it, c.day, c.account)
			if run.Count > 0 && (key != runKey || c.currency != runCurrency) {
				if err := add(it, runKey, runCurrency, run); err != nil {
					return err
				}
				run = txn.Cell{}
			}
			runKey, runCurrency = key, c.currency
			if err := run.Join(c.Cell); err != nil {
				return err
			}
		}
		if run.Count > 0 {
			if err := add(it, runKey, runCurrency, run); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *Ledger) eachRow(ctx context.Context, tenant string, s selection, by string, add func(*item, string, uint8, txn.Cell) error) error {
	return l.db.View(ctx, func(tx *store.Tx) error {
		return s.walk(tx, tenant, func(p place) (bool, error) {
			h := p.seg.header(p.at.ordinal())
			key := keyOf(by, p.it, h.day, h.account)
			if by == "category" {
				r, err := p.seg.row(p.at.ordinal())
				if err != nil {
					return false, err
				}
				key = cmp.Or(r.Category, "UNCATEGORIZED")
			}
			var c txn.Cell
			if err := c.Add(h.amount); err != nil {
				return false, err
			}
			return true, add(p.it, key, h.currency, c)
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
		return it.Head.Accounts[account]
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

// SyncedAt is the oldest sync among connections; nil where one was never synced.
func (l *Ledger) SyncedAt(tenant string, visible []string) *time.Time {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var oldest *time.Time
	b := l.books[tenant]
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
