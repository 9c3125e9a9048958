package plaidsim

import (
	"slices"
	"strconv"
	"time"
)

// The kinds of txnChange. A row's account can be hidden and shown again; while
// it is hidden nothing of it is told, and when it is shown again all of it is.
const (
	changeReissued = "reissued"
	changeHidden   = "hidden"
	changeShown    = "shown"
	changeRedated  = "redated"
	changeCurrency = "currency"
	changeRemoved  = "removed"
	changeNothing  = "nothing" // a page broke
)

// changeTxns enters a change as the Item's next data version. Callers have
// seen to it that transactions have begun.
func (s *Server) changeTxns(it *item, c txnChange, now time.Time) {
	it.Txns.Rounds = append(it.Txns.Rounds, now)
	c.Round = len(it.Txns.Rounds)
	it.Txns.Changes = append(it.Txns.Changes, c)
	s.touch()
}

// beforeSharing and afterSharing stand around whatever decides which accounts
// an Item shares, so that its transactions follow.
func (s *Server) beforeSharing(it *item) []string {
	masks := masksOf(s.accounts(it))
	if !it.Txns.Started.IsZero() && it.Txns.Shared == nil {
		it.Txns.Shared = masks // an Item of a state that did not note it
	}
	return masks
}

func (s *Server) afterSharing(it *item, before []string, now time.Time) {
	if it.Txns.Started.IsZero() {
		return
	}
	after := masksOf(s.accounts(it))
	quiet := it.Txns.Told == s.history(it).version(now)
	for _, mask := range before {
		if !slices.Contains(after, mask) {
			s.changeTxns(it, txnChange{Kind: changeHidden, Mask: mask}, now)
		}
	}
	if quiet { // an account that vanishes does so without a webhook
		it.Txns.Told = s.history(it).version(now)
	}
	for _, mask := range after {
		if !slices.Contains(before, mask) {
			s.changeTxns(it, txnChange{Kind: changeShown, Mask: mask}, now)
		}
	}
	s.tellTransactions(it, now)
}

func masksOf(accounts []account) []string {
	out := []string{}
	for _, a := range accounts {
		out = append(out, a.mask)
	}
	return out
}

// accounts are all that rows are made for, those shared when transactions
// began first, each with the id that it had then.
func (h history) accounts() []account {
	var first, later []account
	for _, f := range h.s.bankAccounts(h.it) {
		a := account{fixture: f, id: h.s.accountIDs(h.it.ID, f.mask, h.firstIssue(f.mask))}
		if h.sharedFirst(f.mask) {
			first = append(first, a)
		} else {
			later = append(later, a)
		}
	}
	return append(first, later...)
}

// firstIssue is how often the account was issued anew before transactions
// began.
func (h history) firstIssue(mask string) int {
	n := h.it.Fates[mask].Reissued
	for _, c := range h.it.Txns.Changes {
		if c.Kind == changeReissued && c.Mask == mask {
			n--
		}
	}
	return n
}

func (h history) sharedFirst(mask string) bool {
	if h.it.Txns.Shared == nil {
		return h.it.shares(mask)
	}
	return slices.Contains(h.it.Txns.Shared, mask)
}

// spenders are the accounts that made-up rows are spread over.
func (h history) spenders() []account {
	return slices.DeleteFunc(h.accounts(), func(a account) bool {
		return !h.sharedFirst(a.mask) || a.typ != "depository" && a.typ != "credit"
	})
}

// quiet reports whether a round, from 0, is a change and no refresh.
func (h history) quiet(round int) bool {
	return slices.ContainsFunc(h.it.Txns.Changes, func(c txnChange) bool { return c.Round == round+1 })
}

// happened acts out the changes up to a version on the rows as they came.
func (h history) happened(rows []entry, version int) []entry {
	issue := map[string]int{}
	for _, c := range h.it.Txns.Changes {
		v := versionHistorical + c.Round
		if v > version {
			break
		}
		switch c.Kind {
		case changeReissued:
			issue[c.Mask]++
			id := h.s.accountIDs(h.it.ID, c.Mask, h.firstIssue(c.Mask)+issue[c.Mask])
			rows = h.reissue(rows, c.Mask, id, v)
		case changeRedated, changeCurrency, changeRemoved:
			if i := slices.IndexFunc(rows, func(e entry) bool { return e.id == c.ID }); i >= 0 {
				rows[i].suffer(c, v)
			}
		}
	}
	return rows
}

// suffer applies a change to the one row that it is about.
func (e *entry) suffer(c txnChange, version int) {
	if c.Kind == changeRemoved {
		e.removed = version
		return
	}
	e.edits = append(slices.Clip(e.edits), edit{version: version, date: c.Date, currency: c.Currency})
}

// reissue removes every row of an account and lets it come again under the
// account's new id, with an id of its own.
func (h history) reissue(rows []entry, mask, accountID string, version int) []entry {
	moved := map[string]string{}
	for i := range len(rows) {
		e := &rows[i]
		switch {
		case e.mask != mask || e.removed > 0 && e.removed < version:
		case e.added >= version:
			e.account = accountID
		default:
			again := *e
			again.id = h.s.ids.derivedID("reissued", e.id, strconv.Itoa(version))
			again.account, again.added = accountID, version
			moved[e.id], e.removed = again.id, version
			rows = append(rows, again)
		}
	}
	for i := range rows {
		if e := &rows[i]; e.added >= version && moved[e.pendingID] != "" {
			e.pendingID = moved[e.pendingID]
		}
	}
	return rows
}

// sight is how an account looks to a sync from one version to another: whether
// it is seen at the end, and if it was hidden at the start, since when. A
// caller who stands there may hold the rows of before, or none.
type sight struct {
	seen, wasHidden bool
	hid             int
}

func (h history) sightOf(mask string, from, to int) sight {
	var out sight
	out.seen = h.sharedFirst(mask)
	out.wasHidden = from > 0 && !out.seen
	for _, c := range h.it.Txns.Changes {
		v := versionHistorical + c.Round
		if v > to {
			break
		}
		if c.Mask != mask || c.Kind != changeHidden && c.Kind != changeShown {
			continue
		}
		out.seen = c.Kind == changeShown
		if v <= from {
			out.wasHidden, out.hid = !out.seen, v
		}
	}
	return out
}

// kindOf is what a sync from one version to another says of a row, or "".
// Where its account was hidden, rows can be told or taken back once too often,
// which is harmless; a row that a caller should hold is never left out.
func (e entry) kindOf(from, to int, view sight) string {
	gone := e.removed > 0 && e.removed <= to
	switch {
	case !view.seen:
		return ""
	case !gone && (e.added > from || view.wasHidden):
		return "added"
	case gone && view.wasHidden && e.added < view.hid, gone && !view.wasHidden && e.added <= from && e.removed > from:
		return "removed"
	case !gone && e.editedIn(from, to):
		return "modified"
	}
	return ""
}
