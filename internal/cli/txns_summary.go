package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/txn"
)

type txnsSummaryOptions struct {
	txnFilters
	txn.Grouping
}

func newTxnsSummary(a *app) *cobra.Command {
	var o txnsSummaryOptions
	cmd := &cobra.Command{
		Use: "summary", Aliases: []string{"sum"}, Short: "Add transactions up, with --by as a chart", Args: none(),
		Long:    "Net is what came in less what went out. Several currencies are never added up: give --currency, or --by-currency.",
		Example: "  bankctl txns summary --employer-id acme --since 90d\n  bankctl txns summary --by month\n  bankctl txns summary --by category --currency USD -o csv",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runTxnsSummary(cmd.Context(), a, &o) },
	}
	o.txnFilters.flags(a, cmd)
	filterFlags(a, cmd, &o.Grouping)
	return cmd
}

func runTxnsSummary(ctx context.Context, a *app, o *txnsSummaryOptions) error {
	if kinds := query.Of(o.Grouping)[0].Enum; o.By != "" && !slices.Contains(kinds, o.By) {
		return usage("use "+strings.Join(kinds, ", "), "--by cannot be %q", o.By)
	}
	c, q, err := o.open(ctx, a)
	if err != nil {
		return err
	}
	s, err := c.SummarizeTransactions(ctx, q, o.ByCurrency, o.By)
	if err != nil {
		return err
	}
	rows := s.By
	if o.By == "" {
		rows = nil
		for _, t := range totalsOf(s) {
			rows = append(rows, txn.Bucket{Key: "total", Currency: t.Currency, Sums: t.Sums})
		}
	}
	if rows == nil {
		rows = []txn.Bucket{}
	}
	columns := bucketColumns(cmp.Or(o.By, "sum"))
	return show(a, s, rows, func(b txn.Bucket) string { return b.Key }, columns, func() error {
		switch {
		case o.By == "":
			return a.summaryCard(s)
		case !a.OutTTY || len(rows) == 0:
			return printTable(a, rows, columns)
		}
		return a.printChart(s, o.By)
	})
}

// totalsOf gives the sums of each currency, for summaries of one currency and of several.
func totalsOf(s txn.Summary) []txn.Currency {
	if len(s.Each) > 0 {
		return s.Each
	}
	return []txn.Currency{{Currency: s.Currency, Sums: txn.Sums{Total: s.Total, Debits: s.Debits, Credits: s.Credits, Net: s.Net}}}
}

func bucketColumns(first string) []column[txn.Bucket] {
	type b = txn.Bucket
	return []column[b]{
		{name: first, value: func(x b) string { return x.Key }},
		{name: "label", value: func(x b) string { return x.Label }},
		{name: "currency", value: func(x b) string { return x.Currency }},
		{name: "transactions", value: func(x b) string { return strconv.FormatInt(x.Total, 10) }},
		{name: "out", value: func(x b) string { return decimal(x.Debits, x.Currency) }},
		{name: "in", value: func(x b) string { return decimal(x.Credits, x.Currency) }},
		{name: "net", value: func(x b) string { return decimal(x.Net, x.Currency) }},
	}
}

// summaryCard shows the sums, in one block for each currency.
func (a *app) summaryCard(s txn.Summary) error {
	write := decimal
	if a.OutTTY {
		write = grouped
	}
	var facts []fact
	for _, t := range totalsOf(s) {
		sized := func(minor int64) string {
			if t.Total == 0 {
				return write(minor, t.Currency)
			}
			return write(minor, t.Currency) + " " + codeText(t.Currency)
		}
		facts = append(facts, fact{"transactions", strconv.FormatInt(t.Total, 10)},
			fact{"out", sized(t.Debits)}, fact{"in", sized(t.Credits)}, fact{"net", sized(t.Net)})
	}
	return a.card(append(facts, fact{"synced", a.syncedText(s)}))
}

func (a *app) syncedText(s txn.Summary) string {
	if s.SyncedAt == nil {
		return ""
	}
	at, err := parseSince(*s.SyncedAt, a.Now())
	if err != nil {
		return *s.SyncedAt
	}
	return a.moment(at)
}

// totalLine writes a currency's sums in one line.
func totalLine(t txn.Currency) string {
	return strings.TrimSpace(fmt.Sprintf("%d transactions, out %s, in %s, net %s %s", t.Total,
		grouped(t.Debits, t.Currency), grouped(t.Credits, t.Currency), grouped(t.Net, t.Currency), codeText(t.Currency)))
}
