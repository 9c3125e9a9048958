package tui

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/x/ansi"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/trail"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// waiting is an account of the queue, so many hours old.
func waiting(id, holder, last4 string, r employee.Reason, hours int) employee.BankAccount {
	message, next := employee.Explain(r)
	return employee.BankAccount{
		AccountID: id, CompanyID: "acme", EmployeeID: "e" + id, AccountHolderName: holder, AccountType: employee.Checking,
		VerificationType: employee.ByPlaid, VerificationReason: r, VerificationMessage: message, NextStep: next,
		AccountLast4: last4, RoutingLast4: "1533", CreatedAt: noon.Add(-time.Duration(hours) * time.Hour), UpdatedAt: noon,
	}
}

func queue() []employee.BankAccount {
	all := []employee.BankAccount{
		waiting("3", "Li Park", "0000", employee.NotStarted, 1), waiting("1", "Ana Diaz", "1111", employee.NumberMismatch, 30),
		waiting("2", "Bo \x1b[31mChen\u202e", "0000", employee.TokenizedStrict, 5), waiting("4", "王小明", "9002", employee.RoutingReview, 0),
		waiting("5", "Maximiliana Featherstonehaugh-Cholmondeley", "0000", employee.Exited, 100),
	}
	all[1].InstitutionName, all[1].InstitutionID = "First Platypus Bank", "ins_109508"
	all[1].LastSession = &employee.Session{SessionID: "s1", Outcome: connection.Succeeded, At: noon.Add(-time.Hour)}
	all[4].LastSession = &employee.Session{SessionID: "s5", Outcome: connection.Exited, ExitStatus: "requires_credentials", At: noon.Add(-2 * time.Hour)}
	return all
}

// stage is a desk on a simulated client and clock.
type stage struct {
	t    *testing.T
	m    deskModel
	rows []employee.BankAccount
	err  error
	now  time.Time
	out  strings.Builder

	sessions []connection.Session // what each look finds, the last one again and again
	saved    int                  // -1 = nothing was saved
	saveErr  error
	verdict  employee.BankAccount
}

func newStage(t *testing.T, width, height int) *stage {
	s := &stage{t: t, rows: queue(), now: noon, saved: -1}
	d := Desk{
		Companies: []string{"acme", "globex"}, Version: "v1", Every: 4 * time.Second, Now: func() time.Time { return s.now },
		Queue:   func(context.Context) ([]employee.BankAccount, error) { return s.rows, s.err },
		Reload:  func(context.Context, employee.BankAccount) (employee.BankAccount, error) { return s.verdict, nil },
		History: func(context.Context, employee.BankAccount) ([]trail.Record, error) { return history(), nil },
		NewLink: func(context.Context, employee.BankAccount) (employee.TokenReply, error) {
			return employee.TokenReply{LinkToken: "t", HostedLinkURL: "https://secure.plaid.com/hl/6a1f0b8f2b3c4d5e", SessionID: "s9", Expiration: noon.Add(24 * time.Hour), Mode: employee.ModeNew}, s.err
		},
		PollSession: func(context.Context, string) (connection.Session, error) {
			next := s.sessions[0]
			if len(s.sessions) > 1 {
				s.sessions = s.sessions[1:]
			}
			return next, s.err
		},
		Save: func(_ context.Context, _ employee.BankAccount, _ connection.Session, chosen int) (employee.BankAccount, error) {
			s.saved = chosen
			return s.verdict, s.saveErr
		},
	}
	s.m = newDeskModel(t.Context(), Terminal{Out: io.Discard}, d, &s.out)
	s.send(tea.WindowSizeMsg{Width: width, Height: height})
	s.send(s.m.readQueue())
	return s
}

// send gives the reducer a message and the answers of what it asked for, one command deep.
func (s *stage) send(msg tea.Msg) tea.Cmd {
	next, cmd := s.m.Update(msg)
	s.m = next.(deskModel)
	return cmd
}

var named = map[string]tea.KeyType{"enter": tea.KeyEnter, "esc": tea.KeyEsc, "down": tea.KeyDown, "up": tea.KeyUp, "pgdown": tea.KeyPgDown, "ctrl+c": tea.KeyCtrlC}

// press presses keys, and executes the commands of each before the next one.
func (s *stage) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		msg := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
		if special, ok := named[k]; ok {
			msg = tea.KeyMsg{Type: special}
		}
		s.run(s.send(msg))
	}
}

// run executes commands, and those that follow from them, to the end. A link that stays pending gets one more look.
func (s *stage) run(cmd tea.Cmd) {
	s.t.Helper()
	for n := 0; cmd != nil && n < 5 && !s.m.typing; n++ {
		msg := cmd()
		if msg == nil {
			return
		}
		if _, quits := msg.(tea.QuitMsg); quits {
			return
		}
		cmd = s.send(msg)
		if l, is := msg.(sessionMsg); is && l.session.State == connection.Pending && len(s.sessions) == 1 {
			return
		}
	}
}

func (s *stage) view() string { return ansi.Strip(s.m.View()) }

func (s *stage) shows(want ...string) {
	s.t.Helper()
	for _, w := range want {
		if !strings.Contains(s.view(), w) {
			s.t.Errorf("%q is not on the screen:\n%s", w, s.view())
		}
	}
}

func history() []trail.Record {
	return []trail.Record{
		{Time: noon, Action: "employee.verify", Outcome: "ok", RequestID: "req_2", ClientID: "cli_1", ClientName: "maria",
			Details: map[string]string{"verified": "false", "reason": "number_mismatch", "connection": "c1", "plaid_request_id": "plaid_7", "surprise": "1111222233331111"}},
		{Time: noon.Add(-time.Hour), Action: "employee.attest", Outcome: "forbidden", RequestID: "req_1", Details: map[string]string{"reason": "seen by Ana Diaz"}},
	}
}

func pending() connection.Session {
	return connection.Session{ID: "s9", State: connection.Pending, Mode: "new"}
}

func shared3() connection.Session {
	return connection.Session{ID: "s9", State: connection.Succeeded, Mode: "new", PublicToken: "p", Institution: &connection.Institution{ID: "ins_109508", Name: "First Platypus Bank"},
		Accounts: []connection.MetadataAccount{{ID: "a", Name: "Plaid Checking", Mask: "0000", Subtype: "checking"}, {ID: "b", Name: "Plaid Saving", Mask: "1111", Subtype: "savings"}}}
}

func verifiedAna() employee.BankAccount {
	score := 100
	a := queue()[1]
	a.IsVerified, a.VerificationReason = true, ""
	a.VerificationMessage, a.NextStep = employee.Explain("")
	a.Evidence = &employee.Evidence{Comparison: employee.ComparedNumbers, Strength: employee.Strong, NameScore: &score}
	return a
}
