package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

type achUpdateOptions struct {
	nickname, kind string
	primary        bool
}

func newACHUpdate(a *app) *cobra.Command {
	var o achUpdateOptions
	cmd := &cobra.Command{
		Use: "update ID", Short: "Change an ACH account's nickname, type or primary mark", Args: one("the id of an ACH account"),
		Long:              "Numbers and owner cannot be changed: delete the account and add it again.",
		Example:           "  bankctl ach update 6a1f0e --nickname Payroll --primary",
		ValidArgsFunction: completeIDs(a, achIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := account.UpdateACHParams{
				Nickname: changed(cmd, "nickname", &o.nickname), IsPrimary: changed(cmd, "primary", &o.primary), AccountType: changed(cmd, "type", &o.kind),
			}
			if p == (account.UpdateACHParams{}) {
				return usage("", "nothing to change: give --nickname, --type or --primary")
			}
			return runACHUpdate(cmd.Context(), a, args[0], p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.nickname, "nickname", "", "what to call it")
	allowEmpty(cmd, "nickname")
	f.StringVar(&o.kind, "type", "", "checking or savings, while it is unverified")
	f.BoolVar(&o.primary, "primary", false, "make it its owner's primary")
	completeWords(cmd, "type", account.Checking, account.Savings)
	return cmd
}

func runACHUpdate(ctx context.Context, a *app, typed string, p account.UpdateACHParams) error {
	c, v, err := findACH(ctx, a, typed)
	if err != nil {
		return err
	}
	if v, err = c.UpdateACH(ctx, v.ID, p); err != nil {
		return err
	}
	return a.showACH(v)
}
