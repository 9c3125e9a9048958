package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newCompanyShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show COMPANY [PLAID_VERIFY]", Short: "Show what a company has switched on", Args: arguments(1, 2, "a company's id"),
		Example:           "  bankctl company show acme",
		ValidArgsFunction: completeCapability,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 2 {
				if _, err := checkCapability(args[1]); err != nil {
					return err
				}
			}
			return runCompanyShow(cmd.Context(), a, args[0])
		},
	}
}

func runCompanyShow(ctx context.Context, a *app, company string) error {
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	caps, err := c.GetCompany(ctx, company)
	if err != nil {
		return err
	}
	return a.showCompany(caps)
}
