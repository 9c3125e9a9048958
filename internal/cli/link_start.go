package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

func newLinkStart(a *app) *cobra.Command {
	var o linkOptions
	cmd := &cobra.Command{
		Use: "start", Short: "Start a link and print its page for somebody else's browser", Args: none(),
		Example: `  bankctl link start --user-id u1 --employer-id acme
  bankctl link start --user-id u1 --employer-id acme --jq .hosted_link_url`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runLinkStart(cmd.Context(), a, o) },
	}
	o.startFlags(cmd)
	return cmd
}

func runLinkStart(ctx context.Context, a *app, o linkOptions) error {
	if err := o.checkStart(); err != nil {
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
	return a.showPage(link)
}

// showPage prints a page for somebody else's browser, and how to wait for it.
func (a *app) showPage(link connection.Link) error {
	type l = connection.Link
	columns := []column[l]{
		{name: "session id", value: func(x l) string { return x.SessionID }},
		{name: "hosted link url", value: func(x l) string { return x.HostedLinkURL }},
		{name: "expiration", value: func(x l) string { return utc(x.Expiration) }},
	}
	return single(a, link, columns[0].value, columns, func() error {
		a.drawQR(link.HostedLinkURL)
		return a.card([]fact{
			{"session", link.SessionID}, {"page", link.HostedLinkURL}, {"expires", a.moment(link.Expiration)},
			{"next", "bankctl link wait " + link.SessionID},
		})
	})
}
