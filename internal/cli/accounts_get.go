package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newAccountsGet(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "get ID", Short: "Show a bank account", Args: one("the id of a bank account"),
		Example:           "  bankctl accounts get 6a1f0d",
		ValidArgsFunction: completeIDs(a, accountIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runAccountsGet(cmd.Context(), a, args[0]) },
	}
}

func runAccountsGet(ctx context.Context, a *app, typed string) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	id, err := resolve(ctx, "a bank account", typed, accountIDs(c))
	if err != nil {
		return err
	}
	v, err := c.GetAccount(ctx, id)
	if err != nil {
		return err
	}
	return a.showAccount(v)
}
