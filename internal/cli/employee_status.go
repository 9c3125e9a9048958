package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newEmployeeStatus(a *app) *cobra.Command {
	var f accountFlags
	cmd := &cobra.Command{
		Use: "status", Short: "Show an account's verification, reason and next step", Args: none(),
		Example: `  bankctl employee status --company-id acme --employee-id e42 --account-id 6a1f0b
  bankctl employee status --company-id acme --employee-id e42 --account-id 6a1f0b --jq .isVerified`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runEmployeeStatus(cmd.Context(), a, f) },
	}
	f.flags(a, cmd)
	return cmd
}

func runEmployeeStatus(ctx context.Context, a *app, f accountFlags) error {
	c, err := f.open(ctx, a)
	if err != nil {
		return err
	}
	v, err := c.GetEmployeeAccount(ctx, f.company, f.employee, f.account)
	if err != nil {
		return err
	}
	return a.showEmployeeAccount(v)
}
