package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
)

type connectionsReauthOptions struct {
	user     string
	products []string
	accounts bool
	start    bool
	browserOptions
}

func newConnectionsReauth(a *app) *cobra.Command {
	var o connectionsReauthOptions
	cmd := &cobra.Command{
		Use: "reauth ID", Aliases: []string{"update"}, Short: "Sign in again at a linked bank, or choose accounts and products anew",
		Args: one("the id of a connection, or Plaid's item id"),
		Long: `Opens the bank's page for a bank that is linked already. Afterwards its accounts are read
anew, and so are the numbers that ACH accounts rest on, for a bank may have changed them.
With --start it prints the page and the session, and ends; bankctl link wait goes on.`,
		Example: `  bankctl connections reauth 6a1f0c
  bankctl connections reauth 6a1f0c --accounts
  bankctl connections reauth 6a1f0c --start --jq .session_id
  bankctl connections reauth 6a1f0c --institution ins_109508 --no-browser`,
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConnectionsReauth(cmd.Context(), a, args[0], o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.user, "user-id", "", "who signs in (default: who linked it)")
	f.StringSliceVar(&o.products, "product", nil, "ask for consent to this product too (repeatable)")
	f.BoolVar(&o.accounts, "accounts", false, "let the user choose accounts anew")
	f.BoolVar(&o.start, "start", false, "print the page for somebody else's browser, and do not wait")
	o.browserOptions.flags(a, cmd)
	completeWords(cmd, "product", "auth", "identity", "transactions")
	return cmd
}

func runConnectionsReauth(ctx context.Context, a *app, typed string, o connectionsReauthOptions) error {
	if err := o.browserOptions.check(); err != nil {
		return err
	}
	complete, err := o.browserOptions.complete(a)
	if err != nil {
		return err
	}
	c, conn, err := a.openConnection(ctx, typed)
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
	if o.start {
		return a.showPage(link)
	}
	flow := newLinkFlow(a, c, link.SessionID, link.HostedLinkURL, link.Expiration, o.noBrowser)
	if _, err = flow.run(ctx, o.institution != "", complete); err != nil {
		return err
	}
	conn, err = c.CheckConnection(ctx, conn.ID)
	if err != nil {
		return err
	}
	if err := a.showConnection(conn); err != nil {
		return err
	}
	return relinkError(conn)
}

// relinkError is exit 10 for a connection that still needs its user.
func relinkError(conn connection.Connection) error {
	if conn.Error == nil || conn.Working() {
		return nil
	}
	return exitError{fault.ExitRelink, clean(conn.Institution.Name) + ": " + strings.ReplaceAll(conn.Status, "_", " ") + " (" + clean(conn.Error.Code) + ")", conn.Error.Hint}
}
