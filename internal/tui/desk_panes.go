package tui

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/trail"
)

func who(a employee.BankAccount) string   { return a.AccountHolderName + " " + dots(a.AccountLast4) }
func whose(a employee.BankAccount) string { return a.CompanyID + " / " + a.EmployeeID }

// facts lists names and values. Long values are wrapped beside their names, empty ones are left out.
func (m deskModel) facts(pairs ...string) []string {
	const name = 13
	var lines []string
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		for n, text := range wrap(pairs[i+1], m.width-name-4) {
			label := pairs[i]
			if n > 0 {
				label = ""
			}
			lines = append(lines, "  "+m.styles.dim.Render(cell(label, name))+" "+text)
		}
	}
	return lines
}

func (m deskModel) paragraph(text string) []string {
	var lines []string
	for _, l := range wrap(text, m.width-4) {
		lines = append(lines, "  "+l)
	}
	return lines
}

// moment writes a time and how long ago it was.
func (m deskModel) moment(t time.Time) string {
	return t.In(m.Now().Location()).Format("2006-01-02 15:04") + ", " + age(m.Now().Sub(t)) + " ago"
}

func (m deskModel) viewDetail() []string {
	a := m.subject
	body := append(m.paragraph(a.VerificationMessage), "")
	body = append(body, m.facts("next", a.NextStep)...)
	body = append(body, "")
	body = append(body, m.facts("reason", string(a.VerificationReason), "account", string(a.AccountType)+" "+dots(a.AccountLast4), "routing", dots(a.RoutingLast4),
		"bank", bankOf(a), "added", m.moment(a.CreatedAt), "changed", m.moment(a.UpdatedAt), "last link", m.lastLink(a), "account id", a.AccountID)...)
	return m.layout(who(a), whose(a), body, "l", "link", "w", "watch", "h", "history", "b", "bundle", "esc", "back")
}

func bankOf(a employee.BankAccount) string {
	if a.InstitutionName == "" {
		return "not linked yet"
	}
	if a.Mask != "" && a.Mask != a.AccountLast4 {
		return a.InstitutionName + ", account " + dots(a.Mask) + " was chosen"
	}
	return a.InstitutionName
}

func (m deskModel) lastLink(a employee.BankAccount) string {
	s := a.LastSession
	if s == nil {
		return "none"
	}
	text := outcomeWord(s) + ", " + m.moment(s.At)
	if s.ErrorCode != "" {
		text += ", " + s.ErrorCode
	}
	if s.ExitStatus != "" {
		text += ", at " + strings.ReplaceAll(s.ExitStatus, "_", " ")
	}
	return text
}

func (m deskModel) viewLink() []string {
	a := m.subject
	token, linked := m.links[a.AccountID]
	w, watched := m.watches[a.AccountID]
	const blank = "\x00" // marks lines that a QR code may take
	body := append(m.paragraph("Send this address to the employee: only they can sign in at the bank."), blank)
	if linked {
		body = append(body, m.address(token)...)
		body = append(body, blank)
		if code := m.code(token.HostedLinkURL); len(code) > 0 {
			switch spare := m.height - len(body) - 6 - len(code); {
			case spare >= 0:
				body = append(append(body, code...), blank)
			case spare+5 >= 0:
				body = append(slices.DeleteFunc(body[1:], func(l string) bool { return l == blank }), code...)
			default:
				body = append(body, "  "+m.styles.dim.Render(fmt.Sprintf("(%d more lines of screen would show a QR code)", -spare-5)), blank)
			}
		}
	}
	for i := range body {
		body[i] = strings.TrimPrefix(body[i], blank)
	}
	switch {
	case watched && w.failed:
		body = append(body, m.paragraph(w.doing)...)
	case watched:
		body = append(body, "  "+m.styles.cursor.Render(m.spin()+" "+sanitize(w.doing))+m.styles.dim.Render("  "+age(m.Now().Sub(w.since))))
	default:
		body = append(body, "  w watches it live, and shows the verdict.")
	}
	keys := []string{"c", "copy"}
	if m.Open != nil {
		keys = append(keys, "o", "open here")
	}
	if !watched {
		keys = append(keys, "w", "watch")
	}
	return m.layout("Link for "+who(a), whose(a), body, append(keys, "h", "history", "b", "bundle", "esc", "back")...)
}

// address shows a link's whole address, on several lines if need be, and the time until it expires.
func (m deskModel) address(token employee.TokenReply) []string {
	var lines []string
	for _, part := range strings.Split(ansi.Hardwrap(sanitize(token.HostedLinkURL), max(10, m.width-4), false), "\n") {
		lines = append(lines, "  "+m.styles.title.Render(part))
	}
	what := "a new link"
	if token.Mode == employee.ModeUpdate {
		what = "to sign in again at the bank linked before"
	}
	if OnLoopback(token.HostedLinkURL) {
		what += " of a SIMULATION: no real bank is involved"
	}
	return append(lines, "  "+m.styles.dim.Render(what+", "+countdown(token.Expiration.Sub(m.Now()))))
}

// code is the address's QR code, a line each, or nothing where no phone could open it.
func (m deskModel) code(url string) []string {
	code := QR(url)
	if code == "" {
		return nil
	}
	lines := strings.Split(strings.TrimRight(code, "\n"), "\n")
	for i := range lines {
		lines[i] = "  " + lines[i]
	}
	return lines
}

