package tui

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
)

// queued takes a new reading of the queue in. The cursor stays on its account, wherever that is now.
func (m deskModel) queued(r queueRead) deskModel {
	m.loading, m.readAt = false, m.Now()
	if r.err != nil {
		m.trouble = inWords(r.err)
		return m
	}
	m.trouble, m.loaded, m.fresh = "", true, m.Now()
	m.all = slices.DeleteFunc(slices.Clone(r.rows), func(a employee.BankAccount) bool { return a.IsVerified })
	slices.SortFunc(m.all, func(a, b employee.BankAccount) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.AccountID, b.AccountID))
	})
	m = m.follow()
	for _, a := range m.all {
		if a.AccountID == m.subject.AccountID && (m.pane == inDetail || m.pane == inLink) {
			m.subject = a
		}
	}
	return m
}

// follow puts the cursor back on its account; where that has left the queue, it stays at its place.
func (m deskModel) follow() deskModel {
	i := slices.IndexFunc(m.shown(), func(a employee.BankAccount) bool { return a.AccountID == m.at })
	if i >= 0 {
		m.cursor = i
	}
	return m
}

// shown are the accounts that fit the reason and each word of the search.
func (m deskModel) shown() []employee.BankAccount {
	q := employee.Query{Search: m.search.Value()}
	return slices.DeleteFunc(slices.Clone(m.all), func(a employee.BankAccount) bool {
		return m.reason != "" && m.reason != a.VerificationReason || !q.Match(a) && !m.findsWords(a)
	})
}

// findsWords looks for the search in the words that this screen shows instead of a reason.
func (m deskModel) findsWords(a employee.BankAccount) bool {
	text := strings.ToLower(strings.Join([]string{a.AccountHolderName, a.AccountLast4, a.CompanyID, a.EmployeeID, a.InstitutionName, reasonWords(a)}, " "))
	for _, word := range strings.Fields(strings.ToLower(m.search.Value())) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// nextReason goes through the reasons that are in the queue, and back to all.
func (m deskModel) nextReason() deskModel {
	var there []employee.Reason
	for _, r := range employee.Reasons {
		if slices.ContainsFunc(m.all, func(a employee.BankAccount) bool { return a.VerificationReason == r }) {
			there = append(there, r)
		}
	}
	there = append(there, "")
	m.reason = there[(slices.Index(there, m.reason)+1)%len(there)]
	m.cursor = 0
	return m
}

// current is the account under the cursor.
func (m deskModel) current() (employee.BankAccount, bool) {
	shown := m.shown()
	if m.cursor < 0 || m.cursor >= len(shown) {
		return employee.BankAccount{}, false
	}
	return shown[m.cursor], true
}

// scrolled keeps the cursor on an account and on the screen.
func (m deskModel) scrolled() deskModel {
	shown := m.shown()
	m.cursor = max(0, min(m.cursor, len(shown)-1))
	m.at = ""
	if len(shown) > 0 {
		m.at = shown[m.cursor].AccountID
	}
	rows := m.rows()
	m.top = max(0, min(m.top, m.cursor, len(shown)-rows))
	if m.cursor >= m.top+rows {
		m.top = m.cursor - rows + 1
	}
	m.scroll = max(0, min(m.scroll, len(m.text())-m.room()))
	return m
}

// inWords is an error as the bottom line says it.
func inWords(err error) string {
	text := err.Error()
	if f, is := errors.AsType[*fault.Error](err); is {
		if text = f.Message; f.Hint != "" {
			text += " (" + f.Hint + ")"
		}
	}
	return plain(text)
}
