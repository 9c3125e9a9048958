package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// AppendPage is List that appends the page as JSON, an array as encoding/json writes []txn.Transaction, straight from
// the strings as they are stored. What only the caller knows of a connection's account comes from extra, asked once an
// account: it appends the members from plaid_item_id to carrier_id, as AppendOwner writes them.
func (l *Ledger) AppendPage(ctx context.Context, dst []byte, tenant string, visible []string, q txn.Query,
	extra func(dst []byte, connectionID, plaidAccountID string) []byte,
) ([]byte, page.Info, string, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := l.books[tenant]
	w := writers.Get().(*writer)
	defer w.release()
	w.book, w.extra, w.dst = b, extra, append(slices.Grow(dst, 2+700*min(q.Limit, page.MaxLimit)), '[')
	info, next, err := l.page(ctx, b, tenant, visible, q, w.row)
	if err != nil {
		return dst, info, "", err
	}
	if b != nil {
		b.ids.fill(w.dst, w.gaps, &w.work)
	}
	return append(w.dst, ']'), info, next, nil
}

// AppendOwner appends the members of a transaction that bank knows and the ledger does not, with the comma after them.
func AppendOwner(dst []byte, t txn.Transaction) []byte {
	dst = appendQuoted(append(dst, `"plaid_item_id":`...), t.PlaidItemID)
	dst = appendQuoted(append(dst, `,"plaid_account_id":`...), t.PlaidAccountID)
	dst = quotedMember(dst, `,"bank_account_id":`, t.BankAccountID)
	dst = quotedMember(dst, `,"employer_id":`, t.EmployerID)
	return append(quotedMember(dst, `,"carrier_id":`, t.CarrierID), ',')
}

func quotedMember(dst []byte, lead, value string) []byte {
	if value == "" {
		return dst
	}
	return appendQuoted(append(dst, lead...), value)
}

func appendQuoted(dst []byte, s string) []byte {
	if plainText(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // a string always can be
	return append(dst, quoted...)
}

// writer writes the rows of one page. Neighbours share their account, their day and when they came most often.
type writer struct {
	book   *book
	extra  func(dst []byte, connectionID, plaidAccountID string) []byte
	dst    []byte
	rows   int
	owners []owner
	text   []byte // of the owners
	gaps   []gap  // of the rows' ids, which are written last
	work   [together]scratch
	day    int32
	date   []byte
	micro  int64
	time   []byte
}

// owner is the members from connection_id on, of an account.
type owner struct {
	item     *item
	account  uint16
	from, to int
}

// writers are used again, without what they have written.
var writers = sync.Pool{New: func() any { return &writer{} }}

func (w *writer) release() {
	clear(w.owners)
	*w = writer{owners: w.owners[:0], text: w.text[:0], gaps: w.gaps[:0], date: w.date[:0], time: w.time[:0]}
	writers.Put(w)
}

func (w *writer) owner(it *item, account uint16) []byte {
	for i := range w.owners {
		if o := &w.owners[i]; o.item == it && o.account == account {
			return w.text[o.from:o.to]
		}
	}
	id, from := it.Head.Accounts[account], len(w.text)
	w.text = append(appendQuoted(append(w.text, `","connection_id":`...), it.Head.ConnectionID), ',')
	w.text = append(w.extra(w.text, it.Head.ConnectionID, id), `"date":"`...)
	w.owners = append(w.owners, owner{it, account, from, len(w.text)})
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
	b := w.dst
	if w.rows++; w.rows > 1 {
		b = append(b, ',')
	}
	b = append(b, `{"_id":"`...)
	w.gaps = append(w.gaps, gap{len(b), p.at})
	b = append(b, noID...)
	b = append(append(b, `","plaid_transaction_id":"`...), e.part[partID]...)
	b = append(append(b, w.owner(p.it, h.account)...), w.dateOf(h.day)...)
	b = optional(b, `","authorized_date":"`, e.part[partAuthorized])
	b = optional(b, `","datetime":"`, e.part[partDatetime])
	b = append(append(b, `","name":"`...), e.part[partName]...)
	b = optional(b, `","merchant_name":"`, e.part[partMerchant])
	b = strconv.AppendInt(append(b, `","amount_cents":`...), h.amount, 10)
	b = appendQuoted(append(b, `,"currency":`...), p.it.Head.Currencies[h.currency])
	b = append(append(append(b, `,"direction":"`...), txn.DirectionOf(h.amount)...), '"')
	if h.flags&rounded != 0 {
		b = append(b, `,"rounded":true`...)
	}
	b = strconv.AppendBool(append(b, `,"pending":`...), h.flags&pending != 0)
	b = member(b, `,"pending_transaction_id":"`, e.part[partPendingID])
	b = member(b, `,"category":"`, e.part[partCategory])
	b = member(b, `,"category_detailed":"`, e.part[partDetail])
	b = member(b, `,"payment_channel":"`, e.part[partChannel])
	b = member(b, `,"check_number":"`, e.part[partCheck])
	b = append(append(b, `,"first_seen":"`...), w.timeOf(e.firstSeen)...)
	b = append(append(b, `","updated_at":"`...), w.timeOf(e.updated)...)
	w.dst = append(b, `"}`...)
	return nil
}

// noID holds an id's place.
const noID = "????????????????????????"

// optional goes on after an open string.
func optional(b []byte, lead string, value []byte) []byte {
	if len(value) == 0 {
		return b
	}
	return append(append(b, lead...), value...)
}

// member appends a whole member, unless it is empty.
func member(b []byte, lead string, value []byte) []byte {
	if len(value) == 0 {
		return b
	}
	return append(append(append(b, lead...), value...), '"')
}
