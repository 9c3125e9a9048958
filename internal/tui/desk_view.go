package tui

import (
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/bankctl/bankctl/internal/employee"
)

// Lines around the queue: title, filter and head above; rule, summary, note and keys below.
const (
	above  = 3
	wide   = 116 // columns from which on the queue shows whose and which bank
	lowest = 16  // lines below which the summary is left out
	narrow = 72  // columns below which the last link is left out
	usual  = 24
)

// summary is how many lines there are for what is the matter with the account under the cursor.
func (m deskModel) summary() int {
	if m.height < usual {
		return 4
	}
	return 6
}

// rows is how many accounts the screen has room for.
func (m deskModel) rows() int {
	if m.height < lowest {
		return max(1, m.height-above-2)
	}
	return max(1, m.height-above-1-m.summary()-2)
}

// room is how many lines of text a pane has room for.
func (m deskModel) room() int { return max(1, m.height-4) }

func (m deskModel) View() string {
	if m.over {
		return ""
	}
	var lines []string
	switch m.pane {
	case inDetail:
		lines = m.viewDetail()
	case inLink:
		lines = m.viewLink()
	case inChoice:
		lines = m.viewChoice()
	case inVerdict:
		lines = m.viewVerdict()
	case inHistory, inBundle, inHelp:
		lines = m.viewText()
	default:
		lines = m.viewQueue()
	}
	lines = lines[:min(len(lines), m.height)]
	for i := range lines {
		lines[i] = fit(lines[i], m.width)
	}
	return strings.Join(lines, "\n")
}

// framed puts a body between a title and the bottom lines, which stay at the bottom.
func (m deskModel) framed(title, right string, body []string, keys ...string) []string {
	lines := []string{m.titled(title, right)}
	if len(body) <= m.height-4 {
		lines = append(lines, "")
	}
	lines = append(lines, body...)
	lines = lines[:min(len(lines), max(1, m.height-2))]
	for len(lines) < m.height-2 {
		lines = append(lines, "")
	}
	return append(lines, m.noted(), m.styles.keyLine(m.width, keys...))
}

// titled is a title with something at the right end of its line.
func (m deskModel) titled(left, right string) string {
	left, right = " "+plain(left), plain(right)
	gap := m.width - ansi.StringWidth(left) - ansi.StringWidth(right) - 1
	if gap < 2 {
		return m.styles.title.Render(left)
	}
	return m.styles.title.Render(left) + strings.Repeat(" ", gap) + m.styles.dim.Render(right)
}

func (m deskModel) noted() string {
	if m.note == "" {
		return ""
	}
	return " " + m.styles.cursor.Render(plain(m.note))
}

func (m deskModel) viewQueue() []string {
	shown := m.shown()
	lines := []string{m.titled(m.queueTitle(), m.place(len(shown))+m.freshness()), m.filterLine(len(shown)), m.styles.dim.Render(m.row("  ", columns{
		"HOLDER", "ACCOUNT", "WHY IT IS NOT VERIFIED", "AGE", "LAST LINK", "COMPANY / EMPLOYEE", "BANK"}))}
	rows := m.rows()
	for i := m.top; i < min(len(shown), m.top+rows); i++ {
		lines = append(lines, m.line(shown[i], i == m.cursor))
	}
	if len(shown) == 0 {
		lines = append(lines, "", "  "+m.emptiness())
	}
	for len(lines) < above+rows {
		lines = append(lines, "")
	}
	if m.height >= lowest {
		lines = append(lines, m.styles.dim.Render(strings.Repeat("─", max(0, m.width))))
		lines = append(lines, m.selected()...)
	}
	if m.typing {
		return append(lines, m.noted(), m.styles.keyLine(m.width, "type", "to search", "enter", "keep", "esc", "clear"))
	}
	return append(lines, m.noted(), m.styles.keyLine(m.width, "l", "link", "w", "watch", "h", "history", "b", "bundle", "enter", "detail", "/", "search", "?", "help", "q", "quit"))
}

