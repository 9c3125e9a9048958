package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/page"
)

type employeeListOptions struct {
	personFlags
	unverified     bool
	reason, search string
	paging
}

func newEmployeeList(a *app) *cobra.Command {
	var o employeeListOptions
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the accounts of an employee, or of a whole company", Args: none(),
		Example: `  bankctl employee list --company acme --unverified
  bankctl employee list --company acme --employee e42
  bankctl employee list --company acme --reason number_mismatch -o json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runEmployeeList(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.company, "company", "", "the company's id (required)")
	f.StringVar(&o.employee, "employee", "", "of this employee alone")
	f.BoolVar(&o.unverified, "unverified", false, "those that are not verified")
	f.StringVar(&o.reason, "reason", "", "those with this reason, for instance number_mismatch")
	f.StringVar(&o.search, "search", "", "those in which each of these words is found")
	o.paging.flags(cmd)
	var reasons []string
	for _, r := range employee.Reasons {
		reasons = append(reasons, string(r))
	}
	completeWords(cmd, "reason", reasons...)
	for _, flag := range []string{"company", "employee", "search"} {
		register(cmd, flag, cobra.NoFileCompletions)
	}
	return cmd
}

func runEmployeeList(ctx context.Context, a *app, o employeeListOptions) error {
	if o.company == "" {
		return usage("it is your own id of the company", "--company is missing")
	}
	q := employee.Query{CompanyID: o.company, EmployeeID: o.employee, Reason: employee.Reason(o.reason), Search: o.search}
	if o.unverified {
		no := false
		q.IsVerified = &no
	}
	if q.Reason != "" && !q.Reason.Known() {
		return usage("see `bankctl employee list --reason <TAB>`, or the REASON column", "--reason cannot be %q", o.reason)
	}
	c, err := a.data(ctx)
	if err != nil {
		return err
	}
	rows, err := fetch(ctx, a, o.paging, func(ctx context.Context, p page.Request) ([]employee.BankAccount, page.Info, error) {
		if q.EmployeeID != "" {
			return c.ListEmployeeAccounts(ctx, q, p)
		}
		return c.ListCompanyAccounts(ctx, q, p)
	})
	if err != nil {
		return err
	}
	return list(a, rows, employeeAccountID, employeeColumns(a))
}
