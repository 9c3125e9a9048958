package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

type connectionsUpdateOptions struct {
	user     string
	products []string
	accounts bool
	browserOptions
}

func newConnectionsUpdate(a *app) *cobra.Command {
	var o connectionsUpdateOptions
	cmd := &cobra.Command{
		Use: "update ID", Short: "Sign in again at a linked bank, or choose accounts and products anew",
		Args: one("the id of a connection, or Plaid's item id"),
		Example: `  bankctl connections update 6a1f0c
  bankctl connections update 6a1f0c --accounts
  bankctl connections update 6a1f0c --institution ins_109508 --no-browser`,
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConnectionsUpdate(cmd.Context(), a, args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.user, "user-id", "", "who signs in (default: who linked it)")
	f.StringSliceVar(&o.products, "product", nil, "ask for consent to this product too (repeatable)")
	f.BoolVar(&o.accounts, "accounts", false, "let the user choose accounts anew")
	o.browserOptions.flags(cmd)
	completeWords(cmd, "product", "auth", "identity", "transactions")
	return cmd
}

func runConnectionsUpdate(ctx context.Context, a *app, typed string, o connectionsUpdateOptions) error {
	if err := o.browserOptions.check(); err != nil {
		return err
	}
	complete, err := o.browserOptions.complete(a)
	if err != nil {
		return err
	}
	c, err := a.data(ctx)
	if err != nil {
		return err
	}
	conn, err := findConnection(ctx, c, typed)
	if err != nil {
		return err
	}
	if o.user == "" {
		o.user = conn.UserID
	}
	link, err := c.UpdateLink(ctx, connection.UpdateLinkParams{UserID: o.user, ItemID: conn.ItemID, Products: o.products, Accounts: o.accounts, HostedLink: true})
	if err != nil {
		return err
	}
	flow := linkFlow{app: a, client: c, session: link.SessionID, url: link.HostedLinkURL, expires: link.Expiration, noBrowser: o.noBrowser}
	if o.institution != "" {
		_, err = flow.finish(ctx, complete)
	} else {
		_, err = flow.wait(ctx)
	}
	if err != nil {
		return err
	}
	// Reading the accounts shows whether the bank lets us in again, and which accounts there are now.
	if _, err := c.SyncAccounts(ctx, connection.ItemParams{ItemID: conn.ItemID}); err != nil {
		return err
	}
	return runConnectionsGet(ctx, a, conn.ID)
}
