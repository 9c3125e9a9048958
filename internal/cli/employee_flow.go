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

// employeeFlow leads one account through Link to a verdict. Beside reads of the link session it makes only the calls that
// S2 documents: token, link, account.
type employeeFlow struct {
	signIn
	of   accountFlags
	mask string
}

func newEmployeeFlow(a *app, c *client.Client, of accountFlags, session, url string, expires time.Time, noBrowser bool, mask string) employeeFlow {
	again := "`bankctl employee retry " + of.asFlags() + "` tries again with the same account"
	return employeeFlow{of: of, mask: mask, signIn: signIn{
		app: a, client: c, session: session, url: url, expires: expires, noBrowser: noBrowser,
		words: signInWords{
			plain:  "The employee signs in at the bank on this page:",
			opened: "The employee signs in at the bank, in the browser that was opened:", unattended: "The employee signs in at the bank on this page",
			progress: func(connection.Session) string { return "waiting for the employee to finish at the bank" },
			left:     "you left before the employee had finished", resume: "bankctl employee wait " + of.asFlags(),
		},
		simulated: func(context.Context) (bool, error) { return tui.OnLoopback(url), nil },
		over:      func(s connection.Session) bool { return s.State != connection.Pending },
		outcome: func(s connection.Session) error { // the account stays as it is (R159-R161)
			return ended(s, "the link expired before the employee finished it; the account is not verified",
				"the employee left before finishing; the account is not verified", again, again)
		},
	}}
}

// save saves the connection and reads the account again: that reading alone decides whether it is verified (R165, R166).
func (f employeeFlow) save(ctx context.Context, s connection.Session) error {
	if !alreadySaved(s) {
		p, err := f.chosenAccount(ctx, s)
		if err != nil {
			return err
		}
		if _, err := f.client.LinkEmployeeAccount(ctx, f.of.company, f.of.employee, f.of.account, p); err != nil {
			return f.saveError(err)
		}
	}
	v, err := f.client.GetEmployeeAccount(ctx, f.of.company, f.of.employee, f.of.account)
	if err != nil {
		return err
	}
	return f.app.showVerdict(f.of, v)
}

// alreadySaved reports whether a new link's session was saved before, which uses up its public token.
func alreadySaved(s connection.Session) bool {
	return s.Mode == employee.ModeNew && s.PublicToken == "" && s.ConnectionID != ""
}

// saveError adds the command that repeats a failed save; until then the account counts as not verified (R162-R164).
func (f employeeFlow) saveError(err error) error {
	refused, is := errors.AsType[*fault.Error](err)
	if !is || refused.Hint != "" {
		return err
	}
	return refused.WithHint("the account is not verified yet; `bankctl employee wait %s %s` saves it again", f.of.asFlags(), f.session).Because(err)
}

// showVerdict prints the account, and ends with 11 where it is not verified.
func (a *app) showVerdict(f accountFlags, v employee.BankAccount) error {
	if err := a.showEmployeeAccount(v); err != nil || v.IsVerified {
		return err
	}
	return exitError{fault.ExitNotVerified, "not verified: " + reasonWords(v.VerificationReason), nextCommand(f, v)}
}

// nextCommand gives the command for an account's next step.
func nextCommand(f accountFlags, v employee.BankAccount) string {
	switch v.VerificationReason {
	case employee.DepositPending, employee.InstitutionDown, employee.PlaidUnavailable:
		return "`bankctl employee status " + f.asFlags() + "` shows how it stands later"
	case employee.TokenizedStrict, employee.RoutingReview:
		return "`bankctl employee attest " + f.asFlags() + " --reason …` once it is vouched for"
	}
	return "`bankctl employee retry " + f.asFlags() + "` tries again with the same account"
}
