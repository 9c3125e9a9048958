package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

func newConnectionsSync(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "sync ID", Short: "Read the accounts of a linked bank anew", Args: one("the id of a connection, or Plaid's item id"),
		Example:           "  bankctl connections sync 6a1f0c",
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runConnectionsSync(cmd.Context(), a, args[0]) },
	}
}

func runConnectionsSync(ctx context.Context, a *app, typed string) error {
	c, conn, err := a.openConnection(ctx, typed)
	if err != nil {
		return err
	}
	s, err := c.SyncAccounts(ctx, connection.ItemParams{ItemID: conn.ItemID})
	if err != nil {
		return err
	}
	count := func(n func(connection.Synced) int) func(connection.Synced) string {
		return func(s connection.Synced) string { return strconv.Itoa(n(s)) }
	}
	columns := []column[connection.Synced]{
		{name: "connection", value: func(s connection.Synced) string { return s.ConnectionID }},
		{name: "status", value: func(s connection.Synced) string { return s.Status }},
		{name: "added", value: count(func(s connection.Synced) int { return s.Added })},
		{name: "updated", value: count(func(s connection.Synced) int { return s.Updated })},
		{name: "inactive", value: count(func(s connection.Synced) int { return s.Inactive })},
	}
	return single(a, s, columns[0].value, columns, func() error { return printTable(a, []connection.Synced{s}, columns) })
}
