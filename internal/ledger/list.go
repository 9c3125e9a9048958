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

// ErrCursor means that no listing of this tenant made the cursor.
var ErrCursor = errors.New("cursor of another listing")

// Listing is one page.
type Listing struct {
	Rows []txn.Transaction
	Info page.Info
	Next string // cursor of the next page; empty on the last
}

// List returns a page of the transactions that the query selects among the visible connections, newest day first.
func (l *Ledger) List(ctx context.Context, tenant string, visible []string, q txn.Query) (Listing, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	out := Listing{Rows: make([]txn.Transaction, 0, min(q.Limit, page.MaxLimit))}
	var err error
	b := l.tenants[tenant]
	m := converter{items: b}
	out.Info, out.Next, err = l.page(ctx, b, tenant, visible, q, func(p place) error {
		t, err := m.transaction(p)
		out.Rows = append(out.Rows, t)
		return err
	})
	return out, err
}

// page yields the rows of one page, and returns its page numbers and the cursor of the next.
func (l *Ledger) page(ctx context.Context, b *tenantItems, tenant string, visible []string, q txn.Query, yield func(place) error) (info page.Info, next string, err error) {
	info = page.Info{Page: q.Page, Limit: q.Limit}
	if b == nil {
		return info, "", nil
	}
	s := b.selectFrom(visible, q)
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
	byCells := s.cellsSuffice()
	if byCells {
		info.Total = s.count(s.from, s.to)
		if q.Cursor == "" {
			s.to, w.skip = s.dayAtOffset(w.skip)
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
		info.Total, err = l.countAll(ctx, tenant, b.selectFrom(visible, q))
	}
	info.Pages = (info.Total + q.Limit - 1) / q.Limit
	return info, next, err
}

// countAll counts a selection that the cells cannot count, by reading its rows.
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

// converter turns rows into the reply's objects; it keeps a day's text from row to row.
type converter struct {
	items *tenantItems
	block scratch
	id    [idSize]byte
	day   int32
	date  string
}

func (m *converter) transaction(p place) (txn.Transaction, error) {
	r, err := p.seg.row(p.at.ordinal())
	if err != nil {
		return txn.Transaction{}, err
	}
	if m.date == "" || m.day != r.day {
		m.day, m.date = r.day, txn.Date(r.day)
	}
	return txn.Transaction{
		ID: string(m.items.ids.appendID(m.id[:0], p.at, &m.block)), Details: r.Details,
		Place: txn.Place{ConnectionID: p.it.Head.ConnectionID, PlaidAccountID: p.it.accountID(r.account)},
		Date:  m.date, Amount: r.amount, Currency: p.it.Head.Currencies[r.currency], Direction: txn.DirectionOf(r.amount, r.flags&debit != 0),
		Rounded: r.flags&rounded != 0, Pending: r.flags&pending != 0,
		FirstSeen: time.UnixMicro(r.FirstSeen).UTC(), UpdatedAt: time.UnixMicro(r.UpdatedUnix).UTC(),
	}, nil
}

// cursor encodes the last row of a page: its public id and its day.
func (b *tenantItems) cursor(p place) string {
	day := uint32(p.day)
	to := b.ids.appendID(make([]byte, 0, idSize+8), p.at, new(scratch))
	return string(hex.AppendEncode(to, []byte{byte(day >> 24), byte(day >> 16), byte(day >> 8), byte(day)}))
}

func (b *tenantItems) readCursor(text string) (place, error) {
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
	b := l.tenants[tenant]
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

// at reads one row. If plaidID is given, it must be the row's Plaid id or its pending one.
func (b *tenantItems) at(tx *store.Tx, tenant string, it *item, at locator, plaidID string, to *txn.Transaction) error {
	if int(at.segment()) >= len(it.segments) || at.ordinal() >= int(it.segments[at.segment()].rows) {
		return ErrNotFound
	}
	seg, err := readSegment(tx, tenant, it, at.segment())
	if err != nil {
		return err
	}
	h := seg.header(at.ordinal())
	if h.flags&removed != 0 {
		return ErrNotFound
	}
	m := converter{items: b}
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
