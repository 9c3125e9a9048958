package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

// linkOptions are the flags of the link commands: the user, the sign-in, and the choice of accounts.
type linkOptions struct {
	user, employer, carrier string
	products                []string
	allowDuplicate          bool
	browserOptions
	choiceOptions
}

// browserOptions say how the user signs in: in a browser, or simulated without one.
type browserOptions struct {
	noBrowser                           bool
	institution, username, passwordFile string
}

func (o *browserOptions) flags(a *app, cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.noBrowser, "no-browser", false, "print the URL and open nothing")
	f.StringVar(&o.institution, "institution", "", "finish without a browser at this institution (simulated and sandbox), for instance ins_109508")
	f.StringVar(&o.username, "username", "", "with --institution: who signs in (default user_good)")
	f.StringVar(&o.passwordFile, "password-file", "", "with --institution: file that holds the password")
	completeFlagIDs(a, cmd, "institution", testBanks)
}

func (o browserOptions) check() error {
	if o.institution == "" && (o.username != "" || o.passwordFile != "") {
		return usage("add --institution ins_…", "--username and --password-file are for a link without a browser")
	}
	return nil
}

// complete makes the request that finishes a session without a browser.
func (o browserOptions) complete(a *app) (connection.CompleteParams, error) {
	p := connection.CompleteParams{InstitutionID: o.institution, Username: o.username}
	if o.passwordFile == "" {
		return p, nil
	}
	password, err := a.readSecretFile(o.passwordFile, false)
	p.Password = password
	return p, err
}

func newLink(a *app) *cobra.Command {
	var o linkOptions
	cmd := &cobra.Command{
		Use: "link", Short: "Link a bank: sign in there, pick accounts, make ACH accounts of them", Args: none(),
		Long: `Opens Plaid's hosted page in your browser and waits. Once you have signed in at the bank
you pick accounts, and ACH accounts are made of those; the others are kept with their
names alone. Without a terminal, --all or --mask says which accounts.`,
		Example: `  bankctl link --user-id u1 --employer-id acme
  bankctl link --user-id u1 --employer-id acme --institution ins_109508 --no-browser --all -o json`,
		SuggestionsMinimumDistance: 2,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return runLink(cmd.Context(), a, o) },
	}
	o.startFlags(cmd)
	o.browserOptions.flags(a, cmd)
	o.choiceOptions.flags(cmd)
	cmd.AddCommand(newLinkStart(a), newLinkWait(a))
	return cmd
}

func (o *linkOptions) startFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.user, "user-id", "", "who links, by your own id (required)")
	f.StringVar(&o.employer, "employer-id", "", "the employer that the accounts belong to")
	f.StringVar(&o.carrier, "carrier-id", "", "the carrier that the accounts belong to")
	f.StringSliceVar(&o.products, "product", nil, "instead of bankd's configured ones: auth, identity, transactions")
	f.BoolVar(&o.allowDuplicate, "allow-duplicate", false, "link again although the same accounts are linked")
}

func (o linkOptions) params() connection.LinkParams {
	return connection.LinkParams{
		UserID: o.user, EmployerID: o.employer, CarrierID: o.carrier, Products: o.products,
		HostedLink: true, Exchange: true, AllowDuplicate: o.allowDuplicate,
	}
}

func (o linkOptions) checkStart() error {
	if o.user == "" {
		return usage("it is your own id of the person who links", "--user-id is missing")
	}
	return nil
}

func runLink(ctx context.Context, a *app, o linkOptions) error {
	if err := o.checkStart(); err != nil {
		return err
	}
	if err := o.browserOptions.check(); err != nil {
		return err
	}
	if err := o.choiceOptions.check(a, o.employer != "" || o.carrier != ""); err != nil {
		return err
	}
	complete, err := o.browserOptions.complete(a)
	if err != nil {
		return err
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	link, err := c.StartLink(ctx, o.params())
	if err != nil {
		return err
	}
	flow := newLinkFlow(a, c, link.SessionID, link.HostedLinkURL, link.Expiration, o.noBrowser)
	flow.patience = o.patience
	s, err := flow.run(ctx, o.institution != "", complete)
	if err != nil {
		return flow.offerUpdate(ctx, err)
	}
	return flow.pick(ctx, s, o.choiceOptions)
}
