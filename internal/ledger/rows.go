package ledger

import (
	"cmp"
	"errors"
	"fmt"
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
		if err != nil {
			return err
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

// row makes a ledger row of one of Plaid's.
func (a *pendingUpdate) row(r *txn.Raw) (row, error) {
	day, err := txn.Day(r.Date)
	if err != nil {
		return row{}, fmt.Errorf("date of a transaction: %w", err)
	}
	if r.Amount.Minor == math.MinInt64 {
		return row{}, txn.ErrOverflow
	}
	account, err := a.accountOf(r.AccountID)
	if err != nil {
		return row{}, err
	}
	currency := slices.Index(a.head.Currencies, r.Amount.Currency)
	if currency < 0 {
		if currency = len(a.head.Currencies); currency > math.MaxUint8 {
			return row{}, errors.New("too many currencies in one connection")
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
	if r.PendingTransactionID != "" {
		out.flags |= wasPending
	}
	return out, nil
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
		return 0, errors.New("too many accounts in one connection")
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
