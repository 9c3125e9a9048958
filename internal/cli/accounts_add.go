package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

func newAccountsAdd(a *app) *cobra.Command {
	var p account.AddParams
	var primary bool
	cmd := &cobra.Command{
		Use: "add", Short: "Add a bank account by hand", Args: none(),
		Long: `Adds what people see of an account: its name, its bank, its owner. Its numbers are
added with ` + "`bankctl ach add`" + `.`,
		Example: "  bankctl accounts add --user-id u1 --name Payroll --bank-name 'First Platypus Bank' --employer-id acme",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if primary {
				p.Primary = &primary
			}
			return runAccountsAdd(cmd.Context(), a, p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&p.UserID, "user-id", "", "who owns or manages it (required)")
	f.StringVar(&p.Name, "name", "", "what to call it (required)")
	f.StringVar(&p.BankName, "bank-name", "", "the bank (required)")
	f.StringVar(&p.EmployerID, "employer-id", "", "its employer")
	f.StringVar(&p.CarrierID, "carrier-id", "", "its carrier")
	f.BoolVar(&primary, "primary", false, "make it its owner's primary")
	return cmd
}

func runAccountsAdd(ctx context.Context, a *app, p account.AddParams) error {
	for _, v := range []struct {
		value *string
		label string
		flag  string
	}{{&p.UserID, "User id", "--user-id"}, {&p.Name, "Name", "--name"}, {&p.BankName, "Bank", "--bank-name"}} {
		if *v.value != "" {
			continue
		}
		text, err := a.askLine(ctx, v.label, v.flag)
		if err != nil {
			return err
		}
		*v.value = text
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	v, err := c.AddAccount(ctx, p)
	if err != nil {
		return err
	}
	return a.showAccount(v)
}
