package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newAccountsSetPrimary(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "set-primary ID", Short: "Make a bank account its owner's primary", Args: one("the id of a bank account"),
		Example:           "  bankctl accounts set-primary 6a1f0d",
		ValidArgsFunction: completeIDs(a, accountIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runAccountsSetPrimary(cmd.Context(), a, args[0]) },
	}
}

func runAccountsSetPrimary(ctx context.Context, a *app, typed string) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	id, err := resolve(ctx, "a bank account", typed, accountIDs(c))
	if err != nil {
		return err
	}
	v, err := c.SetDefaultAccount(ctx, id)
	if err != nil {
		return err
	}
	return a.showAccount(v)
}
