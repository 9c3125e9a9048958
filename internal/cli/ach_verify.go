package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
)

type achVerifyOptions struct {
	connection, plaidAccount, reason string
	attest, deposit, simulate        bool
	code                             string
	noBrowser                        bool
}

func newACHVerify(a *app) *cobra.Command {
	var o achVerifyOptions
	cmd := &cobra.Command{
		Use: "verify ID", Short: "Prove an ACH account by its linked twin, by a small deposit, or by an admin's word", Args: one("the id of an ACH account"),
		Long: `Compares the numbers with those that Plaid holds for a linked account. With --micro-deposit
the holder types them on Plaid's page and has a cent sent; a day later the same command
takes the code that came with it. With --attest an admin vouches for it; the reason is kept
in the audit log. Exit code 11 says that it is not verified.`,
		Example: `  bankctl ach verify 6a1f0e --connection-id 6a1f0c
  bankctl ach verify 6a1f0e --micro-deposit
  bankctl ach verify 6a1f0e --micro-deposit --simulate --code ABC
  bankctl ach verify 6a1f0e --attest --reason 'voided check on file, ticket 4711'`,
		ValidArgsFunction: completeIDs(a, achIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runACHVerify(cmd.Context(), a, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.connection, "connection-id", "", "the linked bank to compare with; not needed for an account that came from Plaid")
	f.StringVar(&o.plaidAccount, "plaid-account-id", "", "one account of it; all are compared where left out")
	f.BoolVar(&o.deposit, "micro-deposit", false, "send a small deposit, or take the code that came with it")
	f.BoolVar(&o.noBrowser, "no-browser", false, "with --micro-deposit: print the page instead of opening it")
	f.BoolVar(&o.simulate, "simulate", false, "with --micro-deposit: have bankd fill the simulator's page in")
	f.StringVar(&o.code, "code", "", "with --simulate: the deposit's code")
	f.BoolVar(&o.attest, "attest", false, "vouch for it as an admin")
	f.StringVar(&o.reason, "reason", "", "why, with --attest")
	completeFlagIDs(a, cmd, "connection-id", connectionIDs)
	return cmd
}

func runACHVerify(ctx context.Context, a *app, typed string, o achVerifyOptions) error {
	switch {
	case o.attest && o.reason == "":
		return usage("say what it rests on", "--attest needs --reason")
	case o.attest && (o.connection != "" || o.plaidAccount != ""):
		return usage("give one of them", "--attest and --connection-id exclude each other")
	case !o.attest && o.reason != "":
		return usage("", "--reason belongs to --attest")
	case o.deposit && (o.attest || o.connection != "" || o.plaidAccount != ""):
		return usage("give one of them", "--micro-deposit stands alone")
	case !o.deposit && (o.simulate || o.noBrowser) || !o.simulate && o.code != "":
		return usage("", "--no-browser and --simulate belong to --micro-deposit, --code to --simulate")
	}
	c, v, err := findACH(ctx, a, typed)
	if err != nil {
		return err
	}
	p := account.VerifyACHParams{PlaidAccountID: o.plaidAccount, Reason: o.reason}
	if o.attest {
		p.Method = "attest"
	}
	if o.connection != "" {
		conn, err := findConnection(ctx, c, o.connection)
		if err != nil {
			return err
		}
		p.PlaidItemID = conn.ItemID
	}
	if o.deposit {
		p.Method = account.MicroDeposit
	}
	reply, err := c.VerifyACH(ctx, v.ID, p)
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Code == fault.Conflict && f.Fields["plaid_item_id"] != "" {
		return exitError{fault.ExitNotVerified, f.Message, f.Hint} // compared, and not the same
	}
	if err != nil {
		return err
	}
	v = reply.ACH
	if reply.Page != nil {
		if v, err = depositPage(ctx, a, c, reply, o); err != nil {
			return err
		}
	}
	if err := a.showACH(v); err != nil {
		return err
	}
	if v.Status != account.Verified {
		if v.Status == account.PendingVerification && o.deposit { // this step went well; the state says what is left
			a.say("when the deposit is there, `bankctl ach verify %s --micro-deposit` takes its code", v.ID)
			return nil
		}
		return exitError{fault.ExitNotVerified, "the account is not verified: it is " + v.Status, ""}
	}
	return nil
}

// depositPage waits for the end of a micro-deposit's page, and reads the account again.
func depositPage(ctx context.Context, a *app, c *client.Client, reply account.VerifyReply, o achVerifyOptions) (account.ACH, error) {
	if reply.Page.Step == "send" {
		a.say("On the page, type the account's numbers and have the deposit sent.")
	} else {
		a.say("On the page, enter the three letters that came with the deposit.")
	}
	flow := newLinkFlow(a, c, reply.Page.SessionID, reply.Page.HostedLinkURL, reply.Page.Expiration, o.noBrowser)
	if _, err := flow.run(ctx, o.simulate, connection.CompleteParams{Code: o.code}); err != nil {
		return reply.ACH, err
	}
	if reply.ConnectionID != "" {
		if _, err := c.CheckConnection(ctx, reply.ConnectionID); err != nil {
			return reply.ACH, err
		}
	}
	return c.GetACH(ctx, reply.ID)
}
