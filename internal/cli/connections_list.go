package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

type connectionsListOptions struct {
	query connection.Query
	paging
}

func newConnectionsList(a *app) *cobra.Command {
	var o connectionsListOptions
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List linked banks, newest first", Args: none(),
		Example: "  bankctl connections list\n  bankctl connections list --status needs_reauth -o name",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runConnectionsList(cmd.Context(), a, o) },
	}
	filterFlags(a, cmd, &o.query)
	o.paging.flags(cmd)
	return cmd
}

func runConnectionsList(ctx context.Context, a *app, o connectionsListOptions) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	rows, err := fetch(ctx, a, o.paging, filtered(c.ListConnections, o.query))
	if err != nil {
		return err
	}
	return list(a, rows, connectionID, connectionColumns(a))
}
