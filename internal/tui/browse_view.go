package tui

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/txn"
)

// Lines around the rows: title, filter and head above; totals, note and keys below.
const browseAround = 3 + 3

// rows is the number of rows on the screen.
func (m browseModel) rows() int { return max(1, m.height-browseAround-max(0, m.sumLines()-1)) }

// sumLines is the number of currencies that have a line of their own: more on a taller screen.
func (m browseModel) sumLines() int { return max(1, min(len(m.sums), m.height/8)) }

func (m browseModel) View() string {
	if m.over {
		return ""
	}
	lines := m.viewRows()
	if m.detail {
		lines = m.viewDetail()
	}
	if over := len(lines) - m.height; over > 0 { // keeps the line of keys
		lines = append(lines[:max(0, m.height-1)], lines[len(lines)-1])
	}
	for i := range lines {
		lines[i] = fit(lines[i], m.width)
	}
	return strings.Join(lines, "\n")
}

func (m browseModel) viewRows() []string {
	lines := []string{m.titled(), m.filterLine(), m.styles.dim.Render("  " + m.line("DATE", "OUT", "IN", "", "NAME", "CATEGORY"))}
	rows := m.rows()
	for i := m.top; i < min(m.total, m.top+rows); i++ {
		lines = append(lines, m.rowLine(i))
	}
	if m.total == 0 {
		lines = append(lines, "  "+m.emptyText())
	}
	for len(lines) < 3+rows {
		lines = append(lines, "")
	}
	lines = append(lines, m.totals()...)
	lines = append(lines, m.noteLine())
	if m.typing {
		return append(lines, m.styles.keyLine(m.width, "type", "to filter", "enter", "keep", "esc", "clear"))
	}
	return append(lines, m.styles.keyLine(m.width, "↑↓", "move", "/", "filter", "enter", "detail", "pgup pgdn", "page", "g G", "ends", "r", "reload", "q", "quit"))
}

func (m browseModel) titled() string {
	left, right := " Transactions", ""
	switch {
	case m.total > 0:
		right = fmt.Sprintf("%s of %s", thousands(m.cursor+1), thousands(m.total))
	case !m.totalKnown:
		right = "reading …"
	}
	space := m.width - ansi.StringWidth(left) - ansi.StringWidth(right) - 1
	if space < 2 {
		return m.styles.title.Render(left)
	}
	return m.styles.title.Render(left) + strings.Repeat(" ", space) + m.styles.dim.Render(right)
}

func (m browseModel) filterLine() string {
	switch {
	case m.typing:
		return " " + m.filter.View()
	case m.filter.Value() != "":
		return " / " + sanitize(m.filter.Value()) + m.styles.dim.Render("   esc shows all")
	}
	return ""
}

func (m browseModel) emptyText() string {
	switch {
	case !m.totalKnown:
		return "reading …"
	case m.filter.Value() != "":
		return "No transaction fits the filter; esc shows all."
	}
	return "There are no transactions."
}

func (m browseModel) noteLine() string {
	if m.note == "" {
		return ""
	}
	return " " + m.styles.cursor.Render(sanitize(m.note))
}

const (
	moneyWidth = 12
	browseWide = 92 // from this width on rows show the category
)

// line is one row's cells in their columns.
func (m browseModel) line(date, out, in, currency, name, category string) string {
	code := m.codeWidth()
	fixed := 2 + 10 + 2*(2+moneyWidth) + 2 + code + 2
	rest := max(6, m.width-fixed)
	if m.width < browseWide {
		return strings.Join([]string{cell(date, 10), right(out), right(in), cell(currency, code), cell(name, rest)}, "  ")
	}
	return strings.Join([]string{cell(date, 10), right(out), right(in), cell(currency, code), cell(name, rest-24), cell(category, 22)}, "  ")
}

// codeWidth is the width of the widest code among the sums, so that no code is cut.
func (m browseModel) codeWidth() int {
	width := 3
	for _, s := range m.sums {
		width = max(width, ansi.StringWidth(sanitize(s.Currency)))
	}
	return width
}

// right aligns a cell of money.
func right(s string) string {
	return strings.Repeat(" ", max(0, moneyWidth-ansi.StringWidth(s))) + s
}