func (m deskModel) viewChoice() []string {
	w := m.watches[m.subject.AccountID]
	body := m.paragraph("The employee shared several accounts at " + nameOf(w) + ". Which one is the account entered, " + dots(m.subject.AccountLast4) + "?")
	body = append(body, "")
	if w.choose != nil {
		for i, x := range w.choose.Accounts {
			text := cell(x.Name, 30) + "  " + cell(dots(x.Mask), 7) + " " + sanitize(x.Subtype)
			if i == m.choice {
				body = append(body, m.styles.cursor.Render("  > "+text))
			} else {
				body = append(body, "    "+text)
			}
		}
	}
	body = append(body, "")
	body = append(body, m.paragraph("Whatever is chosen, the bank's own numbers decide.")...)
	return m.layout("Link for "+who(m.subject), whose(m.subject), body, "up/down", "move", "enter", "choose", "esc", "back")
}

func nameOf(w watch) string {
	if w.choose == nil || w.choose.Institution == nil || w.choose.Institution.Name == "" {
		return "the bank"
	}
	return w.choose.Institution.Name
}

func (m deskModel) viewVerdict() []string {
	a := m.subject
	head := m.styles.bad.Bold(true).Render("✗ NOT VERIFIED") + "  " + reasonWords(a)
	keys := []string{"l", "new link", "h", "history", "b", "bundle", "esc", "back to the queue"}
	if a.IsVerified {
		head, keys = m.styles.good.Bold(true).Render("✓ VERIFIED"), keys[2:]
	}
	body := append([]string{"  " + head, ""}, m.paragraph(a.VerificationMessage)...)
	body = append(body, "")
	body = append(body, m.facts("next", a.NextStep)...)
	body = append(body, "")
	bank := bankOf(a)
	facts := []string{"bank", bank}
	if e := a.Evidence; e != nil && a.IsVerified {
		facts = append(facts, "compared", e.Comparison+" ("+e.Strength+" evidence)")
		if e.NameScore != nil {
			facts = append(facts, "owner's name", "fits "+strconv.Itoa(*e.NameScore)+" of 100")
		}
	}
	facts = append(facts, "reason", string(a.VerificationReason), "account id", a.AccountID)
	body = append(body, m.facts(facts...)...)
	return m.layout(who(a), whose(a), body, keys...)
}

// takeHistory opens the pane for which the account's history was read.
func (m deskModel) takeHistory(r historyMsg) (deskModel, tea.Cmd) {
	m.note = ""
	if r.err != nil {
		m.note = "no history: " + errorText(r.err)
		return m, nil
	}
	if m.pane == inQueue || m.pane == inDetail || m.pane == inLink || m.pane == inVerdict {
		m.back = m.pane
	}
	m.subject, m.scroll = r.of, 0
	if !r.bundle {
		m.pane, m.lines = inHistory, m.historyLines(r.rows)
		return m, nil
	}
	m.pane, m.lines = inBundle, newBundle(r.of, r.rows, m.Version, m.Now()).lines()
	return m, m.copyText(joined(m.lines), bundleCopied)
}

func (m deskModel) historyLines(rows []trail.Record) []string {
	if len(rows) == 0 {
		return []string{"nothing has happened yet"}
	}
	var lines []string
	for _, r := range rows {
		by := r.ClientName
		if by == "" {
			by = "bankd"
		}
		text := r.Time.In(m.Now().Location()).Format("2006-01-02 15:04:05") + "  " + cell(strings.TrimPrefix(r.Action, "employee."), 9) + " " + cell(r.Outcome, 10) + " by " + sanitize(by)
		lines = append(lines, text)
		if d := details(r.Details); d != "" {
			lines = append(lines, "    "+d)
		}
	}
	return lines
}

// text is the content of a scrolling pane.
func (m deskModel) text() []string {
	if m.pane == inHelp {
		return helpLines
	}
	return m.lines
}

func (m deskModel) viewText() []string {
	title, keys := "History of "+who(m.subject), []string{"up/down", "scroll", "esc", "back"}
	right := whose(m.subject)
	switch m.pane {
	case inBundle:
		title, keys = "Support bundle: ids and reasons, no names, no numbers", append([]string{"c", "copy again"}, keys...)
	case inHelp:
		title, right = "Keys of the desk", ""
	}
	var body []string
	text := m.text()
	for i := m.scroll; i < min(len(text), m.scroll+m.textRows()); i++ {
		body = append(body, "  "+sanitize(text[i]))
	}
	return m.layout(title, right, body, keys...)
}

var helpLines = strings.Split(strings.TrimSpace(`
l        ask for a fresh link for this account; then
           c  copy it     o  open it here     w  watch it
w        watch the account's link live: when the employee has finished,
         the connection is saved and the account's state is read again.
         Watching goes on when you go back to the queue.
h        what happened to the account
b        copy a support bundle: ids and reasons, no names, no numbers
enter    everything about the account

/        search as you type: name, last four, reason, employee, bank
f        one reason after the other
esc      show all again; or go back
r        read the queue now (it is read every few seconds anyway)
q        leave

A link is for the employee: only they can sign in at the bank. Nothing
here makes an account verified by hand; an administrator vouches for one
with bankctl employee attest.
`), "\n")
