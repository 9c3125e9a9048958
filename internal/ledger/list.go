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
	out := Listing{Rows: make([]txn.Transaction, 0, min(q.Limit, page.MaxLimit))}
	var err error
	b := l.books[tenant]
	m := maker{book: b}
	out.Info, out.Next, err = l.page(ctx, b, tenant, visible, q, func(p place) error {
		t, err := m.transaction(p)
		out.Rows = append(out.Rows, t)
		return err
	})
	return out, err
}

// page yields the rows of one page, and tells its numbers and the cursor of the next.
func (l *Ledger) page(ctx context.Context, b *book, tenant string, visible []string, q txn.Query, yield func(place) error) (info page.Info, next string, err error) {
	info = page.Info{Page: q.Page, Limit: q.Limit}
	if b == nil {
		return info, "", nil
	}
	s := b.choose(visible, q)
	w := walkers.Get().(*walker)
	defer w.release()
	w.tenant, w.sel, w.skip = tenant, &s, (q.Page-1)*q.Limit
	if q.Cursor != "" {
		after, err := b.readCursor(q.Cursor)
		if err != nil {
			return info, "", err
		}
		w.after, w.skip = &after, 0
	}
	byCells := s.byCells()
	if byCells {
		info.Total = s.count(s.from, s.to)
		if q.Cursor == "" {
			s.to, w.skip = s.seek(w.skip)
		}
	}
	var last place
	n := 0
	err = l.db.View(ctx, func(tx *store.Tx) error {
		w.tx = tx
		return w.walk(func(p place) (bool, error) {
			if n == q.Limit {
				next = b.cursor(last)
				return false, nil
			}
			n++
			last = p
			return true, yield(p)
		})
	})
	if !byCells && err == nil {
		info.Total, err = l.countAll(ctx, tenant, b.choose(visible, q))
	}
	info.Pages = (info.Total + q.Limit - 1) / q.Limit
	return info, next, err
}

// countAll counts what only the rows themselves can tell.
func (l *Ledger) countAll(ctx context.Context, tenant string, s selection) (n int, err error) {
	err = l.db.View(ctx, func(tx *store.Tx) error {
		w := walker{tx: tx, tenant: tenant, sel: &s}
		return w.walk(func(place) (bool, error) {
			n++
			return true, nil
		})
	})
	return n, err
}

// maker makes the reply's objects of rows; neighbours share their day.
type maker struct {
	book  *book
	block scratch
	id    [idSize]byte
	day   int32
	date  string
}

func (m *maker) transaction(p place) (txn.Transaction, error) {
	r, err := p.seg.row(p.at.ordinal())
	if err != nil {
		return txn.Transaction{}, err
	}
	if m.date == "" || m.day != r.day {
		m.day, m.date = r.day, txn.Date(r.day)
	}
	return txn.Transaction{
		ID: string(m.book.ids.appendID(m.id[:0], p.at, &m.block)), Details: r.Details,
		Place: txn.Place{ConnectionID: p.it.Head.ConnectionID, PlaidAccountID: p.it.Head.Accounts[r.account]},
		Date:  m.date, Amount: r.amount, Currency: p.it.Head.Currencies[r.currency], Direction: txn.DirectionOf(r.amount),
		Rounded: r.flags&rounded != 0, Pending: r.flags&pending != 0,
		FirstSeen: time.UnixMicro(r.FirstSeen).UTC(), UpdatedAt: time.UnixMicro(r.UpdatedUnix).UTC(),
	}, nil
}

// cursor names the last row of a page: its public id and its day.
func (b *book) cursor(p place) string {
	day := uint32(p.day)
	to := b.ids.appendID(make([]byte, 0, idSize+8), p.at, new(scratch))
	return string(hex.AppendEncode(to, []byte{byte(day >> 24), byte(day >> 16), byte(day >> 8), byte(day)}))
}

func (b *book) readCursor(text string) (place, error) {
	if len(text) != idSize+8 {
		return place{}, ErrCursor
	}
	at, ok := b.ids.locator(text[:idSize])
	day, err := hex.DecodeString(text[idSize:])
	if !ok || err != nil {
		return place{}, ErrCursor
	}
	return place{at: at, day: int32(uint32(day[0])<<24 | uint32(day[1])<<16 | uint32(day[2])<<8 | uint32(day[3]))}, nil
}

// Get finds one transaction by our id or by Plaid's, the pending one's too (A28).
func (l *Ledger) Get(ctx context.Context, tenant string, visible []string, id string) (txn.Transaction, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := l.books[tenant]
	if b == nil {
		return txn.Transaction{}, ErrNotFound
	}
	seen := make([]*item, 0, len(visible))
	for _, v := range visible {
		if it := b.items[v]; it != nil {
			seen = append(seen, it)
		}
	}
	var found txn.Transaction
	err := l.db.View(ctx, func(tx *store.Tx) error {
		if at, ok := b.ids.locator(id); ok {
			for _, it := range seen {
				if it.No == at.item() {
					return b.at(tx, tenant, it, at, "", &found)
				}
			}
			return ErrNotFound
		}
		tag := tagOf(id)
		for _, it := range seen {
			for at := range it.plaid.find(it.No, tag) {
				if err := b.at(tx, tenant, it, at, id, &found); !errors.Is(err, ErrNotFound) {
					return err
				}
			}
		}
		return ErrNotFound
	})
	return found, err
}

// at reads one row; plaidID, where given, must be its own or its pending one's.
func (b *book) at(tx *store.Tx, tenant string, it *item, at locator, plaidID string, to *txn.Transaction) error {
	if int(at.seg()) >= len(it.segments) || at.ordinal() >= int(it.segments[at.seg()].rows) {
		return ErrNotFound
	}
	seg, err := readSegment(tx, tenant, it.No, at.seg())
	if err != nil {
		return err
	}
	h := seg.header(at.ordinal())
	if h.flags&removed != 0 {
		return ErrNotFound
	}
	m := maker{book: b}
	t, err := m.transaction(place{h.day, at, it, seg})
	if err != nil {
		return err
	}
	if plaidID != "" && t.PlaidTransactionID != plaidID && t.PendingTransactionID != plaidID {
		return ErrNotFound
	}
	*to = t
	return nil
}
