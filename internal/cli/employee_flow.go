package cli

import (
	"context"
	"errors"
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
	signIn
	of   accountFlags
	mask string
}

func newEmployeeFlow(a *app, c *client.Client, of accountFlags, session, url string, expires time.Time, noBrowser bool, mask string) employeeFlow {
	again := "`bankctl employee retry " + of.same() + "` tries again with the same account"
	return employeeFlow{of: of, mask: mask, signIn: signIn{
		app: a, client: c, session: session, url: url, expires: expires, noBrowser: noBrowser,
		words: signInWords{
			plain:  "The employee signs in at the bank on this page:",
			opened: "The employee signs in at the bank, in the browser that was opened:", unattended: "The employee signs in at the bank on this page",
			progress: func(connection.Session) string { return "waiting for the employee to finish at the bank" },
			left:     "you left before the employee had finished", resume: "bankctl employee wait " + of.same(),
		},
		simulated: func(context.Context) (bool, error) { return tui.OnLoopback(url), nil },
		over:      func(s connection.Session) bool { return s.State != connection.Pending },
		outcome: func(s connection.Session) error { // the account stays as it is (R159-R161)
			return ended(s, "the link expired before the employee finished it; the account is not verified",
				"the employee left before finishing; the account is not verified", again, again)
		},
	}}
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
	return refused.WithHint("the account is not verified yet; `bankctl employee wait %s %s` saves it again", f.of.same(), f.session).Because(err)
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
