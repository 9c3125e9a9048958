package ledger

import (
	"cmp"
	"errors"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/txn"
)

// append puts new rows behind the others, oldest first, so that a segment holds neighbouring days.
func (a *pendingUpdate) append(fresh []*txn.Raw) error {
	slices.SortFunc(fresh, func(x, y *txn.Raw) int {
		return cmp.Or(strings.Compare(x.Date, y.Date), strings.Compare(x.PlaidTransactionID, y.PlaidTransactionID))
	})
	for i, r := range fresh {
		next, err := a.row(r)
		if err == nil && !a.fits(next.rowHeader) {
			err = errNoRoom
		}
		if err != nil {
			if err = a.setRowAside(r, err); err != nil {
				return err
			}
			continue
		}
		s, no, err := a.last(len(fresh) - i)
		if err != nil {
			return err
		}
		at := locate(a.item.No, no, len(s.rows))
		s.rows = append(s.rows, next)
		s.dirty = true
		a.newest = len(s.rows)
		if err := a.note(change{next.rowHeader, false}); err != nil {
			return err
		}
		a.remember(next.PlaidTransactionID, next.tag, at)
		if next.flags&wasPending != 0 {
			a.point(tagOf(next.PendingTransactionID), at)
		}
		a.counts.Added++
		if err := a.cameWell(r.PlaidTransactionID); err != nil {
			return err
		}
		if !a.fresh {
			a.comers.put(contentTag(next.rowHeader), at)
		}
	}
	return nil
}

// last returns the segment for the next row.
func (a *pendingUpdate) last(coming int) (*openSegment, uint32, error) {
	if a.count > 0 && a.newest < maxRows {
		s, err := a.load(a.count - 1)
		return s, a.count - 1, err
	}
	if a.count >= maxSegments {
		return nil, 0, errors.New("too many transactions in one connection")
	}
	s := &openSegment{rows: make([]row, 0, min(coming, maxRows))}
	a.segments[a.count] = s
	a.count, a.newest = a.count+1, 0
	return s, a.count - 1, nil
}

// row makes a ledger row of one of Plaid's. Its error is a rowFault if the row alone cannot be stored.
func (a *pendingUpdate) row(r *txn.Raw) (row, error) {
	day, err := txn.Day(r.Date)
	if err != nil || r.Date == "" {
		return row{}, &rowFault{"date", "is not a day of the calendar"}
	}
	if r.PlaidTransactionID == "" {
		return row{}, &rowFault{"transaction_id", "is missing"}
	}
	if r.Amount.Minor == math.MinInt64 {
		return row{}, &rowFault{"amount", "is out of range"}
	}
	if tooLong(&r.Details) {
		return row{}, &rowFault{"name", "or another text is too long"}
	}
	account, err := a.accountOf(r.AccountID)
	if err != nil {
		return row{}, err
	}
	currency := slices.Index(a.head.Currencies, r.Amount.Currency)
	if currency < 0 {
		if currency = len(a.head.Currencies); currency > math.MaxUint8 {
			return row{}, &rowFault{"iso_currency_code", "is one too many: a connection has at most 256 currencies"}
		}
		a.head.Currencies = append(a.head.Currencies, r.Amount.Currency)
	}
	out := row{
		rowHeader: rowHeader{day: day, account: account, currency: uint8(currency), amount: r.Amount.Minor, tag: tagOf(r.PlaidTransactionID)},
		text:      text{Details: r.Details, FirstSeen: a.now, UpdatedUnix: a.now},
	}
	if r.Pending {
		out.flags |= pending
	}
	if r.Rounded {
		out.flags |= rounded
	}
	if r.Debit && r.Amount.Minor == 0 {
		out.flags |= debit
	}
	if r.PendingTransactionID != "" {
		out.flags |= wasPending
	}
	return out, nil
}

// errNoRoom sets a row aside that would overflow a sum.
var errNoRoom = &rowFault{"amount", "does not fit into the sums of its day"}

// tooLong reports whether texts do not fit a row. An escaped byte takes six at most.
func tooLong(d *txn.Details) bool {
	n := 0
	for _, s := range d.Texts() {
		n += len(*s)
	}
	if 6*n+64 < maxText {
		return false
	}
	return len((&text{Details: *d}).appendText(nil))+32 > maxText
}

func (a *pendingUpdate) accountOf(id string) (uint16, error) {
	if no, ok := a.item.accountNo[id]; ok {
		return no, nil
	}
	if no, ok := a.account[id]; ok {
		return no, nil
	}
	no := len(a.head.Accounts)
	if no > math.MaxUint16 {
		return 0, &rowFault{"account_id", "is one too many: a connection has at most 65,536 accounts"}
	}
	a.head.Accounts = append(a.head.Accounts, id)
	a.account[id] = uint16(no)
	return uint16(no), nil
}

// store writes the changed segments and the item's record.
func (a *pendingUpdate) store(tx *store.Tx) error {
	for _, no := range slices.Sorted(maps.Keys(a.segments)) {
		s := a.segments[no]
		if !s.dirty {
			continue
		}
		head, body, err := encode(s.rows)
		if err != nil {
			return err
		}
		if err := segments.Put(tx, a.tenant, segmentID(a.item.No, no), head, body); err != nil {
			return err
		}
	}
	a.head.Segments = a.count
	if a.fresh {
		if err := counters.Put(tx, a.tenant, itemNumbers, numbers{a.item.No}); err != nil {
			return err
		}
	}
	return heads.Put(tx, a.tenant, a.head.ConnectionID, a.head)
}

func infoOf(rows []row) segmentInfo {
	in := segmentInfo{minDay: math.MaxInt32, maxDay: math.MinInt32, rows: uint8(len(rows))}
	for i := range rows {
		in.minDay, in.maxDay = min(in.minDay, rows[i].day), max(in.maxDay, rows[i].day)
	}
	return in
}
