package ledger

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// AppendPage is List that appends the page as JSON, an array as encoding/json writes []txn.Transaction, straight from
// the strings as they are stored. What only the caller knows of a connection's account comes from extra, asked once an
// account: the members from plaid_item_id to carrier_id, as AppendOwner writes them.
func (l *Ledger) AppendPage(ctx context.Context, dst []byte, tenant string, visible []string, q txn.Query,
	extra func(connectionID, plaidAccountID string) (prefix []byte),
) ([]byte, page.Info, string, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	b := l.books[tenant]
	w := writer{book: b, extra: extra, dst: slices.Grow(dst, 2+700*min(q.Limit, page.MaxLimit))}
	w.dst = append(w.dst, '[')
	info, next, err := l.page(ctx, b, tenant, visible, q, w.row)
	if err != nil {
		return dst, info, "", err
	}
	return append(w.dst, ']'), info, next, nil
}

// AppendOwner appends the members of a transaction that bank knows and the ledger does not, with the comma after them.
func AppendOwner(dst []byte, t txn.Transaction) []byte {
	dst = appendQuoted(append(dst, `"plaid_item_id":`...), t.PlaidItemID)
	dst = appendQuoted(append(dst, `,"plaid_account_id":`...), t.PlaidAccountID)
	for _, m := range []struct{ name, value string }{{"bank_account_id", t.BankAccountID}, {"employer_id", t.EmployerID}, {"carrier_id", t.CarrierID}} {
		if m.value != "" {
			dst = append(append(append(dst, `,"`...), m.name...), `":`...)
			dst = appendQuoted(dst, m.value)
		}
	}
	return append(dst, ',')
}

func appendQuoted(dst []byte, s string) []byte {
	if plainText(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // a string always can be
	return append(dst, quoted...)
}

// writer writes the rows of one page. Neighbours share their account and their day most often.
type writer struct {
	book   *book
	extra  func(connectionID, plaidAccountID string) []byte
	dst    []byte
	rows   int
	owners []owner
	block  scratch
	day    int32
	date   string
}

type owner struct {
	item    *item
	account uint16
	members []byte // from connection_id on
}

func (w *writer) owner(it *item, account uint16) []byte {
	for _, o := range w.owners {
		if o.item == it && o.account == account {
			return o.members
		}
	}
	id := it.Head.Accounts[account]
	members := append(appendQuoted([]byte(`","connection_id":`), it.Head.ConnectionID), ',')
	members = append(append(members, w.extra(it.Head.ConnectionID, id)...), `"date":"`...)
	w.owners = append(w.owners, owner{it, account, members})
	return members
}

func (w *writer) row(p place) error {
	h := p.seg.header(p.at.ordinal())
	e, err := p.seg.escaped(p.at.ordinal())
	if err != nil {
		return err
	}
	if w.date == "" || w.day != h.day {
		w.day, w.date = h.day, txn.Date(h.day)
	}
	b := w.dst
	if w.rows++; w.rows > 1 {
		b = append(b, ',')
	}
	b = append(b, `{"_id":"`...)
	b = w.book.ids.appendID(b, p.at, &w.block)
	b = append(append(b, `","plaid_transaction_id":"`...), e.part[partID]...)
	b = append(append(b, w.owner(p.it, h.account)...), w.date...)
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
	b = appendTime(append(b, `,"first_seen":"`...), e.firstSeen)
	b = appendTime(append(b, `","updated_at":"`...), e.updated)
	w.dst = append(b, `"}`...)
	return nil
}

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

func appendTime(b []byte, micro int64) []byte {
	return time.UnixMicro(micro).UTC().AppendFormat(b, time.RFC3339Nano)
}
