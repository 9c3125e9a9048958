package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/txn"
)

// txnFilters are the flags of list, summary, export and browse.
type txnFilters struct {
	query           txn.Query
	since, min, max string
}

func (o *txnFilters) flags(a *app, cmd *cobra.Command) {
	filterFlags(a, cmd, &o.query)
	f := cmd.Flags()
	f.StringVar(&o.since, "since", "", "instead of --from: 30d, 2w, or a day")
	f.StringVar(&o.min, "min", "", "this amount or more; money in is negative: --min 100 is 100.00 out or more")
	f.StringVar(&o.max, "max", "", "this amount or less; --max=-100 is 100.00 in or more")
	for _, flag := range []string{"since", "min", "max"} {
		register(cmd, flag, cobra.NoFileCompletions)
	}
}

// read turns the flags into a query, before bankd is called.
func (o *txnFilters) read(a *app) (txn.Query, error) {
	q := o.query
	if code := strings.ToUpper(q.Currency); code != q.Currency && money.ISO(code) {
		a.say("currencies are compared as the bank writes them: %q is not %s", q.Currency, code)
	}
	if o.since != "" {
		if q.DateFrom != "" {
			return q, usage("give one of them", "--since and --from exclude each other")
		}
		from, err := parseSince(o.since, a.Now())
		if err != nil {
			return q, err
		}
		q.DateFrom = from.Format("2006-01-02")
	}
	for flag, day := range map[string]string{"--from": q.DateFrom, "--to": q.DateTo} {
		if _, err := txn.Day(day); err != nil {
			return q, usage("for instance 2026-01-31", "%s cannot be %q", flag, day)
		}
	}
	var err error
	if q.MinCents, err = minorOf("--min", o.min, q.Currency); err != nil {
		return q, err
	}
	q.MaxCents, err = minorOf("--max", o.max, q.Currency)
	return q, err
}

// minorOf parses an amount as people type it. Without a currency it has two decimal places.
func minorOf(flag, text, currency string) (*int64, error) {
	if text == "" {
		return nil, nil
	}
	amount, rounded, err := money.Parse(text, currency)
	if err != nil || rounded {
		return nil, usage("for instance 12.50; --currency says how many places there are", "%s cannot be %q", flag, text)
	}
	return &amount.Minor, nil
}

// open gives the client and the query of a command.
func (o *txnFilters) open(ctx context.Context, a *app) (*client.Client, txn.Query, error) {
	q, err := o.read(a)
	if err != nil {
		return nil, q, err
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return nil, q, err
	}
	return c, q, wholeIDs(ctx, c, &q)
}
