package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tui"
)

// employeeFlow is one account on its way through Link to a verdict. Beside reads of the link session it makes the calls
// of the document and no others: token, link, account.
type employeeFlow struct {
	app       *app
	client    *client.Client
	of        accountFlags
	session   string
	url       string
	expires   time.Time
	noBrowser bool
	mask      string
}

// finish ends the session without a browser.
func (f employeeFlow) finish(ctx context.Context, p connection.CompleteParams) (connection.Session, error) {
	f.app.say("Signing in at %s without a browser …", clean(p.InstitutionID))
	s, err := f.client.CompleteSession(ctx, f.session, p)
	if err != nil {
		return s, err
	}
	if s.State == connection.Pending {
		return f.poll(ctx)
	}
	return s, f.ended(s)
}

// wait shows the page's address, opens it where there is a browser, and waits for the session's end.
func (f employeeFlow) wait(ctx context.Context) (connection.Session, error) {
	a := f.app
	open := a.opener(f.url)
	if f.noBrowser {
		open = nil
	}
	if !a.canPrompt() {
		fmt.Fprintf(a.Stderr, "The employee signs in at the bank on this page (until %s):\n%s\n", utc(f.expires), clean(f.url))
		return f.poll(ctx)
	}
	title := "The employee signs in at the bank on this page:"
	if open != nil {
		title = "The employee signs in at the bank, in the browser that was opened:"
		if err := open(); err != nil {
			a.say("The browser could not be started: %v", reason(err))
		}
	}
	var last connection.Session
	err := tui.Wait(ctx, a.terminal(), tui.Waiting{
		Title: title, URL: clean(f.url), QR: !loopback(f.url), Expires: f.expires, Simulation: loopback(f.url), Open: open, Now: a.Now,
	}, func(ctx context.Context) (bool, string, error) {
		s, err := f.client.GetSession(ctx, f.session, lookOnScreen)
		last = s
		return err == nil && s.State != connection.Pending, "waiting for the employee to finish at the bank", err
	})
	if errors.Is(err, tui.ErrQuit) {
		return last, exitError{fault.ExitLeft, "you left before the employee had finished", "`bankctl employee wait " + f.of.same() + "` goes on waiting until the page expires"}
	}
	if err != nil {
		return last, err
	}
	return last, f.ended(last)
}

// poll waits without a screen.
func (f employeeFlow) poll(ctx context.Context) (connection.Session, error) {
	for {
		s, err := f.client.GetSession(ctx, f.session, look)
		if err != nil {
			return s, err
		}
		if s.State != connection.Pending {
			return s, f.ended(s)
		}
	}
}

// ended turns the end of a session into an error, unless it succeeded. The account stays as it is (R159-R161).
func (f employeeFlow) ended(s connection.Session) error {
	again := "`bankctl employee retry " + f.of.same() + "` tries again with the same account"
	switch s.State {
	case connection.Expired:
		return exitError{fault.ExitLeft, "the link expired before the employee finished it; the account is not verified", again}
	case connection.Exited:
		why := "the employee left before finishing; the account is not verified"
		if s.Exit != nil && s.Exit.ErrorCode != "" {
			why += " (" + s.Exit.ErrorCode + ")"
		}
		return exitError{fault.ExitLeft, why, again}
	}
	if s.Trouble != nil {
		return s.Trouble
	}
	return nil
}

// save saves the connection and reads the account anew, which alone says whether it is verified (R165, R166).
func (f employeeFlow) save(ctx context.Context, s connection.Session) error {
	if !saved(s) {
		p, err := f.chosen(ctx, s)
		if err != nil {
			return err
		}
		if _, err := f.client.LinkEmployeeAccount(ctx, f.of.company, f.of.employee, f.of.account, p); err != nil {
			return f.unsaved(err)
		}
	}
	v, err := f.client.GetEmployeeAccount(ctx, f.of.company, f.of.employee, f.of.account)
	if err != nil {
		return err
	}
	return f.app.showVerdict(f.of, v)
}

// saved reports whether somebody saved a new link's session already: its public token is used up.
func saved(s connection.Session) bool {
	return s.Mode == employee.ModeNew && s.PublicToken == "" && s.ConnectionID != ""
}

// unsaved tells how to take up a save that failed: nothing may be assumed verified (R162-R164).
func (f employeeFlow) unsaved(err error) error {
	refused, is := errors.AsType[*fault.Error](err)
	if !is || refused.Hint != "" {
		return err
	}
	again := *refused
	return again.WithHint("the account is not verified yet; `bankctl employee wait %s %s` saves it again", f.of.same(), f.session).Because(err)
}

// showVerdict prints the account, and ends with 11 where it is not verified.
func (a *app) showVerdict(f accountFlags, v employee.BankAccount) error {
	if err := a.showEmployeeAccount(v); err != nil || v.IsVerified {
		return err
	}
	return exitError{fault.ExitNotVerified, "not verified: " + reasonWords(v.VerificationReason), nextCommand(f, v)}
}

// nextCommand is the command that goes with an account's next step.
func nextCommand(f accountFlags, v employee.BankAccount) string {
	switch v.VerificationReason {
	case employee.DepositPending, employee.InstitutionDown, employee.PlaidUnavailable:
		return "`bankctl employee status " + f.same() + "` shows how it stands later"
	case employee.TokenizedStrict, employee.RoutingReview:
		return "`bankctl employee attest " + f.same() + " --reason …` once it is vouched for"
	}
	return "`bankctl employee retry " + f.same() + "` tries again with the same account"
}