func (m browseModel) rowLine(i int) string {
	mark := "  "
	if i == m.cursor {
		mark = "> "
	}
	t, here := m.pages.row(i)
	if !here {
		return m.styles.dim.Render(mark + "…")
	}
	out, in := sides(t)
	name := t.Name
	if t.Pending {
		name = "pending: " + name
	}
	text := mark + m.line(t.Date, out, in, t.Currency, name, words(t.Category))
	switch {
	case i == m.cursor:
		return m.styles.cursor.Render(text)
	case t.Pending:
		return m.styles.dim.Render(text)
	}
	return m.colorAmount(text, out, in)
}

// colorAmount paints the amount of a line: out red, in green.
func (m browseModel) colorAmount(text, out, in string) string {
	if out != "" {
		return strings.Replace(text, right(out), m.styles.bad.Render(right(out)), 1)
	}
	return strings.Replace(text, right(in), m.styles.good.Render(right(in)), 1)
}

// sides writes an amount in the column it belongs to.
func sides(t txn.Transaction) (out, in string) {
	text := figure(t.Amount, t.Currency)
	if t.Direction == txn.Debit {
		return text, ""
	}
	return "", strings.TrimPrefix(text, "-")
}

// figure is an amount without its currency.
func figure(minor int64, currency string) string {
	return strings.TrimSpace(strings.TrimSuffix(money.Amount{Minor: minor, Currency: currency}.String(), currency))
}

func words(category string) string { return strings.ToLower(strings.ReplaceAll(category, "_", " ")) }

func thousands(n int) string { return strings.TrimSuffix(figure(int64(n), "JPY"), ".") }

// codeText is a currency's code for people.
func codeText(currency string) string { return cmp.Or(sanitize(currency), "(no currency)") }

// totals show the sums of the whole selection, not of the screen alone.
func (m browseModel) totals() []string {
	if !m.sumsKnown || len(m.sums) == 0 {
		text := " adding up …"
		if m.sumsKnown {
			text = " 0 transactions"
		}
		return []string{m.styles.dim.Render(text)}
	}
	var lines []string
	for i, s := range m.sums[:m.sumLines()] {
		text := fmt.Sprintf(" %s  out %s  in %s  net %s %s", thousands(int(s.Total)),
			figure(s.Debits, s.Currency), figure(s.Credits, s.Currency), figure(s.Net, s.Currency), codeText(s.Currency))
		if left := len(m.sums) - m.sumLines(); left > 0 && i == m.sumLines()-1 {
			text += fmt.Sprintf("  (and %s)", plural(left, "currency", "currencies"))
		}
		lines = append(lines, m.styles.title.Render(text))
	}
	return lines
}

func (m browseModel) viewDetail() []string {
	t, here := m.current()
	lines := []string{m.titled(), ""}
	if !here {
		lines = append(lines, "  reading …")
	} else {
		for _, f := range browseFacts(t) {
			if f[1] == "" || len(lines) >= m.height-2 {
				continue
			}
			lines = append(lines, "  "+m.styles.dim.Render(cell(f[0], 12))+"  "+sanitize(f[1]))
		}
	}
	for len(lines) < m.height-2 {
		lines = append(lines, "")
	}
	return append(lines, m.noteLine(), m.styles.keyLine(m.width, "↑↓", "the next ones", "enter", "back", "q", "back"))
}

func browseFacts(t txn.Transaction) [][2]string {
	out, in := sides(t)
	state := "posted"
	if t.Pending {
		state = "pending"
	}
	exact := ""
	if t.Rounded {
		exact = "the bank's amount was finer than the currency"
	}
	side := [2]string{"in", in + " " + codeText(t.Currency)}
	if out != "" {
		side = [2]string{"out", out + " " + codeText(t.Currency)}
	}
	return [][2]string{
		{"name", t.Name}, {"merchant", t.MerchantName}, side, {"rounded", exact}, {"date", t.Date}, {"authorized", t.AuthorizedDate},
		{"state", state}, {"category", words(t.Category)}, {"detail", words(t.CategoryDetailed)}, {"channel", t.PaymentChannel}, {"check", t.CheckNumber},
		{"employer", t.EmployerID}, {"carrier", t.CarrierID}, {"account", t.BankAccountID}, {"connection", t.ConnectionID},
		{"id", t.ID}, {"plaid id", t.PlaidTransactionID}, {"was pending", t.PendingTransactionID},
		{"first seen", stamp(t.FirstSeen)}, {"updated", stamp(t.UpdatedAt)},
	}
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
