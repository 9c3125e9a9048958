package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

func newACHProcessor(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "processor-token ID PROCESSOR", Short: "Let a payment partner use a verified account, without showing its numbers",
		Args: arguments(2, 2, "the id of an ACH account and Plaid's name of the partner"),
		Long: `Asks Plaid for a token that one of its partners takes in place of the numbers. It is shown
this once, and the audit log says that it was made.`,
		Example:           "  bankctl ach processor-token 6a1f0e dwolla --jq .processor_token",
		ValidArgsFunction: completeProcessor(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runACHProcessor(cmd.Context(), a, args[0], args[1])
		},
	}
}

func runACHProcessor(ctx context.Context, a *app, typed, processor string) error {
	c, v, err := findACH(ctx, a, typed)
	if err != nil {
		return err
	}
	t, err := c.CreateProcessorToken(ctx, v.ID, account.ProcessorParams{Processor: processor})
	if err != nil {
		return err
	}
	if t.Warning != "" {
		a.say("Warning: %s.", clean(t.Warning))
	}
	columns := []column[account.ProcessorToken]{
		{name: "ach", value: func(x account.ProcessorToken) string { return x.ACHID }},
		{name: "processor", value: func(x account.ProcessorToken) string { return x.Processor }},
		{name: "processor token", value: func(x account.ProcessorToken) string { return x.ProcessorToken }},
	}
	return single(a, t, columns[0].value, columns, func() error {
		return a.card([]fact{{"account", t.ACHID}, {"processor", t.Processor}, {"token", t.ProcessorToken}, {"note", "shown this once: hand it to the partner now"}})
	})
}

// completeProcessor offers the ids of ACH accounts, then the partners that are known by name.
func completeProcessor(a *app) completer {
	ids := completeIDs(a, achIDs)
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 1 {
			return account.Processors(), cobra.ShellCompDirectiveNoFileComp
		}
		return ids(cmd, args, typed)
	}
}
