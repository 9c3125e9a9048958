package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newClientList(a *app) *cobra.Command {
	var p paging
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List clients, revoked ones included", Args: none(),
		Example: "  bankctl client list\n  bankctl client list --jq '.[] | select(.revoked_at == null) | .name'",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runClientList(cmd.Context(), a, p) },
	}
	p.flags(cmd)
	return cmd
}

func runClientList(ctx context.Context, a *app, p paging) error {
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	rows, err := fetch(ctx, a, p, c.ListClients)
	if err != nil {
		return err
	}
	return list(a, rows, clientID, clientColumns())
}
