package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
)

type achVerifyOptions struct {
	connection, plaidAccount, reason string
	attest                           bool
}

func newACHVerify(a *app) *cobra.Command {
	var o achVerifyOptions
	cmd := &cobra.Command{
		Use: "verify ID", Short: "Prove an ACH account by its linked twin, or by an admin's word", Args: one("the id of an ACH account"),
		Long: `Compares the numbers with those that Plaid holds for a linked account. Or, with --attest,
an admin vouches for it; the reason is kept in the audit log. Exit code 11 says that it
is not verified.`,
		Example: `  bankctl ach verify 6a1f0e --connection 6a1f0c
  bankctl ach verify 6a1f0e --attest --reason 'voided check on file, ticket 4711'`,
		ValidArgsFunction: completeIDs(a, achIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runACHVerify(cmd.Context(), a, args[0], o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.connection, "connection", "", "the linked bank to compare with; not needed for an account that came from Plaid")
	f.StringVar(&o.plaidAccount, "plaid-account-id", "", "one account of it; all are compared where left out")
	f.BoolVar(&o.attest, "attest", false, "vouch for it as an admin")
	f.StringVar(&o.reason, "reason", "", "why, with --attest")
	completeFlagIDs(a, cmd, "connection", connectionIDs)
	return cmd
}

func runACHVerify(ctx context.Context, a *app, typed string, o achVerifyOptions) error {
	switch {
	case o.attest && o.reason == "":
		return usage("say what it rests on", "--attest needs --reason")
	case o.attest && (o.connection != "" || o.plaidAccount != ""):
		return usage("give one of them", "--attest and --connection exclude each other")
	case !o.attest && o.reason != "":
		return usage("", "--reason belongs to --attest")
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
	if v, err = c.VerifyACH(ctx, v.ID, p); err != nil {
		return err
	}
	if err := a.showACH(v); err != nil {
		return err
	}
	if v.Status != account.Verified {
		return exitError{fault.ExitNotVerified, "the account is not verified: it is " + v.Status, ""}
	}
	return nil
}
