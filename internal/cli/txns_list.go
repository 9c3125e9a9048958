package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

type txnsListOptions struct {
	txnFilters
	paging
	cursor string
}

func newTxnsList(a *app) *cobra.Command {
	var o txnsListOptions
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List transactions, newest day first", Args: none(),
		Long: "OUT and IN are amounts as a statement has them; amount_cents of the JSON keeps Plaid's sign.\n" +
			"With --all, ndjson and name are written page by page; for everything else there is `bankctl txns export`.",
		Example: "  bankctl txns list --employer-id acme --since 30d\n  bankctl txns list --text coffee --min 10 --pending=false -o json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runTxnsList(cmd.Context(), a, &o) },
	}
	o.txnFilters.flags(a, cmd)
	o.paging.flags(cmd)
	cmd.Flags().StringVar(&o.cursor, "cursor", "", "go on after the page whose cursor this is")
	register(cmd, "cursor", cobra.NoFileCompletions)
	return cmd
}

func runTxnsList(ctx context.Context, a *app, o *txnsListOptions) error {
	if err := o.paging.check(); err != nil {
		return err
	}
	if o.cursor != "" && o.page > 1 {
		return usage("give one of them", "--cursor and --page exclude each other")
	}
	c, q, err := o.open(ctx, a)
	if err != nil {
		return err
	}
	q.Cursor = o.cursor
	if o.all {
		return a.listAllTxns(ctx, c, q)
	}
	q.Request = page.Request{Page: o.page, Limit: o.limit}
	p, err := c.ListTransactions(ctx, q)
	if err != nil {
		return err
	}
	if a.OutTTY && p.Info.Total > len(p.Rows) {
		a.say("showing %d of %d; --page N or --all shows the rest", len(p.Rows), p.Info.Total)
	}
	if p.Next != "" && (!a.OutTTY || o.cursor != "") {
		a.say("next: --cursor %s", clean(p.Next))
	}
	return a.showTxns(p.Rows)
}

// listAllTxns shows every page. Formats of a line a row are written page by page; the others need all rows.
func (a *app) listAllTxns(ctx context.Context, c *client.Client, q txn.Query) error {
	byPage := a.output == "ndjson" || a.output == "name"
	var all []txn.Transaction
	err := eachPage(byCursor(ctx, c, q), func(rows []txn.Transaction) error {
		if byPage {
			return a.showTxns(rows)
		}
		all = append(all, rows...)
		return nil
	})
	if err != nil || byPage {
		return err
	}
	return a.showTxns(all)
}

// byCursor reads the pages of a selection by its cursor, so that new rows do not shift the pages.
func byCursor(ctx context.Context, c *client.Client, q txn.Query) nextPage[txn.Transaction] {
	q.Request = page.Request{Limit: page.MaxLimit}
	return func() ([]txn.Transaction, bool, error) {
		p, err := c.ListTransactions(ctx, q)
		q.Cursor = p.Next
		return p.Rows, p.Next != "", err
	}
}

func (a *app) showTxns(rows []txn.Transaction) error {
	if rows == nil {
		rows = []txn.Transaction{}
	}
	columns := txnColumns()
	return show(a, rows, rows, txnID, columns, func() error {
		if !a.OutTTY || len(rows) == 0 {
			return printTable(a, rows, columns)
		}
		return a.printStatement(rows, columns)
	})
}
