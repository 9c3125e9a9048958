package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newACHDelete(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "delete ID", Aliases: []string{"rm"}, Short: "Destroy an ACH account's numbers and delete it", Args: one("the id of an ACH account"),
		Example:           "  bankctl ach delete 6a1f0e\n  bankctl ach delete 6a1f0e --yes",
		ValidArgsFunction: completeIDs(a, achIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runACHDelete(cmd.Context(), a, args[0]) },
	}
}

func runACHDelete(ctx context.Context, a *app, typed string) error {
	c, v, err := findACH(ctx, a, typed)
	if err != nil {
		return err
	}
	question := "Delete " + v.BankName + " " + v.AccountType + dots(v.AccountLast4) + " (" + v.ID + ")? Its numbers are destroyed."
	if err := a.ask(ctx, question, "deleting an ACH account"); err != nil {
		return err
	}
	d, err := c.DeleteACH(ctx, v.ID)
	if err != nil {
		return err
	}
	return a.showDeleted(d)
}
