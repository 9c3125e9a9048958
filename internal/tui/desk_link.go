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

// watch is a link session on its way to a verdict.
type watch struct {
	of      employee.BankAccount
	session string
	since   time.Time
	doing   string              // what is going on
	choose  *connection.Session // ended with several accounts: the user must say which
	failed  bool                // the save did not go through
}

type (
	minted struct {
		of    employee.BankAccount
		token employee.TokenReply
		err   error
	}
	looked struct {
		account string
		session connection.Session
		err     error
	}
	judged struct {
		of  employee.BankAccount
		now employee.BankAccount
		err error
	}
)

const (
	waitingForEmployee = "waiting for the employee to finish at the bank"
	savingLink         = "the employee has finished; comparing the numbers"
)

// mint asks for a fresh link, unless none can help.
func (m deskModel) mint(a employee.BankAccount) (deskModel, tea.Cmd) {
	if a.VerificationType == employee.Manual {
		m.note = "this account was added without Plaid: no link can verify it"
		return m, nil
	}
	m.note = "asking for a link …"
	return m, func() tea.Msg {
		token, err := m.Mint(m.ctx, a)
		return minted{a, token, err}
	}
}

func (m deskModel) linked(r minted) (deskModel, tea.Cmd) {
	m.note = ""
	if r.err != nil {
		m.note = "no link: " + inWords(r.err)
		return m, nil
	}
	m.links = with(m.links, r.of.AccountID, r.token)
	m.pane, m.subject = inLink, r.of
	return m, nil
}

// follow up on a link: the one minted here, or else the account's last one.
func (m deskModel) watch(a employee.BankAccount) (deskModel, tea.Cmd) {
	if w, on := m.watches[a.AccountID]; on && !w.failed {
		m.pane, m.subject = inLink, a
		if w.choose != nil {
			m.pane, m.choice = inChoice, likely(*w.choose, a)
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
	return m, m.look(a.AccountID, session, 0)
}

func (m deskModel) look(account, session string, after time.Duration) tea.Cmd {
	return func() tea.Msg {
		if after > 0 {
			pause(m.ctx, after)
		}
		s, err := m.Look(m.ctx, session)
		return looked{account, s, err}
	}
}

// pause waits unless the screen ends first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// seen follows a session: on while it is pending, over to the save when it succeeded, to a reload when it did not.
func (m deskModel) seen(r looked) (deskModel, tea.Cmd) {
	w, on := m.watches[r.account]
	if !on {
		return m, nil
	}
	if r.err != nil {
		w.doing = "cannot look: " + inWords(r.err) + "; trying again"
		m.watches = with(m.watches, r.account, w)
		return m, m.look(r.account, w.session, 2*time.Second)
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
		return m, m.look(r.account, w.session, 0)
	case r.session.State == connection.Succeeded && len(r.session.Accounts) > 1 && r.session.PublicToken != "":
		w.choose, w.doing = &r.session, "the employee shared several accounts: choose the one entered"
		m.watches = with(m.watches, r.account, w)
		if m.pane == inLink && m.subject.AccountID == r.account {
			m.pane, m.choice = inChoice, likely(r.session, w.of)
		} else {
			m.note = plain(w.of.AccountHolderName) + " shared several accounts: w chooses"
		}
		return m, nil
	case r.session.State == connection.Succeeded:
		return m.save(w, r.session, 0)
	}
	return m, m.reload(w.of)
}

// likely is the shared account that ends as the one entered does, for the cursor to start on.
func likely(s connection.Session, a employee.BankAccount) int {
	return max(0, slices.IndexFunc(s.Accounts, func(x connection.MetadataAccount) bool { return x.Mask == a.AccountLast4 }))
}

func (m deskModel) save(w watch, s connection.Session, chosen int) (deskModel, tea.Cmd) {
	w.doing, w.choose = savingLink, nil
	m.watches = with(m.watches, w.of.AccountID, w)
	return m, func() tea.Msg {
		now, err := m.Save(m.ctx, w.of, s, chosen)
		return judged{w.of, now, err}
	}
}

func (m deskModel) reload(a employee.BankAccount) tea.Cmd {
	return func() tea.Msg {
		now, err := m.Reload(m.ctx, a)
		return judged{a, now, err}
	}
}

// judged shows the verdict where the user is looking, and says it in a line where not.
func (m deskModel) judged(r judged) deskModel {
	id := r.of.AccountID
	w := m.watches[id]
	if r.err != nil {
		w.failed, w.doing = true, "not saved: "+inWords(r.err)+"; w tries again"
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
	m.readAt = time.Time{} // what else has changed is read at the next second
	if (m.pane == inLink || m.pane == inChoice) && m.subject.AccountID == id {
		m.pane, m.subject = inVerdict, r.now
		return m
	}
	m.note = plain(r.now.AccountHolderName) + " " + dots(r.now.AccountLast4) + ": " + verdict(r.now)
	return m
}

// copied asks the terminal to put a text on the clipboard; it works over ssh too.
func (m deskModel) copied(text, what string) tea.Cmd {
	return func() tea.Msg {
		if _, err := osc52.New(text).WriteTo(m.out); err != nil {
			return acted{"the terminal did not take it"}
		}
		return acted{what}
	}
}
