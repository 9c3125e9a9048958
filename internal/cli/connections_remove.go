package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

func newConnectionsRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove ID", Aliases: []string{"rm"}, Short: "Remove a bank's access at Plaid and close what came from it",
		Args:              one("the id of a connection, or Plaid's item id"),
		Example:           "  bankctl connections remove 6a1f0c\n  bankctl connections remove 6a1f0c --yes",
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runConnectionsRemove(cmd.Context(), a, args[0]) },
	}
}

func runConnectionsRemove(ctx context.Context, a *app, typed string) error {
	c, err := a.data(ctx)
	if err != nil {
		return err
	}
	conn, err := findConnection(ctx, c, typed)
	if err != nil {
		return err
	}
	question := "Remove " + conn.Institution.Name + " (" + conn.ID + ") with " + strconv.Itoa(len(conn.Accounts)) +
		" accounts? ACH accounts whose numbers came from it are disabled."
	if err := a.ask(ctx, question, "removing a connection"); err != nil {
		return err
	}
	r, err := c.RemoveConnection(ctx, conn.ID)
	if err != nil {
		return err
	}
	columns := []column[connection.RemovedReply]{
		{name: "id", value: func(r connection.RemovedReply) string { return r.ID }},
		{name: "removed", value: func(r connection.RemovedReply) string { return yesNo(r.Deleted) }},
		{name: "disabled ach accounts", value: func(r connection.RemovedReply) string { return strconv.Itoa(r.Disabled) }},
	}
	return single(a, r, columns[0].value, columns, func() error { return printTable(a, []connection.RemovedReply{r}, columns) })
}
