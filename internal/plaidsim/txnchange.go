package plaidsim

import (
	"slices"
	"strconv"
	"time"
)

// The kinds of txnChange. Rows of a hidden account are not sent; when it is shown again, all of them are.
const (
	changeReissued = "reissued"
	changeHidden   = "hidden"
	changeShown    = "shown"
	changeRedated  = "redated"
	changeCurrency = "currency"
	changeRemoved  = "removed"
	changeNothing  = "nothing" // a page broke
)

// changeTxns adds a change as the Item's next data version. Transactions must have begun.
func (s *Server) changeTxns(it *item, c txnChange, now time.Time) {
	it.Txns.Rounds = append(it.Txns.Rounds, now)
	c.Round = len(it.Txns.Rounds)
	it.Txns.Changes = append(it.Txns.Changes, c)
	s.markChanged()
}

// Call beforeSharing before anything that changes the shared accounts and afterSharing after it, so that the
// transactions follow.
func (s *Server) beforeSharing(it *item) []string {
	masks := masksOf(s.accounts(it))
	if !it.Txns.Started.IsZero() && it.Txns.Shared == nil {
		it.Txns.Shared = masks // an older state does not have it
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
	if quiet { // no webhook about an account that vanishes
		it.Txns.Told = s.history(it).version(now)
	}
	for _, mask := range after {
		if !slices.Contains(before, mask) {
			s.changeTxns(it, txnChange{Kind: changeShown, Mask: mask}, now)
		}
	}
	s.announceTransactions(it, now)
}

func masksOf(accounts []account) []string {
	out := []string{}
	for _, a := range accounts {
		out = append(out, a.mask)
	}
	return out
}

// accounts lists all accounts that rows are made for, with the ids they had when transactions began; those shared then
// come first.
func (h history) accounts() []account {
	var first, later []account
	for _, f := range h.s.bankAccounts(h.it) {
		a := account{fixture: f, id: h.s.accountIDs(h.it.ID, f.mask, h.initialIssue(f.mask))}
		if h.sharedAtStart(f.mask) {
			first = append(first, a)
		} else {
			later = append(later, a)
		}
	}
	return append(first, later...)
}

// initialIssue is the number of account_ids that the account had gone through before transactions began.
func (h history) initialIssue(mask string) int {
	n := h.it.AccountStates[mask].Reissued
	for _, c := range h.it.Txns.Changes {
		if c.Kind == changeReissued && c.Mask == mask {
			n--
		}
	}
	return n
}

func (h history) sharedAtStart(mask string) bool {
	if h.it.Txns.Shared == nil {
		return h.it.shares(mask)
	}
	return slices.Contains(h.it.Txns.Shared, mask)
}

// spenders lists the accounts that get made-up rows.
func (h history) spenders() []account {
	return slices.DeleteFunc(h.accounts(), func(a account) bool {
		return !h.sharedAtStart(a.mask) || a.typ != "depository" && a.typ != "credit"
	})
}

// isChange reports whether a round, counted from 0, is a change and no refresh.
func (h history) isChange(round int) bool {
	return slices.ContainsFunc(h.it.Txns.Changes, func(c txnChange) bool { return c.Round == round+1 })
}

// applyChanges changes the rows by all changes up to a version.
func (h history) applyChanges(rows []versionedTxn, version int) []versionedTxn {
	issue := map[string]int{}
	for _, c := range h.it.Txns.Changes {
		v := versionHistorical + c.Round
		if v > version {
			break
		}
		switch c.Kind {
		case changeReissued:
			issue[c.Mask]++
			id := h.s.accountIDs(h.it.ID, c.Mask, h.initialIssue(c.Mask)+issue[c.Mask])
			rows = h.reissue(rows, c.Mask, id, v)
		case changeRedated, changeCurrency, changeRemoved:
			if i := slices.IndexFunc(rows, func(e versionedTxn) bool { return e.id == c.ID }); i >= 0 {
				rows[i].apply(c, v)
			}
		}
	}
	return rows
}

// apply makes one change to its row.
func (e *versionedTxn) apply(c txnChange, version int) {
	if c.Kind == changeRemoved {
		e.removed = version
		return
	}
	e.edits = append(slices.Clip(e.edits), edit{version: version, date: c.Date, currency: c.Currency})
}

// reissue removes every row of an account, and adds it again under the account's new id with a new id of its own.
func (h history) reissue(rows []versionedTxn, mask, accountID string, version int) []versionedTxn {
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

// visibility describes an account for a sync from one version to another: visible at the end, hidden at the start, and
// since which version. A caller at the start may still hold the rows from before that version.
type visibility struct {
	visible, wasHidden bool
	hiddenSince        int
}

func (h history) visibilityOf(mask string, from, to int) visibility {
	var out visibility
	out.visible = h.sharedAtStart(mask)
	out.wasHidden = from > 0 && !out.visible
	for _, c := range h.it.Txns.Changes {
		v := versionHistorical + c.Round
		if v > to {
			break
		}
		if c.Mask != mask || c.Kind != changeHidden && c.Kind != changeShown {
			continue
		}
		out.visible = c.Kind == changeShown
		if v <= from {
			out.wasHidden, out.hiddenSince = !out.visible, v
		}
	}
	return out
}

// syncKind is added, modified, removed or "": how a sync from one version to another reports a row. If the account was
// hidden at the start, a row may be reported once too often, which is harmless; no row that the caller should hold is
// left out.
func (e versionedTxn) syncKind(from, to int, view visibility) string {
	gone := e.removed > 0 && e.removed <= to
	switch {
	case !view.visible:
		return ""
	case !gone && (e.added > from || view.wasHidden):
		return "added"
	case gone && view.wasHidden && e.added < view.hiddenSince, gone && !view.wasHidden && e.added <= from && e.removed > from:
		return "removed"
	case !gone && e.editedIn(from, to):
		return "modified"
	}
	return ""
}
