package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/employee"
)

func newEmployee(a *app) *cobra.Command {
	return group("employee", "Add and verify employees' bank accounts for direct deposit",
		newEmployeeAdd(a), newEmployeeVerify(a), newEmployeeRetry(a), newEmployeeWait(a), newEmployeeStatus(a), newEmployeeList(a),
		newEmployeeHistory(a), newEmployeeDelete(a), newEmployeeAttest(a), newEmployeeDesk(a))
}

// personFlags name the employee whose account it is.
type personFlags struct{ company, employee string }

func (p *personFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.company, "company-id", "", "the company's id (required)")
	cmd.Flags().StringVar(&p.employee, "employee-id", "", "the employee's id (required)")
	register(cmd, "company-id", cobra.NoFileCompletions)
	register(cmd, "employee-id", cobra.NoFileCompletions)
}

func (p personFlags) check() error {
	switch {
	case p.company == "":
		return usage("it is your own id of the company", "--company-id is missing")
	case p.employee == "":
		return usage("it is your own id of the employee", "--employee-id is missing")
	}
	return nil
}

// accountFlags name one account of one employee.
type accountFlags struct {
	personFlags
	account string
}

func (f *accountFlags) flags(a *app, cmd *cobra.Command) {
	f.personFlags.flags(cmd)
	cmd.Flags().StringVar(&f.account, "account-id", "", "the account's id, or the unique start of it (required)")
	completeFlagIDs(a, cmd, "account-id", func(c *client.Client) lister { return employeeIDs(c, f.company, f.employee) })
}

func (f accountFlags) check() error {
	if err := f.personFlags.check(); err != nil {
		return err
	}
	if f.account == "" {
		return usage("`bankctl employee list --company-id "+f.company+" --employee-id "+f.employee+"` shows them", "--account-id is missing")
	}
	return nil
}

// asFlags writes the flags for a follow-up command.
func (f accountFlags) asFlags() string {
	return "--company-id " + f.company + " --employee-id " + f.employee + " --account-id " + f.account
}

// open gives the client and completes the account's id.
func (f *accountFlags) open(ctx context.Context, a *app) (*client.Client, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return nil, err
	}
	f.account, err = resolve(ctx, "an account", f.account, employeeIDs(c, f.company, f.employee))
	return c, err
}

func employeeIDs(c *client.Client, company, employeeID string) lister {
	all := filtered(c.ListEmployeeAccounts, employee.Query{CompanyID: company, EmployeeID: employeeID})
	return candidates(all, employeeAccountID, func(x employee.BankAccount) string {
		return x.AccountHolderName + dots(x.AccountLast4) + " (" + verdictWord(x) + ")"
	})
}

func employeeAccountID(x employee.BankAccount) string { return x.AccountID }

// reasonWords writes a reason with spaces.
func reasonWords(r employee.Reason) string { return strings.ReplaceAll(string(r), "_", " ") }

// verdictWord summarizes an account's state.
func verdictWord(x employee.BankAccount) string {
	switch {
	case x.IsVerified && x.VerificationReason == employee.Attested:
		return "verified by hand"
	case x.IsVerified:
		return "verified"
	}
	return "not verified: " + reasonWords(x.VerificationReason)
}

func employeeColumns(a *app) []column[employee.BankAccount] {
	type x = employee.BankAccount
	return []column[x]{
		{name: "id", value: employeeAccountID},
		{name: "holder", value: func(v x) string { return v.AccountHolderName }},
		{name: "account", value: func(v x) string { return "••" + v.AccountLast4 }},
		{name: "verified", value: func(v x) string { return yesNo(v.IsVerified) }, short: func(v x) string { return tick(v.IsVerified) }},
		{name: "reason", value: func(v x) string { return string(v.VerificationReason) }, short: func(v x) string { return reasonWords(v.VerificationReason) }},
		{name: "employee", value: func(v x) string { return v.EmployeeID }},
		{name: "added", value: func(v x) string { return utc(v.CreatedAt) }, short: func(v x) string { return a.ago(v.CreatedAt) }},
		{name: "last link", value: lastOutcome},
		{name: "bank", value: func(v x) string { return v.InstitutionName }},
		{name: "type", value: func(v x) string { return string(v.AccountType) }},
		{name: "by", value: func(v x) string { return string(v.VerificationType) }},
	}
}

func lastOutcome(v employee.BankAccount) string {
	if v.LastSession == nil {
		return ""
	}
	return v.LastSession.Outcome
}

func (a *app) showEmployeeAccount(v employee.BankAccount) error {
	return single(a, v, employeeAccountID, employeeColumns(a), func() error {
		facts := []fact{
			{"verdict", verdictWord(v)}, {"reason", string(v.VerificationReason)}, {"what it means", v.VerificationMessage}, {"next step", v.NextStep},
			{"account", v.AccountID}, {"company", v.CompanyID}, {"employee", v.EmployeeID}, {"holder", v.AccountHolderName},
			{"type", string(v.AccountType)}, {"number", "••" + v.AccountLast4}, {"routing", "••" + v.RoutingLast4},
			{"verification", string(v.VerificationType)}, {"bank", v.InstitutionName}, {"evidence", evidenceWords(v.Evidence)},
		}
		if v.LastCheck != nil {
			facts = append(facts, fact{"last check", v.LastCheck.Message + " (" + a.moment(v.LastCheck.At) + ")"})
		}
		if v.LastSession != nil {
			facts = append(facts, fact{"last link", v.LastSession.Outcome + " " + a.moment(v.LastSession.At)})
		}
		if v.VerifiedAt != nil {
			facts = append(facts, fact{"verified since", a.moment(*v.VerifiedAt)})
		}
		return a.card(append(facts, fact{"added", a.moment(v.CreatedAt)}, fact{"updated", a.moment(v.UpdatedAt)}))
	})
}

// evidenceWords summarizes an account's evidence in one line.
func evidenceWords(e *employee.Evidence) string {
	if e == nil || e.Strength == employee.NoProof {
		return ""
	}
	parts := []string{e.Comparison + " compared", e.Strength}
	if e.Comparison == employee.AttestedByHand {
		parts = []string{"attested by hand"}
	}
	if e.Tokenized {
		parts = append(parts, "aliased numbers, policy "+string(e.Policy))
	}
	if e.NameScore != nil {
		parts = append(parts, "name score "+strconv.Itoa(*e.NameScore))
	}
	return strings.Join(parts, ", ")
}
