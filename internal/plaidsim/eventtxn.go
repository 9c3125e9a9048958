package plaidsim

import (
	"cmp"
	"slices"
	"time"
)

// postedRow finds an event's row: the named one, else the newest or oldest posted one.
func (s *Server) postedRow(it *item, e Event, now time.Time, oldest bool) (txnChange, versionedTxn, error) {
	h := s.history(it)
	version := h.version(now)
	if version < versionHistorical {
		return txnChange{}, versionedTxn{}, wrongField("item_id", "must be an Item whose transactions are all there")
	}
	if e.Mask != "" {
		if _, err := s.eventAccount(it, e); err != nil {
			return txnChange{}, versionedTxn{}, err
		}
	}
	fits := func(r versionedTxn) bool {
		return !r.pending && (e.Transaction == "" || r.id == e.Transaction) && (e.Mask == "" || r.mask == e.Mask)
	}
	if b, ok := h.bulk(); ok && b.seekable() {
		if row, found := b.find(version, oldest, fits); found {
			r := b.transactionAt(row, version)
			return txnChange{ID: r.id, Row: row + 1}, r, nil
		}
	} else {
		rows := h.between(version, "0000", "9999", s.accounts(it))
		if oldest {
			slices.Reverse(rows)
		}
		if i := slices.IndexFunc(rows, fits); i >= 0 {
			return txnChange{ID: rows[i].id}, rows[i], nil
		}
	}
	if e.Transaction != "" {
		return txnChange{}, versionedTxn{}, wrongField("transaction_id", "must be that of a posted transaction of the Item")
	}
	return txnChange{}, versionedTxn{}, wrongField(cmp.Or(map[bool]string{true: "mask"}[e.Mask != ""], "item_id"), "has no posted transaction")
}

func (s *Server) changeRow(it *item, c txnChange, now time.Time) {
	s.changeTxns(it, c, now)
	s.announceTransactions(it, now)
}

// txnRedated moves a row to another day, by default the day before.
func (s *Server) txnRedated(it *item, e Event, now time.Time) error {
	c, r, err := s.postedRow(it, e, now, false)
	if err != nil {
		return err
	}
	day, err := time.Parse(time.DateOnly, r.date)
	if err != nil {
		return err
	}
	c.Kind, c.Date = changeRedated, cmp.Or(e.Date, dayString(day.AddDate(0, 0, -1)))
	if _, err := time.Parse(time.DateOnly, c.Date); err != nil || c.Date == r.date {
		return wrongField("date", "must be a day such as 2026-05-04, and another than before")
	}
	s.changeRow(it, c, now)
	return nil
}

func (s *Server) txnCurrency(it *item, e Event, now time.Time) error {
	c, r, err := s.postedRow(it, e, now, false)
	if err != nil {
		return err
	}
	other := "EUR"
	if r.currency == other {
		other = "USD"
	}
	c.Kind, c.Currency = changeCurrency, cmp.Or(e.Currency, other)
	isLetter := func(b rune) bool { return b >= 'A' && b <= 'Z' }
	if len(c.Currency) != 3 || c.Currency == r.currency || slices.ContainsFunc([]rune(c.Currency), func(b rune) bool { return !isLetter(b) }) {
		return wrongField("currency", "must be a code such as EUR, and another than before")
	}
	s.changeRow(it, c, now)
	return nil
}

func (s *Server) txnRemovedLate(it *item, e Event, now time.Time) error {
	c, _, err := s.postedRow(it, e, now, true)
	if err != nil {
		return err
	}
	c.Kind = changeRemoved
	s.changeRow(it, c, now)
	return nil
}

const maxBreaks = 1000

// txnMutation breaks the sync that is between two pages, if any, and later ones after their first page.
func (s *Server) txnMutation(it *item, e Event, now time.Time) error {
	if s.history(it).version(now) < versionHistorical {
		return wrongField("item_id", "must be an Item whose transactions are all there")
	}
	pages := cmp.Or(e.Pages, 1)
	if pages < 1 || pages > maxBreaks {
		return wrongField("pages", "must be 1 to %d", maxBreaks)
	}
	it.Txns.Breaks = pages
	s.changeRow(it, txnChange{Kind: changeNothing}, now)
	return nil
}

// breakPage counts down the pages that break.
func (s *Server) breakPage(it *item, now time.Time) {
	it.Txns.Breaks--
	s.changeRow(it, txnChange{Kind: changeNothing}, now)
}
