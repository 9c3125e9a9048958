package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

func newConnectionsRotate(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "rotate-token ID", Short: "Swap a connection's access token for a new one", Args: one("the id of a connection, or Plaid's item id"),
		Long: `Has Plaid make a new access token; the old one is worthless at once. Nobody sees either.
Should the new one be lost on the way, the bank must be linked again: rotate one at a time.`,
		Example:           "  bankctl connections rotate-token 6a1f0c --yes",
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runConnectionsRotate(cmd.Context(), a, args[0]) },
	}
}

func runConnectionsRotate(ctx context.Context, a *app, typed string) error {
	c, conn, err := a.openConnection(ctx, typed)
	if err != nil {
		return err
	}
	if err := a.ask(ctx, "Swap the access token of "+conn.Institution.Name+" ("+conn.ID+")? Whoever else uses the old one is locked out.", "rotating a token"); err != nil {
		return err
	}
	r, err := c.RotateToken(ctx, conn.ID)
	if err != nil {
		return err
	}
	type t = connection.Rotated
	columns := []column[t]{
		{name: "id", value: func(x t) string { return x.ID }},
		{name: "item", value: func(x t) string { return x.ItemID }},
		{name: "rotated", value: func(x t) string { return utc(x.RotatedAt) }},
	}
	return single(a, r, columns[0].value, columns, func() error { return printTable(a, []t{r}, columns) })
}
