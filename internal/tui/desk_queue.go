package tui

import (
	"cmp"
	"errors"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
)

// takeQueue replaces the queue by a new reading. The cursor stays on its account.
func (m deskModel) takeQueue(r queueMsg) deskModel {
	m.loading, m.readAt = false, m.Now()
	if r.err != nil {
		m.lastError = errorText(r.err)
		return m
	}
	m.lastError, m.loaded, m.lastGoodAt = "", true, m.Now()
	m.all = slices.DeleteFunc(slices.Clone(r.rows), func(a employee.BankAccount) bool { return a.IsVerified })
	slices.SortFunc(m.all, func(a, b employee.BankAccount) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.AccountID, b.AccountID))
	})
	m = m.restoreCursor()
	for _, a := range m.all {
		if a.AccountID == m.subject.AccountID && (m.pane == inDetail || m.pane == inLink) {
			m.subject = a
		}
	}
	return m
}

// restoreCursor puts the cursor back on its account; if that has left the queue, the cursor keeps its position.
func (m deskModel) restoreCursor() deskModel {
	i := slices.IndexFunc(m.visible(), func(a employee.BankAccount) bool { return a.AccountID == m.currentID })
	if i >= 0 {
		m.cursor = i
	}
	return m
}

// visible lists the accounts that match the reason and every word of the search.
func (m deskModel) visible() []employee.BankAccount {
	q := employee.Query{Search: m.search.Value()}
	return slices.DeleteFunc(slices.Clone(m.all), func(a employee.BankAccount) bool {
		return m.reason != "" && m.reason != a.VerificationReason || !q.Match(a) && !m.findsWords(a)
	})
}

// findsWords searches the words that the desk shows in place of reason codes.
func (m deskModel) findsWords(a employee.BankAccount) bool {
	text := strings.ToLower(strings.Join([]string{a.AccountHolderName, a.AccountLast4, a.CompanyID, a.EmployeeID, a.InstitutionName, reasonWords(a)}, " "))
	for _, word := range strings.Fields(strings.ToLower(m.search.Value())) {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

// nextReason filters by the next reason that occurs in the queue; after the last one by none.
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
	shown := m.visible()
	if m.cursor < 0 || m.cursor >= len(shown) {
		return employee.BankAccount{}, false
	}
	return shown[m.cursor], true
}

// clampCursor keeps the cursor on an account and on the screen.
func (m deskModel) clampCursor() deskModel {
	shown := m.visible()
	m.cursor = max(0, min(m.cursor, len(shown)-1))
	m.currentID = ""
	if len(shown) > 0 {
		m.currentID = shown[m.cursor].AccountID
	}
	rows := m.rows()
	m.top = max(0, min(m.top, m.cursor, len(shown)-rows))
	if m.cursor >= m.top+rows {
		m.top = m.cursor - rows + 1
	}
	m.scroll = max(0, min(m.scroll, len(m.text())-m.textRows()))
	return m
}

// errorText writes an error for the bottom line.
func errorText(err error) string {
	text := err.Error()
	if f, is := errors.AsType[*fault.Error](err); is {
		if text = f.Message; f.Hint != "" {
			text += " (" + f.Hint + ")"
		}
	}
	return sanitize(text)
}