func (m deskModel) queueTitle() string {
	title := "Not verified: " + plural(len(m.all), "account", "accounts")
	if !m.loaded {
		title = "Not verified"
	}
	if len(m.Companies) == 1 {
		return title + " at " + m.Companies[0]
	}
	return title + " at " + plural(len(m.Companies), "company", "companies")
}

// place is where the cursor stands, where the queue is longer than the screen.
func (m deskModel) place(n int) string {
	if n <= m.rows() {
		return ""
	}
	return fmt.Sprintf("%d of %d, ", m.cursor+1, n)
}

func (m deskModel) freshness() string {
	switch {
	case m.trouble != "" && !m.loaded:
		return "bankd does not answer"
	case m.trouble != "":
		return "as of " + age(m.Now().Sub(m.fresh)) + " ago: bankd does not answer"
	case !m.loaded:
		return "reading …"
	case m.loading:
		return "live …"
	}
	return "live"
}

func (m deskModel) filterLine(n int) string {
	if m.typing {
		return " " + m.search.View()
	}
	var on []string
	if m.search.Value() != "" {
		on = append(on, "/ "+plain(m.search.Value()))
	}
	if m.reason != "" {
		on = append(on, "only: "+reasonWords(employee.BankAccount{VerificationReason: m.reason}))
	}
	if len(on) == 0 {
		return ""
	}
	return " " + strings.Join(on, "   ") + m.styles.dim.Render(fmt.Sprintf("   %d of %d; esc shows all", n, len(m.all)))
}

func (m deskModel) emptiness() string {
	switch {
	case m.trouble != "":
		return m.styles.bad.Render(m.trouble)
	case !m.loaded:
		return "reading the queue …"
	case len(m.all) == 0:
		return m.styles.good.Render("Nothing waits: every account is verified.")
	}
	return "No account fits the search; esc shows all."
}

// columns are the texts of one row.
type columns struct{ holder, account, why, age, last, whose, bank string }

func (m deskModel) row(mark string, c columns) string {
	fixed := 2 + 7 + 2 + 26 + 2 + 4 // all but the holder, with the gaps
	if m.width >= narrow {
		fixed += 2 + 9
	}
	if m.width >= wide {
		fixed += 2 + 20 + 2 + 16
	}
	holder := max(8, min(30, m.width-fixed-3))
	parts := []string{mark + cell(c.holder, holder), cell(c.account, 7), cell(c.why, 26), cell(c.age, 4)}
	if m.width >= narrow {
		parts = append(parts, cell(c.last, 9))
	}
	if m.width >= wide {
		parts = append(parts, cell(c.whose, 20), cell(c.bank, 16))
	}
	return strings.Join(parts, "  ")
}

func (m deskModel) line(a employee.BankAccount, at bool) string {
	last := outcomeWord(a.LastSession)
	if _, on := m.watches[a.AccountID]; on {
		last = m.spin() + " watched"
	}
	c := columns{a.AccountHolderName, dots(a.AccountLast4), reasonWords(a), age(m.Now().Sub(a.CreatedAt)), last, a.CompanyID + " / " + a.EmployeeID, a.InstitutionName}
	if at {
		return m.styles.cursor.Render(m.row("> ", c))
	}
	return m.row("  ", c)
}

var spinning = []string{"|", "/", "-", "\\"}

func (m deskModel) spin() string { return spinning[m.frame%len(spinning)] }

// selected says about the account under the cursor what is the matter and what to do now.
func (m deskModel) selected() []string {
	a, ok := m.current()
	var lines []string
	room := m.summary()
	if ok {
		lines = append(lines, " "+m.styles.title.Render(plain(a.AccountHolderName)+" "+dots(a.AccountLast4))+
			m.styles.dim.Render("  "+plain(a.CompanyID+" / "+a.EmployeeID)))
		for _, text := range wrap(a.VerificationMessage, m.width-2) {
			lines = append(lines, " "+text)
		}
		mark := " next: "
		for _, text := range wrap(a.NextStep, m.width-len(mark)-1) {
			lines = append(lines, mark+text)
			mark = "       "
		}
	}
	if len(lines) > room {
		lines = append(lines[:room-1], m.styles.dim.Render("      … enter shows the rest"))
	}
	for len(lines) < room {
		lines = append(lines, "")
	}
	return lines
}
