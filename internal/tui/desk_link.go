package tui

import (
	"context"
	"slices"
	"time"

	"github.com/aymanbagabas/go-osc52/v2"
	tea "github.com/charmbracelet/bubbletea"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
)

// watch is a link session that the desk follows to its verdict.
type watch struct {
	of      employee.BankAccount
	session string
	since   time.Time
	doing   string              // the line of progress
	choose  *connection.Session // the session ended with several accounts: the user must choose
	failed  bool                // the save failed
}

type (
	linkMsg struct {
		of    employee.BankAccount
		token employee.TokenReply
		err   error
	}
	sessionMsg struct {
		account string
		session connection.Session
		err     error
	}
	verdictMsg struct {
		of  employee.BankAccount
		now employee.BankAccount
		err error
	}
)

const (
	waitingForEmployee = "waiting for the employee to finish at the bank"
	savingLink         = "the employee has finished; comparing the numbers"
)

// requestLink asks for a new link, unless the account was added without Plaid.
func (m deskModel) requestLink(a employee.BankAccount) (deskModel, tea.Cmd) {
	if a.VerificationType == employee.Manual {
		m.note = "this account was added without Plaid: no link can verify it"
		return m, nil
	}
	m.note = "asking for a link …"
	return m, func() tea.Msg {
		token, err := m.NewLink(m.ctx, a)
		return linkMsg{a, token, err}
	}
}

func (m deskModel) takeLink(r linkMsg) (deskModel, tea.Cmd) {
	m.note = ""
	if r.err != nil {
		m.note = "no link: " + errorText(r.err)
		return m, nil
	}
	m.links = with(m.links, r.of.AccountID, r.token)
	m.pane, m.subject = inLink, r.of
	return m, nil
}

// watchLink follows a link: the one made here, else the account's last one.
func (m deskModel) watchLink(a employee.BankAccount) (deskModel, tea.Cmd) {
	if w, on := m.watches[a.AccountID]; on && !w.failed {
		m.pane, m.subject = inLink, a
		if w.choose != nil {
			m.pane, m.choice = inChoice, likelyAccount(*w.choose, a)
		}
		return m, nil
	}
	session := m.links[a.AccountID].SessionID
	if session == "" && a.LastSession != nil {
		session = a.LastSession.SessionID
	}
	if session == "" {
		m.note = "there is no link to watch yet: l asks for one"
		return m, nil
	}
	w := watch{of: a, session: session, since: m.Now(), doing: waitingForEmployee}
	m.watches = with(m.watches, a.AccountID, w)
	m.pane, m.subject = inLink, a
	return m, m.pollSession(a.AccountID, session, 0)
}

func (m deskModel) pollSession(account, session string, after time.Duration) tea.Cmd {
	return func() tea.Msg {
		if after > 0 {
			pause(m.ctx, after)
		}
		s, err := m.PollSession(m.ctx, session)
		return sessionMsg{account, s, err}
	}
}

// pause waits for a duration, or until the screen ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// takeSession follows a session: it polls on while the session is pending, saves it when it has succeeded, and reloads
// the account otherwise.
func (m deskModel) takeSession(r sessionMsg) (deskModel, tea.Cmd) {
	w, on := m.watches[r.account]
	if !on {
		return m, nil
	}
	if r.err != nil {
		w.doing = "cannot look: " + errorText(r.err) + "; trying again"
		m.watches = with(m.watches, r.account, w)
		return m, m.pollSession(r.account, w.session, 2*time.Second)
	}
	if l := m.links[r.account]; l.SessionID == "" && r.session.HostedLinkURL != "" {
		m.links = with(m.links, r.account, employee.TokenReply{
			HostedLinkURL: r.session.HostedLinkURL, SessionID: r.session.ID, Expiration: r.session.Expiration, Mode: r.session.Mode,
		})
	}
	switch {
	case r.session.State == connection.Pending:
		w.doing = waitingForEmployee
		m.watches = with(m.watches, r.account, w)
		return m, m.pollSession(r.account, w.session, 0)
	case r.session.State == connection.Succeeded && len(r.session.Accounts) > 1 && r.session.PublicToken != "":
		w.choose, w.doing = &r.session, "the employee shared several accounts: choose the one entered"
		m.watches = with(m.watches, r.account, w)
		if m.pane == inLink && m.subject.AccountID == r.account {
			m.pane, m.choice = inChoice, likelyAccount(r.session, w.of)
		} else {
			m.note = sanitize(w.of.AccountHolderName) + " shared several accounts: w chooses"
		}
		return m, nil
	case r.session.State == connection.Succeeded:
		return m.save(w, r.session, 0)
	}
	return m, m.reload(w.of)
}

// likelyAccount gives the shared account with the last digits of the entered one, for the cursor to start on.
func likelyAccount(s connection.Session, a employee.BankAccount) int {
	return max(0, slices.IndexFunc(s.Accounts, func(x connection.MetadataAccount) bool { return x.Mask == a.AccountLast4 }))
}

func (m deskModel) save(w watch, s connection.Session, chosen int) (deskModel, tea.Cmd) {
	w.doing, w.choose = savingLink, nil
	m.watches = with(m.watches, w.of.AccountID, w)
	return m, func() tea.Msg {
		now, err := m.Save(m.ctx, w.of, s, chosen)
		return verdictMsg{w.of, now, err}
	}
}

func (m deskModel) reload(a employee.BankAccount) tea.Cmd {
	return func() tea.Msg {
		now, err := m.Reload(m.ctx, a)
		return verdictMsg{a, now, err}
	}
}

// takeVerdict shows a verdict in its pane if the user is there, else in a line.
func (m deskModel) takeVerdict(r verdictMsg) deskModel {
	id := r.of.AccountID
	w := m.watches[id]
	if r.err != nil {
		w.failed, w.doing = true, "not saved: "+errorText(r.err)+"; w tries again"
		m.watches = with(m.watches, id, w)
		return m
	}
	m.watches, m.links = without(m.watches, id), without(m.links, id)
	if r.now.IsVerified {
		m.all = slices.DeleteFunc(slices.Clone(m.all), func(a employee.BankAccount) bool { return a.AccountID == id })
	}
	for i, a := range m.all {
		if a.AccountID == id {
			m.all = slices.Clone(m.all)
			m.all[i] = r.now
		}
	}
	m.readAt = time.Time{} // due: the next tick reads the queue
	if (m.pane == inLink || m.pane == inChoice) && m.subject.AccountID == id {
		m.pane, m.subject = inVerdict, r.now
		return m
	}
	m.note = sanitize(r.now.AccountHolderName) + " " + dots(r.now.AccountLast4) + ": " + verdict(r.now)
	return m
}

// copyText copies to the clipboard through the terminal, which works over ssh too.
func (m deskModel) copyText(text, what string) tea.Cmd {
	return func() tea.Msg {
		if _, err := osc52.New(text).WriteTo(m.out); err != nil {
			return noteMsg{"the terminal did not take it"}
		}
		return noteMsg{what}
	}
}
