package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newConnectionsCheck(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "check ID", Short: "Ask Plaid how a linked bank is, and bring it in line", Args: one("the id of a connection, or Plaid's item id"),
		Long: `Asks after the connection, reads its accounts anew and the numbers that ACH accounts rest
on. bankd does this by itself from time to time; this does it now. Exit code 10 says that
somebody must sign in again or link anew.`,
		Example:           "  bankctl connections check 6a1f0c\n  bankctl connections check 6a1f0c --jq .status",
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runConnectionsCheck(cmd.Context(), a, args[0]) },
	}
}

func runConnectionsCheck(ctx context.Context, a *app, typed string) error {
	c, conn, err := a.openConnection(ctx, typed)
	if err != nil {
		return err
	}
	if conn, err = c.CheckConnection(ctx, conn.ID); err != nil {
		return err
	}
	if err := a.showConnection(conn); err != nil {
		return err
	}
	return relinkError(conn)
}
