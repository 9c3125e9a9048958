package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/page"
)

type employeeListOptions struct {
	personFlags
	unverified bool
	query      employee.Query
	paging
}

func newEmployeeList(a *app) *cobra.Command {
	var o employeeListOptions
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the accounts of an employee, or of a whole company", Args: none(),
		Example: `  bankctl employee list --company-id acme --unverified
  bankctl employee list --company-id acme --employee-id e42
  bankctl employee list --company-id acme --reason number_mismatch -o json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runEmployeeList(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.company, "company-id", "", "the company's id (required)")
	f.StringVar(&o.employee, "employee-id", "", "of this employee alone")
	f.BoolVar(&o.unverified, "unverified", false, "those that are not verified")
	filterFlags(a, cmd, &o.query)
	o.paging.flags(cmd)
	register(cmd, "company-id", cobra.NoFileCompletions)
	register(cmd, "employee-id", cobra.NoFileCompletions)
	return cmd
}

func runEmployeeList(ctx context.Context, a *app, o employeeListOptions) error {
	if o.company == "" {
		return usage("it is your own id of the company", "--company-id is missing")
	}
	q := o.query
	q.CompanyID, q.EmployeeID = o.company, o.employee
	if o.unverified {
		no := false
		q.IsVerified = &no
	}
	if q.Reason != "" && !q.Reason.Known() {
		return usage("see `bankctl employee list --reason <TAB>`, or the REASON column", "--reason cannot be %q", q.Reason)
	}
	c, err := a.dataClient(ctx)
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
