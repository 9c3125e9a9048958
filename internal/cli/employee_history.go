package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/trail"
)

type employeeHistoryOptions struct {
	accountFlags
	paging
}

func newEmployeeHistory(a *app) *cobra.Command {
	var o employeeHistoryOptions
	cmd := &cobra.Command{
		Use: "history", Short: "Show what happened to an account, newest first", Args: none(),
		Example: "  bankctl employee history --company-id acme --employee-id e42 --account-id 6a1f0b",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runEmployeeHistory(cmd.Context(), a, o) },
	}
	o.accountFlags.flags(a, cmd)
	o.paging.flags(cmd)
	return cmd
}

func runEmployeeHistory(ctx context.Context, a *app, o employeeHistoryOptions) error {
	c, err := o.open(ctx, a)
	if err != nil {
		return err
	}
	rows, err := fetch(ctx, a, o.paging, func(ctx context.Context, p page.Request) ([]trail.Record, page.Info, error) {
		return c.GetEmployeeHistory(ctx, o.company, o.employee, o.account, p)
	})
	if err != nil {
		return err
	}
	return list(a, rows, func(r trail.Record) string { return strconv.FormatUint(r.Seq, 10) }, auditColumns(a))
}
