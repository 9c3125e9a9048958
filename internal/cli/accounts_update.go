package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

type accountsUpdateOptions struct {
	name, bank, status string
	primary            bool
}

func newAccountsUpdate(a *app) *cobra.Command {
	var o accountsUpdateOptions
	cmd := &cobra.Command{
		Use: "update ID", Short: "Change a bank account", Args: one("the id of a bank account"),
		Example:           "  bankctl accounts update 6a1f0d --name 'Payroll 2027'\n  bankctl accounts update 6a1f0d --status inactive",
		ValidArgsFunction: completeIDs(a, accountIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := account.UpdateParams{
				Name: changed(cmd, "name", &o.name), BankName: changed(cmd, "bank-name", &o.bank),
				Status: changed(cmd, "status", &o.status), Primary: changed(cmd, "primary", &o.primary),
			}
			if p == (account.UpdateParams{}) {
				return usage("", "nothing to change: give --name, --bank-name, --status or --primary")
			}
			return runAccountsUpdate(cmd.Context(), a, args[0], p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.name, "name", "", "what to call it")
	f.StringVar(&o.bank, "bank-name", "", "the bank")
	f.StringVar(&o.status, "status", "", "active or inactive")
	f.BoolVar(&o.primary, "primary", false, "make it its owner's primary")
	completeWords(cmd, "status", account.Active, account.Inactive)
	return cmd
}

// changed gives a flag's value if it was given, else nil, which leaves the field as it is.
func changed[T any](cmd *cobra.Command, flag string, value *T) *T {
	if cmd.Flags().Changed(flag) {
		return value
	}
	return nil
}

func runAccountsUpdate(ctx context.Context, a *app, typed string, p account.UpdateParams) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	id, err := resolve(ctx, "a bank account", typed, accountIDs(c))
	if err != nil {
		return err
	}
	v, err := c.UpdateAccount(ctx, id, p)
	if err != nil {
		return err
	}
	return a.showAccount(v)
}
