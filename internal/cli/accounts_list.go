package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

type accountsListOptions struct {
	query account.Query
	paging
}

func newAccountsList(a *app) *cobra.Command {
	var o accountsListOptions
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List bank accounts, newest first", Args: none(),
		Example: "  bankctl accounts list --employer-id acme\n  bankctl accounts list --primary -o json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runAccountsList(cmd.Context(), a, o) },
	}
	filterFlags(a, cmd, &o.query)
	o.paging.flags(cmd)
	return cmd
}

func runAccountsList(ctx context.Context, a *app, o accountsListOptions) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	if err := wholeIDs(ctx, c, &o.query); err != nil {
		return err
	}
	rows, err := fetch(ctx, a, o.paging, filtered(c.ListAccounts, o.query))
	if err != nil {
		return err
	}
	return list(a, rows, accountID, accountColumns())
}
