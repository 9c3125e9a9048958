package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// ErrCursor says that a cursor was not made by a listing of this tenant.
var ErrCursor = errors.New("cursor of another listing")

// Listing is one page.
type Listing struct {
	Rows []txn.Transaction
	Info page.Info
	Next string // the cursor of the page after; empty at the end
}

// List gives a page of what a query selects among the connections that may be seen, newest day first.
func (l *Ledger) List(ctx context.Context, tenant string, visible []string, q txn.Query) (Listing, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := Listing{Rows: []txn.Transaction{}, Info: page.Info{Page: q.Page, Limit: q.Limit}}
	b := l.books[tenant]
	if b == nil {
		return out, nil
	}
	s := b.choose(visible, q)
	skip := (q.Page - 1) * q.Limit
	total := -1
	if s.byCells() {
		total = s.count()
		if q.Cursor == "" {
			s.to, skip = s.seek(skip)
		}
	}
	var after place
	if q.Cursor != "" {
		at, day, err := b.readCursor(q.Cursor)
		if err != nil {
			return out, err
		}
		after, skip, s.to = place{day: day, at: at}, 0, min(s.to, day)
	}
	err := l.db.View(ctx, func(tx *store.Tx) error {
		seen := 0
		return s.walk(tx, tenant, func(p place) (bool, error) {
			if q.Cursor != "" && !after.before(p) {
				return true, nil
			}
			seen++
			if seen <= skip {
				return true, nil
			}
			if len(out.Rows) < q.Limit {
				t, err := b.transaction(p)
				out.Rows = append(out.Rows, t)
				after = p
				return true, err
			}
			if out.Next == "" {
				out.Next = b.cursor(after)
			}
			return false, nil
		})
	})
	if total < 0 && err == nil {
		total, err = l.countAll(ctx, tenant, b.choose(visible, q))
	}
	out.Info.Total = total
	out.Info.Pages = (total + q.Limit - 1) / q.Limit
	return out, err
}

// countAll counts what only the rows themselves can tell.
func (l *Ledger) countAll(ctx context.Context, tenant string, s selection) (n int, err error) {
	err = l.db.View(ctx, func(tx *store.Tx) error {
		return s.walk(tx, tenant, func(place) (bool, error) {
			n++
			return true, nil
		})
	})
	return n, err
}

func (s selection) count() (n int) {
	for _, it := range s.items {
		for c := range s.cells(it) {
			n += int(c.Count)
		}
	}
	return n
}

// seek finds the day on which the row after skip others stands, and how many of that day's rows come before it.
func (s selection) seek(skip int) (day int32, left int) {
	if skip == 0 {
		return s.to, 0
	}
	days := map[int32]int{}
	newest, oldest := int32(-1<<31), int32(1<<31-1)
	for _, it := range s.items {
		for c := range s.cells(it) {
			days[c.day] += int(c.Count)
			newest, oldest = max(newest, c.day), min(oldest, c.day)
		}
	}
	for day = newest; day >= oldest; day-- {
		if n := days[day]; skip < n {
			return day, skip
		} else {
			skip -= n
		}
		if day == oldest {
			break
		}
	}
	return oldest - 1, 0 // beyond the end
}

// transaction makes the reply's object of a row.
func (b *book) transaction(p place) (txn.Transaction, error) {
	r, err := p.seg.row(p.at.ordinal())
	if err != nil {
		return txn.Transaction{}, err
	}
	return txn.Transaction{
		ID: b.ids.id(p.at), PlaidTransactionID: r.ID, ConnectionID: p.it.Head.ConnectionID, PlaidAccountID: p.it.Head.Accounts[r.account],
		Date: txn.Date(r.day), AuthorizedDate: r.AuthorizedDate, Datetime: r.Datetime, Name: r.Name, MerchantName: r.Merchant,
		Amount: r.amount, Currency: p.it.Head.Currencies[r.currency], Direction: txn.DirectionOf(r.amount), Rounded: r.flags&rounded != 0,
		Pending: r.flags&pending != 0, PendingTransactionID: r.PendingID, Category: r.Category, CategoryDetailed: r.Detail,
		PaymentChannel: r.Channel, CheckNumber: r.Check,
		FirstSeen: time.UnixMicro(r.FirstSeen).UTC(), UpdatedAt: time.UnixMicro(r.UpdatedUnix).UTC(),
	}, nil
}

// cursor names the last row of a page: its public id and its day.
func (b *book) cursor(p place) string {
	day := uint32(p.day)
	return b.ids.id(p.at) + hex.EncodeToString([]byte{byte(day >> 24), byte(day >> 16), byte(day >> 8), byte(day)})
}

func (b *book) readCursor(text string) (locator, int32, error) {
	if len(text) != 32 {
		return 0, 0, ErrCursor
	}
	at, ok := b.ids.locator(text[:24])
	day, err := hex.DecodeString(text[24:])
	if !ok || err != nil {
		return 0, 0, ErrCursor
	}
	return at, int32(uint32(day[0])<<24 | uint32(day[1])<<16 | uint32(day[2])<<8 | uint32(day[3])), nil
}

// Get finds one transaction by our id or by Plaid's, the pending one's too (A28).
func (l *Ledger) Get(ctx context.Context, tenant string, visible []string, id string) (txn.Transaction, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := l.books[tenant]
	if b == nil {
		return txn.Transaction{}, ErrNotFound
	}
	seen := map[uint32]bool{}
	for _, v := range visible {
		if it := b.items[v]; it != nil {
			seen[it.No] = true
		}
	}
	var found txn.Transaction
	err := l.db.View(ctx, func(tx *store.Tx) error {
		if at, ok := b.ids.locator(id); ok {
			return b.at(tx, tenant, at, seen, "", &found)
		}
		for at := range b.plaid.find(hashOf(id)) {
			if err := b.at(tx, tenant, at, seen, id, &found); !errors.Is(err, ErrNotFound) {
				return err
			}
		}
		return ErrNotFound
	})
	return found, err
}

// at reads one row; plaidID, where given, must be its own or its pending one's.
func (b *book) at(tx *store.Tx, tenant string, at locator, seen map[uint32]bool, plaidID string, to *txn.Transaction) error {
	it := b.byNo[at.item()]
	if it == nil || !seen[it.No] || int(at.seg()) >= len(it.segments) || at.ordinal() >= int(it.segments[at.seg()].rows) {
		return ErrNotFound
	}
	stored, err := segments.Get(tx, tenant, segmentID(it.No, at.seg()))
	if err != nil {
		return err
	}
	seg, err := parse(stored)
	if err != nil {
		return err
	}
	h := seg.header(at.ordinal())
	if h.flags&removed != 0 {
		return ErrNotFound
	}
	t, err := b.transaction(place{h.day, at, it, seg})
	if err != nil || plaidID != "" && t.PlaidTransactionID != plaidID && t.PendingTransactionID != plaidID {
		return errors.Join(err, ErrNotFound)
	}
	*to = t
	return nil
}
