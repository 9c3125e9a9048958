package ledger

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// AppendPage lists as List does and appends the page as the JSON array that encoding/json would write, straight from
// the stored texts. complete fills in the owner and name of a connection's account; it is called once an account.
func (l *Ledger) AppendPage(ctx context.Context, dst []byte, tenant string, visible []string, q txn.Query,
	complete func(*txn.Place),
) ([]byte, page.Info, string, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := l.tenants[tenant]
	w := writers.Get().(*writer)
	defer w.release()
	w.items, w.complete, w.dst = b, complete, append(slices.Grow(dst, 2+700*min(q.Limit, page.MaxLimit)), '[')
	info, next, err := l.page(ctx, b, tenant, visible, q, w.row)
	if err != nil {
		return dst, info, "", err
	}
	if b != nil {
		b.ids.fillIDs(w.dst, w.idSlots, &w.work)
	}
	return append(w.dst, ']'), info, next, nil
}

// writer writes the rows of one page. Rows next to each other mostly share account, day and time of arrival, so it
// keeps the JSON of these from row to row.
type writer struct {
	items    *tenantItems
	complete func(*txn.Place)
	line     txn.Line
	place    txn.Place
	dst      []byte
	rows     int
	places   []accountPlace
	text     []byte   // JSON of the accounts' Places
	idSlots  []idSlot // for the rows' ids, written last
	work     [idBatch]scratch
	day      int32
	date     []byte
	micro    int64
	time     []byte
	first    []byte // the time a row was first seen, as JSON
}

// accountPlace says where in writer.text an account's Place stands.
type accountPlace struct {
	item     *item
	account  uint16
	from, to int
}

// writers recycles writers; each is reset before it goes back.
var writers = sync.Pool{New: func() any { return &writer{} }}

func (w *writer) release() {
	clear(w.places)
	*w = writer{places: w.places[:0], text: w.text[:0], idSlots: w.idSlots[:0], date: w.date[:0], time: w.time[:0], first: w.first[:0]}
	writers.Put(w)
}

func (w *writer) placeOf(it *item, account uint16) []byte {
	for i := range w.places {
		if p := &w.places[i]; p.item == it && p.account == account {
			return w.text[p.from:p.to]
		}
	}
	from := len(w.text)
	w.place = txn.Place{ConnectionID: it.Head.ConnectionID, PlaidAccountID: it.accountID(account)}
	w.complete(&w.place)
	w.text = txn.AppendPlace(w.text, w.place)
	w.places = append(w.places, accountPlace{it, account, from, len(w.text)})
	return w.text[from:]
}

func (w *writer) dateOf(day int32) []byte {
	if len(w.date) == 0 || w.day != day {
		w.day, w.date = day, append(w.date[:0], txn.Date(day)...)
	}
	return w.date
}

func (w *writer) timeOf(micro int64) []byte {
	if len(w.time) == 0 || w.micro != micro {
		w.micro, w.time = micro, time.UnixMicro(micro).UTC().AppendFormat(w.time[:0], time.RFC3339Nano)
	}
	return w.time
}

func (w *writer) row(p place) error {
	h := p.seg.header(p.at.ordinal())
	e, err := p.seg.escaped(p.at.ordinal())
	if err != nil {
		return err
	}
	if w.rows++; w.rows > 1 {
		w.dst = append(w.dst, ',')
	}
	w.idSlots = append(w.idSlots, idSlot{len(w.dst) + txn.IDOffset, p.at})
	w.line = txn.Line{
		ID: idPlaceholder, Texts: e.part, Place: w.placeOf(p.it, h.account), Date: w.dateOf(h.day), Amount: h.amount,
		Currency: p.it.Head.Currencies[h.currency], Debit: h.flags&debit != 0, Rounded: h.flags&rounded != 0, Pending: h.flags&pending != 0,
	}
	w.first = append(w.first[:0], w.timeOf(e.firstSeen)...)
	w.line.FirstSeen, w.line.UpdatedAt = w.first, w.timeOf(e.updated)
	w.dst = w.line.AppendJSON(w.dst)
	return nil
}

// idPlaceholder stands where fillIDs will write an id.
var idPlaceholder = []byte("????????????????????????")
