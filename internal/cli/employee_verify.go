package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
)

type employeeVerifyOptions struct {
	accountFlags
	browserOptions
	mask string
	send bool
}

func newEmployeeVerify(a *app) *cobra.Command {
	cmd := verifyCommand(a, "verify", "Verify an account through Plaid: open Link, wait, save, read the verdict")
	cmd.Long = `Opens Plaid's hosted page in the browser, waits until the employee has finished at the
bank, saves what was chosen, and reads the account again: that reading is the verdict.

With --send it prints the page's address for the employee's own browser and returns;
` + "`bankctl employee wait`" + ` finishes it. Exit 0: verified; 11: not verified, with the
reason and the next step; 12: the employee left, or the link expired.`
	cmd.Example = `  bankctl employee verify --company-id acme --employee-id e42 --account-id 6a1f0b8f2b3c4d5e6f708192
  bankctl employee verify --company-id acme --employee-id e42 --account-id 6a1f0b --send
  bankctl employee verify --company-id acme --employee-id e42 --account-id 6a1f0b --institution ins_109508 --mask 0000 -o json`
	return cmd
}

func newEmployeeRetry(a *app) *cobra.Command {
	cmd := verifyCommand(a, "retry", "Try again with the same account: never add it twice")
	cmd.Long = `Verifies an account that is there already, with the same account id: nothing is added.
An employee who linked a bank before signs in there again.`
	cmd.Example = "  bankctl employee retry --company-id acme --employee-id e42 --account-id 6a1f0b"
	return cmd
}

func verifyCommand(a *app, name, short string) *cobra.Command {
	var o employeeVerifyOptions
	cmd := &cobra.Command{
		Use: name, Short: short, Args: none(),
		RunE: func(cmd *cobra.Command, _ []string) error { return runEmployeeVerify(cmd.Context(), a, o) },
	}
	o.accountFlags.flags(a, cmd)
	cmd.Flags().BoolVar(&o.send, "send", false, "print the page's address for the employee and return")
	o.browserOptions.flags(a, cmd)
	maskFlag(cmd, &o.mask)
	return cmd
}

func maskFlag(cmd *cobra.Command, mask *string) {
	cmd.Flags().StringVar(mask, "mask", "", "where several accounts are shared: the one with these last digits")
	register(cmd, "mask", cobra.NoFileCompletions)
}

func (o employeeVerifyOptions) check() error {
	if o.send && o.institution != "" {
		return usage("give one of them", "--send is for somebody else's browser, --institution for none")
	}
	return o.browserOptions.check()
}

func runEmployeeVerify(ctx context.Context, a *app, o employeeVerifyOptions) error {
	if err := o.check(); err != nil {
		return err
	}
	complete, err := o.browserOptions.complete(a)
	if err != nil {
		return err
	}
	c, err := o.open(ctx, a)
	if err != nil {
		return err
	}
	token, err := employeeToken(ctx, c, o.accountFlags)
	if err != nil {
		return err
	}
	if o.send {
		return a.showSent(o.accountFlags, token)
	}
	flow := newEmployeeFlow(a, c, o.accountFlags, token.SessionID, token.HostedLinkURL, token.Expiration, o.noBrowser, o.mask)
	if o.mask != "" {
		complete.Masks = []string{o.mask}
	}
	s, err := flow.run(ctx, o.institution != "", complete)
	if err != nil {
		return err
	}
	return flow.save(ctx, s)
}

// employeeToken asks for a link token, and fails if the reply has none (R130, R156).
func employeeToken(ctx context.Context, c *client.Client, f accountFlags) (employee.TokenReply, error) {
	token, err := c.GetEmployeeToken(ctx, f.company, f.employee, f.account, true)
	if err == nil && (token.LinkToken == "" || token.HostedLinkURL == "") {
		err = fault.New(fault.PlaidError, "no link token was given, so Plaid Link cannot be opened").
			WithHint("`bankctl employee retry %s` asks again", f.asFlags())
	}
	return token, err
}

// showSent prints the link for the employee.
func (a *app) showSent(f accountFlags, token employee.TokenReply) error {
	type t = employee.TokenReply
	columns := []column[t]{
		{name: "session id", value: func(x t) string { return x.SessionID }},
		{name: "hosted link url", value: func(x t) string { return x.HostedLinkURL }},
		{name: "expiration", value: func(x t) string { return utc(x.Expiration) }},
		{name: "mode", value: func(x t) string { return x.Mode }},
	}
	return single(a, token, columns[0].value, columns, func() error {
		a.drawQR(token.HostedLinkURL)
		return a.card([]fact{
			{"page", token.HostedLinkURL}, {"expires", a.moment(token.Expiration)}, {"session", token.SessionID},
			{"next", "bankctl employee wait " + f.asFlags() + " " + token.SessionID},
		})
	})
}
