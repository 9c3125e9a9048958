package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

type txnsRemovedOptions struct {
	since string
	query txn.Query
	paging
}

func newTxnsRemoved(a *app) *cobra.Command {
	var o txnsRemovedOptions
	cmd := &cobra.Command{
		Use: "removed", Short: "List what the bank has taken back, the latest first", Args: none(),
		Long: `Shows transactions as they were before Plaid removed them: pending ones that never came
through, rows that the bank has withdrawn. For jobs that keep a copy: an export --since-last
tells what is new or changed, this tells what is gone.`,
		Example: "  bankctl txns removed --since 7d\n  bankctl txns removed --since 24h --all -o name",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runTxnsRemoved(cmd.Context(), a, o) },
	}
	cmd.Flags().StringVar(&o.since, "since", "", "taken back since then: 24h, 30d, a day, or a time")
	filterFlags(a, cmd, &o.query, "employer_id", "carrier_id")
	o.paging.flags(cmd)
	return cmd
}

func runTxnsRemoved(ctx context.Context, a *app, o txnsRemovedOptions) error {
	since := time.Time{}
	if o.since != "" {
		var err error
		if since, err = parseSince(o.since, a.Now()); err != nil {
			return err
		}
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	rows, err := fetch(ctx, a, o.paging, func(ctx context.Context, p page.Request) ([]txn.Transaction, page.Info, error) {
		o.query.Request = p
		return c.RemovedTransactions(ctx, o.query, since)
	})
	if err != nil {
		return err
	}
	columns := append(txnColumns(), column[txn.Transaction]{
		name: "removed", value: func(t txn.Transaction) string { return utc(t.UpdatedAt) }, short: func(t txn.Transaction) string { return a.ago(t.UpdatedAt) },
	})
	return list(a, rows, txnID, columns)
}
