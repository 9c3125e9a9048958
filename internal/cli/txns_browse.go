package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/tui"
	"github.com/bankctl/bankctl/internal/txn"
)

func newTxnsBrowse(a *app) *cobra.Command {
	var o txnFilters
	cmd := &cobra.Command{
		Use: "browse", Short: "Scroll through transactions on one screen, and filter as you type", Args: none(), Annotations: map[string]string{noData: "a screen"},
		Long: `Shows a selection, newest first, with its totals. Only what is around the cursor is read, so
that a million rows open as fast as ten. / filters by name, enter shows all of one.`,
		Example: "  bankctl txns browse\n  bankctl txns browse --employer-id acme --since 90d",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runTxnsBrowse(cmd.Context(), a, &o) },
	}
	o.flags(a, cmd)
	return cmd
}

func runTxnsBrowse(ctx context.Context, a *app, o *txnFilters) error {
	if !a.canPrompt() {
		return usage("`bankctl txns list` prints the same rows", "browsing needs a terminal")
	}
	c, q, err := o.open(ctx, a)
	if err != nil {
		return err
	}
	first := q
	first.Limit = 1
	if _, err := c.ListTransactions(ctx, first); err != nil { // a bad filter fails before the screen opens
		return err
	}
	return tui.ShowBrowser(ctx, a.terminal(), tui.Browser{
		Query: q, Page: c.ListTransactions,
		Summary: func(ctx context.Context, q txn.Query) (txn.Summary, error) {
			return c.SummarizeTransactions(ctx, q, true, "")
		},
	})
}
