package cli

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/employee"
)

func newCompanyEnable(a *app) *cobra.Command {
	var policy string
	cmd := &cobra.Command{
		Use: "enable COMPANY PLAID_VERIFY", Short: "Let a company's employees verify their accounts through Plaid",
		Args: arguments(2, 2, "a company's id and PLAID_VERIFY"),
		Long: `Switches a capability on. Some banks (Chase, PNC, US Bank) hand out aliases instead of
account numbers, which never equal what an employee typed; --tokenized-policy says what
is done about them: mask compares the last four digits, the routing number and the
owner's name, adopt pays to the alias, strict never verifies them.`,
		Example:           "  bankctl company enable acme PLAID_VERIFY\n  bankctl company enable acme PLAID_VERIFY --tokenized-policy strict",
		ValidArgsFunction: completeCapability,
		RunE: func(cmd *cobra.Command, args []string) error {
			return runCompanyEnable(cmd.Context(), a, args[0], args[1], employee.Policy(policy))
		},
	}
	cmd.Flags().StringVar(&policy, "tokenized-policy", "", "mask, adopt or strict (left out: as it was, mask at first)")
	completeWords(cmd, "tokenized-policy", policyWords()...)
	return cmd
}

func policyWords() []string {
	var words []string
	for _, p := range employee.Policies {
		words = append(words, string(p))
	}
	return words
}

func runCompanyEnable(ctx context.Context, a *app, company, capability string, policy employee.Policy) error {
	capability, err := checkCapability(capability)
	if err != nil {
		return err
	}
	if policy != "" && !slices.Contains(employee.Policies, policy) {
		return usage("mask, adopt or strict", "--tokenized-policy cannot be %q", policy)
	}
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	caps, err := c.EnableCapability(ctx, company, capability, employee.CapabilityParams{TokenizedPolicy: policy})
	if err != nil {
		return err
	}
	return a.showCompany(caps)
}
