package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

func newACHRecipients(a *app) *cobra.Command {
	return group("recipients", "Say who may be sent the numbers of ACH accounts (the local owner alone)",
		newACHRecipientsList(a), newACHRecipientsAdd(a), newACHRecipientsRemove(a))
}

func recipientName(r account.Recipient) string { return r.Name }

func recipientColumns(a *app) []column[account.Recipient] {
	return []column[account.Recipient]{
		{name: "name", value: recipientName},
		{name: "key", value: func(r account.Recipient) string { return r.Key }},
		{name: "created", value: func(r account.Recipient) string { return utc(r.CreatedAt) }, short: func(r account.Recipient) string { return a.ago(r.CreatedAt) }},
	}
}

func newACHRecipientsList(a *app) *cobra.Command {
	var p paging
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List who may be sent numbers", Args: none(),
		Example: "  bankctl ach recipients list",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.ownerClient()
			if err != nil {
				return err
			}
			rows, err := fetch(cmd.Context(), a, p, c.ListRecipients)
			if err != nil {
				return err
			}
			return list(a, rows, recipientName, recipientColumns(a))
		},
	}
	p.flags(cmd)
	return cmd
}

func newACHRecipientsAdd(a *app) *cobra.Command {
	var p account.RecipientParams
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Register who may be sent numbers", Args: one("a name for the recipient"),
		Example:           "  bankctl ach recipients add payroll --key age1…",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			p.Name = args[0]
			return runACHRecipientsAdd(cmd.Context(), a, p)
		},
	}
	cmd.Flags().StringVar(&p.Key, "key", "", "age public key of the recipient, age1… (required)")
	return cmd
}

func runACHRecipientsAdd(ctx context.Context, a *app, p account.RecipientParams) error {
	if p.Key == "" {
		return usage("the recipient makes it by `age-keygen`, and keeps the secret one", "--key is missing")
	}
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	r, err := c.AddRecipient(ctx, p)
	if err != nil {
		return err
	}
	return a.showRecipient(r)
}

func newACHRecipientsRemove(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "End a recipient: nothing more can be sent to it", Args: one("the name of the recipient"),
		Example: "  bankctl ach recipients remove payroll",
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.ownerClient()
			if err != nil {
				return err
			}
			r, err := c.RemoveRecipient(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return a.showRecipient(r)
		},
	}
}

func (a *app) showRecipient(r account.Recipient) error {
	return single(a, r, recipientName, recipientColumns(a), func() error {
		return a.card([]fact{{"recipient", r.Name}, {"key", r.Key}, {"created", a.moment(r.CreatedAt)}})
	})
}
