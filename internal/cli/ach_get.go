package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/client"
)

func newACHGet(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "get ID", Short: "Show an ACH account: its last four digits, state and evidence", Args: one("the id of an ACH account"),
		Example:           "  bankctl ach get 6a1f0e",
		ValidArgsFunction: completeIDs(a, achIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runACHGet(cmd.Context(), a, args[0]) },
	}
}

func runACHGet(ctx context.Context, a *app, typed string) error {
	_, v, err := findACH(ctx, a, typed)
	if err != nil {
		return err
	}
	return a.showACH(v)
}

// findACH completes the id that was typed and reads the account.
func findACH(ctx context.Context, a *app, typed string) (*client.Client, account.ACH, error) {
	c, err := a.dataClient(ctx)
	if err != nil {
		return nil, account.ACH{}, err
	}
	id, err := resolve(ctx, "an ACH account", typed, achIDs(c))
	if err != nil {
		return nil, account.ACH{}, err
	}
	v, err := c.GetACH(ctx, id)
	return c, v, err
}
