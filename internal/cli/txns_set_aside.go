package cli

import (
	"cmp"
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

type txnsSetAsideOptions struct {
	query txn.Query
	paging
}

func newTxnsSetAside(a *app) *cobra.Command {
	var o txnsSetAsideOptions
	cmd := &cobra.Command{
		Use: "set-aside", Short: "List rows that bankd could not read or store", Args: none(),
		Long: `One bad row of a bank's does not hold up the others: bankd sets it aside and stores the rest.
A row leaves this list when the bank corrects or removes it, or when a reading from the
beginning finds it well: bankctl sync ID --reread.`,
		Example: "  bankctl txns set-aside\n  bankctl txns set-aside --connection-id 6a1f0c -o json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runTxnsSetAside(cmd.Context(), a, o) },
	}
	filterFlags(a, cmd, &o.query, "employer_id", "carrier_id", "plaid_item_id")
	o.paging.flags(cmd)
	return cmd
}

func runTxnsSetAside(ctx context.Context, a *app, o txnsSetAsideOptions) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	if err := wholeIDs(ctx, c, &o.query); err != nil {
		return err
	}
	rows, err := fetch(ctx, a, o.paging, func(ctx context.Context, p page.Request) ([]txn.SetAside, page.Info, error) {
		o.query.Request = p
		return c.SetAsideTransactions(ctx, o.query)
	})
	if err != nil {
		return err
	}
	type row = txn.SetAside
	return list(a, rows, func(r row) string { return r.PlaidTransactionID }, []column[row]{
		{name: "plaid id", value: func(r row) string { return cmp.Or(r.PlaidTransactionID, "(none)") }},
		{name: "field", value: func(r row) string { return r.Field }},
		{name: "reason", value: func(r row) string { return r.Reason }},
		{name: "times", value: func(r row) string { return strconv.Itoa(r.Times) }},
		{name: "account", value: func(r row) string { return cmp.Or(r.BankAccountID, r.PlaidAccountID) }},
		{name: "connection", value: func(r row) string { return r.ConnectionID }},
		{name: "first", value: func(r row) string { return utc(r.FirstSeen) }, short: func(r row) string { return a.ago(r.FirstSeen) }},
		{name: "last", value: func(r row) string { return utc(r.LastSeen) }, short: func(r row) string { return a.ago(r.LastSeen) }},
	})
}
