package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

func newConnectionsGet(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "get ID", Short: "Show a linked bank and its accounts", Args: one("the id of a connection, or Plaid's item id"),
		Example:           "  bankctl connections get 6a1f0c\n  bankctl connections get 6a1f0c --jq .status",
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runConnectionsGet(cmd.Context(), a, args[0]) },
	}
}

func runConnectionsGet(ctx context.Context, a *app, typed string) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	id, err := resolve(ctx, "a connection", typed, connectionIDs(c))
	if err != nil {
		return err
	}
	conn, err := c.GetConnection(ctx, id)
	if err != nil {
		return err
	}
	return a.showConnection(conn)
}

func (a *app) showConnection(conn connection.Connection) error {
	return single(a, conn, connectionID, connectionColumns(a), func() error { return a.connectionCard(conn) })
}
