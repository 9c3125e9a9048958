package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/employee"
)

func newEmployeeDelete(a *app) *cobra.Command {
	var f accountFlags
	cmd := &cobra.Command{
		Use: "delete", Aliases: []string{"rm"}, Short: "Destroy an account's numbers and end what was linked for it", Args: none(),
		Example: "  bankctl employee delete --company-id acme --employee-id e42 --account-id 6a1f0b --yes",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runEmployeeDelete(cmd.Context(), a, f) },
	}
	f.flags(a, cmd)
	return cmd
}

func runEmployeeDelete(ctx context.Context, a *app, f accountFlags) error {
	c, err := f.open(ctx, a)
	if err != nil {
		return err
	}
	v, err := c.GetEmployeeAccount(ctx, f.company, f.employee, f.account)
	if err != nil {
		return err
	}
	question := "Delete the account of " + v.AccountHolderName + dots(v.AccountLast4) + " (" + v.AccountID + ", " + verdictWord(v) + ")? Its numbers are destroyed."
	if err := a.ask(ctx, question, "deleting an employee's account"); err != nil {
		return err
	}
	d, err := c.DeleteEmployeeAccount(ctx, f.company, f.employee, f.account)
	if err != nil {
		return err
	}
	type x = employee.Deleted
	columns := []column[x]{
		{name: "id", value: func(v x) string { return v.AccountID }},
		{name: "deleted", value: func(v x) string { return yesNo(v.Deleted) }},
		{name: "account", value: func(v x) string { return "••" + v.AccountLast4 }},
		{name: "was verified", value: func(v x) string { return yesNo(v.WasVerified) }},
	}
	return single(a, d, columns[0].value, columns, func() error { return printTable(a, []x{d}, columns) })
}
