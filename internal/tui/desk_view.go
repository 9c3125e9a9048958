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
	wide   = 116 // from this width on the queue shows company and bank
	lowest = 16  // the summary needs this height
	narrow = 72  // the last link needs this width
	usual  = 24
)

// summary is the number of lines about the account under the cursor.
func (m deskModel) summary() int {
	if m.height < usual {
		return 4
	}
	return 6
}

// rows is the number of accounts on the screen.
func (m deskModel) rows() int {
	if m.height < lowest {
		return max(1, m.height-above-2)
	}
	return max(1, m.height-above-1-m.summary()-2)
}

// textRows is the number of lines of text in a pane.
func (m deskModel) textRows() int { return max(1, m.height-4) }

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

// layout puts a body between a title and the lines at the bottom.
func (m deskModel) layout(title, right string, body []string, keys ...string) []string {
	lines := []string{m.titleLine(title, right)}
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

// titleLine is a title with something at the right end of its line.
func (m deskModel) titleLine(left, right string) string {
	left, right = " "+sanitize(left), sanitize(right)
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
	return " " + m.styles.cursor.Render(sanitize(m.note))
}

func (m deskModel) viewQueue() []string {
	shown := m.visible()
	lines := []string{m.titleLine(m.queueTitle(), m.position(len(shown))+m.freshness()), m.filterLine(len(shown)), m.styles.dim.Render(m.row("  ", columns{
		"HOLDER", "ACCOUNT", "WHY IT IS NOT VERIFIED", "AGE", "LAST LINK", "COMPANY / EMPLOYEE", "BANK"}))}
	rows := m.rows()
	for i := m.top; i < min(len(shown), m.top+rows); i++ {
		lines = append(lines, m.line(shown[i], i == m.cursor))
	}
	if len(shown) == 0 {
		lines = append(lines, "", "  "+m.emptyText())
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

// position shows the cursor's place in a queue that is longer than the screen.
func (m deskModel) position(n int) string {
	if n <= m.rows() {
		return ""
	}
	return fmt.Sprintf("%d of %d, ", m.cursor+1, n)
}

func (m deskModel) freshness() string {
	switch {
	case m.lastError != "" && !m.loaded:
		return "bankd does not answer"
	case m.lastError != "":
		return "as of " + age(m.Now().Sub(m.lastGoodAt)) + " ago: bankd does not answer"
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
		on = append(on, "/ "+sanitize(m.search.Value()))
	}
	if m.reason != "" {
		on = append(on, "only: "+reasonWords(employee.BankAccount{VerificationReason: m.reason}))
	}
	if len(on) == 0 {
		return ""
	}
	return " " + strings.Join(on, "   ") + m.styles.dim.Render(fmt.Sprintf("   %d of %d; esc shows all", n, len(m.all)))
}

func (m deskModel) emptyText() string {
	switch {
	case m.lastError != "":
		return m.styles.bad.Render(m.lastError)
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
	fixed := 2 + 7 + 2 + 26 + 2 + 4 // all columns but the holder, with the gaps
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

// selected explains the state of the account under the cursor and its next step.
func (m deskModel) selected() []string {
	a, ok := m.current()
	var lines []string
	room := m.summary()
	if ok {
		lines = append(lines, " "+m.styles.title.Render(sanitize(a.AccountHolderName)+" "+dots(a.AccountLast4))+
			m.styles.dim.Render("  "+sanitize(a.CompanyID+" / "+a.EmployeeID)))
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
