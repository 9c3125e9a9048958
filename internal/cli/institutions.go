package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

func newInstitutions(a *app) *cobra.Command {
	return group("institutions", "Look banks up in Plaid's catalogue", newInstitutionsSearch(a), newInstitutionsGet(a))
}

func institutionID(b connection.BankInfo) string { return b.ID }

func institutionColumns() []column[connection.BankInfo] {
	return []column[connection.BankInfo]{
		{name: "id", value: institutionID},
		{name: "name", value: func(b connection.BankInfo) string { return b.Name }},
		{name: "oauth", value: func(b connection.BankInfo) string { return yesNo(b.OAuth) }},
		{name: "status", value: func(b connection.BankInfo) string { return b.Status }},
		{name: "products", value: func(b connection.BankInfo) string { return strings.Join(b.Products, ", ") }},
	}
}

func newInstitutionsSearch(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "search TEXT", Short: "Find a bank by its name, ten at most", Args: one("part of the bank's name"),
		Long: `Asks Plaid for the banks whose name has this text, and shows their ids: for --institution,
and to see what Plaid offers for a bank before somebody links it.`,
		Example:           "  bankctl institutions search platypus\n  bankctl institutions search 'first gingham' -o name",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.dataClient(cmd.Context())
			if err != nil {
				return err
			}
			found, err := c.SearchInstitutions(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return list(a, found, institutionID, institutionColumns())
		},
	}
}

func newInstitutionsGet(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "get ID", Short: "Show one bank", Args: one("the id of an institution, such as ins_109508"),
		Example:           "  bankctl institutions get ins_109508",
		ValidArgsFunction: completeInstitutions(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.dataClient(cmd.Context())
			if err != nil {
				return err
			}
			found, err := c.GetInstitution(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return single(a, found, institutionID, institutionColumns(), func() error {
				return a.card([]fact{
					{"institution", found.ID}, {"name", found.Name}, {"oauth", yesNo(found.OAuth)}, {"status", found.Status},
					{"products", strings.Join(found.Products, ", ")},
				})
			})
		},
	}
}
