package cli

import (
	"context"

	"github.com/spf13/cobra"
)

func newAccountsDelete(a *app) *cobra.Command {
	var cascade bool
	cmd := &cobra.Command{
		Use: "delete ID", Aliases: []string{"rm"}, Short: "Delete a bank account", Args: one("the id of a bank account"),
		Example:           "  bankctl accounts delete 6a1f0d\n  bankctl accounts delete 6a1f0d --cascade --yes",
		ValidArgsFunction: completeIDs(a, accountIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runAccountsDelete(cmd.Context(), a, args[0], cascade)
		},
	}
	cmd.Flags().BoolVar(&cascade, "cascade", false, "with the ACH accounts joined to it")
	return cmd
}

func runAccountsDelete(ctx context.Context, a *app, typed string, cascade bool) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	id, err := resolve(ctx, "a bank account", typed, accountIDs(c))
	if err != nil {
		return err
	}
	v, err := c.GetAccount(ctx, id)
	if err != nil {
		return err
	}
	question := "Delete " + v.BankName + " " + v.Name + dots(v.Mask) + " (" + v.ID + ")?"
	if cascade {
		question = "Delete " + v.BankName + " " + v.Name + dots(v.Mask) + " (" + v.ID + ") and its ACH accounts?"
	}
	if err := a.ask(ctx, question, "deleting a bank account"); err != nil {
		return err
	}
	d, err := c.DeleteAccount(ctx, id, cascade)
	if err != nil {
		return err
	}
	return a.showDeleted(d)
}
