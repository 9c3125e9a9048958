package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/client"
)

type fromPlaidOptions struct {
	ownerFlags
	plaidAccount, item, nickname string
	primary                      bool
}

func newACHAddFromPlaid(a *app) *cobra.Command {
	var o fromPlaidOptions
	cmd := &cobra.Command{
		Use: "add-from-plaid [ACCOUNT]", Short: "Add an ACH account of a linked one; its numbers come from Plaid",
		Long: `Takes a linked bank account by its id; its owner is the connection's, unless another is
named. Or takes Plaid's own ids.`,
		Args: arguments(0, 1, ""),
		Example: `  bankctl ach add-from-plaid 6a1f0d --nickname Payroll
  bankctl ach add-from-plaid --plaid-account-id A --plaid-item-id I --employer-id acme`,
		ValidArgsFunction: completeIDs(a, accountIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			typed := ""
			if len(args) == 1 {
				typed = args[0]
			}
			return runACHAddFromPlaid(cmd.Context(), a, typed, o)
		},
	}
	o.ownerFlags.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&o.plaidAccount, "plaid-account-id", "", "Plaid's id of the account")
	f.StringVar(&o.item, "plaid-item-id", "", "Plaid's id of the Item")
	f.StringVar(&o.nickname, "nickname", "", "what to call it")
	allowEmpty(cmd, "nickname")
	f.BoolVar(&o.primary, "primary", false, "make it its owner's primary")
	return cmd
}

func runACHAddFromPlaid(ctx context.Context, a *app, typed string, o fromPlaidOptions) error {
	byPlaid := o.plaidAccount != "" || o.item != ""
	switch {
	case typed == "" && (o.plaidAccount == "" || o.item == ""):
		return usage("`bankctl accounts list --connection-type plaid` shows the ids", "name a linked account, or give --plaid-account-id and --plaid-item-id")
	case typed != "" && byPlaid:
		return usage("give one of them", "an account's id and --plaid-account-id exclude each other")
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	p := account.FromPlaidParams{PlaidAccountID: o.plaidAccount, PlaidItemID: o.item, Nickname: o.nickname}
	if typed != "" {
		if err := fromAccount(ctx, c, typed, &p, &o.ownerFlags); err != nil {
			return err
		}
	}
	if p.OwnerType, p.OwnerID, err = o.pair(); err != nil {
		return err
	}
	if o.primary {
		p.IsPrimary = &o.primary
	}
	v, err := c.AddACHFromPlaid(ctx, p)
	if err != nil {
		return err
	}
	return a.showACH(v)
}

// fromAccount fills the request with the data of a linked bank account.
func fromAccount(ctx context.Context, c *client.Client, typed string, p *account.FromPlaidParams, owner *ownerFlags) error {
	id, err := resolve(ctx, "a bank account", typed, accountIDs(c))
	if err != nil {
		return err
	}
	v, err := c.GetAccount(ctx, id)
	if err != nil {
		return err
	}
	if v.PlaidAccountID == "" || v.PlaidItemID == "" {
		return usage("`bankctl ach add` takes its numbers by hand", "bank account %s did not come from Plaid", v.ID)
	}
	p.PlaidAccountID, p.PlaidItemID = v.PlaidAccountID, v.PlaidItemID
	if owner.employer == "" && owner.carrier == "" {
		owner.employer = v.EmployerID
		if v.EmployerID == "" {
			owner.carrier = v.CarrierID
		}
	}
	return nil
}
