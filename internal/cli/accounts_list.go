package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/page"
)

type accountsListOptions struct {
	query   account.Query
	primary bool
	paging
}

func newAccountsList(a *app) *cobra.Command {
	var o accountsListOptions
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List bank accounts, newest first", Args: none(),
		Example: "  bankctl accounts list --employer-id acme\n  bankctl accounts list --primary -o json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("primary") {
				o.query.Primary = &o.primary
			}
			return runAccountsList(cmd.Context(), a, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.query.EmployerID, "employer-id", "", "of this employer")
	f.StringVar(&o.query.CarrierID, "carrier-id", "", "of this carrier")
	f.StringVar(&o.query.UserID, "user-id", "", "of this user")
	f.StringVar(&o.query.ConnectionID, "connection", "", "of this connection")
	f.StringVar(&o.query.ConnectionType, "connection-type", "", "manual or plaid")
	f.StringVar(&o.query.Status, "status", "", "active or inactive")
	f.BoolVar(&o.primary, "primary", false, "primary ones alone; --primary=false the others")
	o.paging.flags(cmd)
	completeWords(cmd, "status", account.Active, account.Inactive)
	completeWords(cmd, "connection-type", account.Manual, account.Plaid)
	completeFlagIDs(a, cmd, "connection", connectionIDs)
	return cmd
}

func runAccountsList(ctx context.Context, a *app, o accountsListOptions) error {
	c, err := a.data(ctx)
	if err != nil {
		return err
	}
	if o.query.ConnectionID != "" {
		if o.query.ConnectionID, err = resolve(ctx, "a connection", o.query.ConnectionID, connectionIDs(c)); err != nil {
			return err
		}
	}
	rows, err := fetch(ctx, a, o.paging, func(ctx context.Context, p page.Request) ([]account.Account, page.Info, error) {
		return c.ListAccounts(ctx, o.query, p)
	})
	if err != nil {
		return err
	}
	return list(a, rows, accountID, accountColumns())
}
