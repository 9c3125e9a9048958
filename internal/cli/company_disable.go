package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newCompanyDisable(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "disable COMPANY PLAID_VERIFY", Short: "Stop new verifications; accounts verified before stay so",
		Args:              arguments(2, 2, "a company's id and PLAID_VERIFY"),
		Example:           "  bankctl company disable acme PLAID_VERIFY",
		ValidArgsFunction: completeCapability,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCompanyDisable(cmd.Context(), a, args[0], args[1])
		},
	}
}

func runCompanyDisable(ctx context.Context, a *app, company, capability string) error {
	capability, err := checkCapability(capability)
	if err != nil {
		return err
	}
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	caps, err := c.DisableCapability(ctx, company, capability)
	if err != nil {
		return err
	}
	return a.showCompany(caps)
}
