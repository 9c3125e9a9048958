package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
)

func newClientRevoke(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "revoke ID", Short: "End a client: its next call is refused", Args: one("the id of a client"),
		Example:           "  bankctl client revoke bankd_test_cli_3kTmQ0",
		ValidArgsFunction: completeClients(a),
		RunE:              func(cmd *cobra.Command, args []string) error { return runClientRevoke(cmd.Context(), a, args[0]) },
	}
}

// clientMark separates the common part of a client's id from its own part, which may be shortened.
const clientMark = "_cli_"

func runClientRevoke(ctx context.Context, a *app, typed string) error {
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	id, err := matchClient(ctx, c, typed)
	if err != nil {
		return err
	}
	question := "Revoke " + id + "?"
	if me, err := a.whoami(); err == nil && me.clientID == id {
		question = "Revoke " + id + "? It is the client you go as."
	}
	if err := a.ask(ctx, question, "revoking a client"); err != nil {
		return err
	}
	cl, err := c.RevokeClient(ctx, id)
	if err != nil {
		return err
	}
	return single(a, cl, clientID, clientColumns(), func() error { return a.card(clientFacts(cl)) })
}

// matchClient finds a client by the beginning of its own part of the id.
func matchClient(ctx context.Context, c *client.Client, typed string) (string, error) {
	_, own, found := strings.Cut(typed, clientMark)
	if !found {
		own = typed
	}
	return matchPrefix(ctx, "a client", own, clientIDs(c), func(id, typed string) bool {
		_, rest, _ := strings.Cut(id, clientMark)
		return strings.HasPrefix(rest, typed)
	})
}

// completeClients completes the one argument of a command about a client.
func completeClients(a *app) func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.liveIDs(cmd, typed, func(credentials) (*client.Client, error) { return a.adminClient() }, clientIDs), cobra.ShellCompDirectiveNoFileComp
	}
}
