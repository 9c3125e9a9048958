package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/txn"
)

type txnsExportOptions struct {
	txnFilters
	format, out string
	sinceLast   bool
	wait        bool
}

var exportFormats = []string{"csv", "tsv", "jsonl", "ndjson", "ofx"}

func newTxnsExport(a *app) *cobra.Command {
	var o txnsExportOptions
	cmd := &cobra.Command{
		Use: "export", Short: "Write transactions to a file, however many", Args: none(),
		Long: `Writes a selection as CSV or TSV, as JSON a line (jsonl, ndjson), or as OFX 2 for accounting
programs. It is read page by page: a million rows need no more memory than one. A file appears
whole or not at all.

With --since-last only what is new or changed since the last complete export with the same
profile, filters and format is written; what Plaid took back in between is not told (txns
removed tells it). Ids of rows and accounts are bankd's: they stay when a pending row is
posted and when the bank gives its accounts and rows out under other ids.

In CSV an amount has Plaid's sign (positive = out), in OFX the account's own. A text that a
spreadsheet would read as a formula, one that begins with = + - @, is written with a ' before
it. A currency is the code that the bank gives; without one the cell is empty.

OFX holds posted transactions alone, one statement for each account and currency. It has no
word for a currency that is not of ISO 4217: such rows are left out and counted on stderr.
Of an account in several currencies, the statement in other ones than US dollars has an account
id that ends in the code. A debt is a negative balance; where the bank gives no balance in a
statement's currency, the balance is the sum of its rows, and stderr says so.`,
		Example: "  bankctl txns export --format csv --out 2026.csv --from 2026-01-01\n  bankctl txns export --format ofx --employer-id acme --since-last --out new.ofx",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.takeOutput(a, cmd); err != nil {
				return err
			}
			return runTxnsExport(cmd.Context(), a, &o)
		},
	}
	o.txnFilters.flags(a, cmd)
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "csv", "csv, tsv, jsonl, ndjson or ofx")
	f.StringVar(&o.out, "out", "", "file to write, instead of stdout")
	f.BoolVar(&o.sinceLast, "since-last", false, "only what is new or changed since the last such export")
	f.BoolVar(&o.wait, "wait-for-history", false, "wait until Plaid has the whole history of the banks chosen")
	completeWords(cmd, "format", exportFormats...)
	return cmd
}

// takeOutput lets --output name the form of the file, as it names that of other commands' data.
func (o *txnsExportOptions) takeOutput(a *app, cmd *cobra.Command) error {
	f := cmd.Flags()
	switch {
	case f.Changed("jq"), f.Changed("template"):
		return usage("`bankctl txns list --all` takes --jq and --template", "txns export writes a file, which neither reads")
	case !f.Changed("output"):
		return nil
	case f.Changed("format"):
		return usage("give one of them", "--output and --format both name the form of the file")
	case !slices.Contains(exportFormats, a.output):
		return usage("use --format csv, tsv, ndjson or ofx; `bankctl txns list --all -o "+a.output+"` prints "+a.output, "txns export does not write %s", a.output)
	}
	o.format = a.output
	return nil
}

func runTxnsExport(ctx context.Context, a *app, o *txnsExportOptions) error {
	if !slices.Contains(exportFormats, o.format) {
		return usage("use csv, tsv, jsonl, ndjson or ofx", "--format cannot be %q", o.format)
	}
	if o.format == "ndjson" { // the same export under its other name
		o.format = "jsonl"
	}
	c, q, err := o.open(ctx, a)
	if err != nil {
		return err
	}
	if o.format == "ofx" {
		if q.Pending != nil && *q.Pending {
			return usage("leave --pending out, or take csv or jsonl", "OFX holds posted transactions alone")
		}
		posted := false
		q.Pending = &posted
	}
	e := export{client: c, query: q, new: everyTxn}
	if e.connections, err = a.exportedConnections(ctx, c, q, o.wait); err != nil {
		return err
	}
	var m exportMark
	if o.sinceLast {
		if m, err = a.readMark(o); err != nil {
			return err
		}
		e.new = m.advance(e.connections)
	}
	if err := a.writeFileAtomically(o.out, func(w io.Writer) error { return e.write(ctx, o.format, w) }); err != nil {
		return err
	}
	if o.sinceLast {
		if err := m.save(); err != nil {
			return err
		}
	}
	a.sayExported(&e, o)
	return nil
}

// sayExported says what the file does not show by itself.
func (a *app) sayExported(e *export, o *txnsExportOptions) {
	rows := e.rows
	for _, note := range e.notes {
		a.say("%s", note)
	}
	switch {
	case rows == 0 && o.sinceLast && len(e.notes) == 0:
		a.say("nothing new")
	case o.out != "" && o.out != "-":
		a.say("wrote %d transactions to %s", rows, clean(o.out))
	}
}

// export is a selection that is being written.
type export struct {
	client      *client.Client
	query       txn.Query
	connections map[string]connection.Connection
	new         func(txn.Transaction) bool
	rows        int
	notes       []string // what the file cannot say
}

func everyTxn(txn.Transaction) bool { return true }

func (e *export) write(ctx context.Context, format string, w io.Writer) error {
	switch format {
	case "jsonl":
		return e.each(ctx, e.query, func(t txn.Transaction) error { return printJSON(w, t, "") })
	case "ofx":
		return e.writeOFX(ctx, w)
	case "tsv":
		return e.writeCSV(ctx, w, '\t')
	}
	return e.writeCSV(ctx, w, ',')
}

// each visits the transactions of a query that the export writes, and counts them.
func (e *export) each(ctx context.Context, q txn.Query, visit func(txn.Transaction) error) error {
	return e.visit(ctx, q, func(t txn.Transaction) error {
		e.rows++
		return visit(t)
	})
}

// visit visits the transactions of a query that belong into the export.
func (e *export) visit(ctx context.Context, q txn.Query, visit func(txn.Transaction) error) error {
	return eachPage(byCursor(ctx, e.client, q), func(rows []txn.Transaction) error {
		for _, t := range rows {
			if !e.new(t) {
				continue
			}
			if err := visit(t); err != nil {
				return err
			}
		}
		return nil
	})
}

// historyLook is how often an export that waits looks how far the history is.
const historyLook = time.Second

// exportedConnections reads the connections, and says of which the history is not whole yet. With wait it returns when
// there are none left of those.
func (a *app) exportedConnections(ctx context.Context, c *client.Client, q txn.Query, wait bool) (map[string]connection.Connection, error) {
	for said := false; ; said = true {
		all, err := allConnections(ctx, c)
		if err != nil {
			return nil, err
		}
		loading := 0
		for _, conn := range all {
			if historyLoads(conn, q) {
				loading++
			}
		}
		if loading == 0 {
			return all, nil
		}
		if !wait {
			a.say("the history of %s is still loading: what is missing comes with the next export; --wait-for-history waits for it", counted(loading, "connection"))
			return all, nil
		}
		if !said {
			a.say("waiting for the history of %s", counted(loading, "connection"))
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(historyLook):
		}
	}
}

// historyLoads reports whether a connection that the query can select has transactions that Plaid is still fetching.
func historyLoads(c connection.Connection, q txn.Query) bool {
	selected := (q.Item == "" || q.Item == c.ID || q.Item == c.ItemID) && (q.EmployerID == "" || q.EmployerID == c.EmployerID) && (q.CarrierID == "" || q.CarrierID == c.CarrierID)
	working := c.Status != connection.Removed && c.Status != connection.Failed && c.Status != connection.Revoked && c.Status != connection.NeedsReauth
	return selected && working && slices.Contains(c.Products, "transactions") && (c.Transactions == nil || c.Transactions.Status != "HISTORICAL_UPDATE_COMPLETE")
}

func allConnections(ctx context.Context, c *client.Client) (map[string]connection.Connection, error) {
	rows, err := allRows(ctx, filtered(c.ListConnections, connection.Query{}))
	all := map[string]connection.Connection{}
	for _, x := range rows {
		all[x.ID] = x
	}
	return all, err
}

// writeFileAtomically writes to stdout, or to a file that replaces the old one only when it is complete.
func (a *app) writeFileAtomically(path string, write func(io.Writer) error) error {
	if path == "" || path == "-" {
		w := bufio.NewWriterSize(a.Stdout, 1<<16)
		return errors.Join(write(w), w.Flush())
	}
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return usage("name a file, or leave --out out and redirect stdout", "--out %s is not a file", path)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".export-*")
	if err != nil {
		return usage("its directory must be there, and writable", "--out %s cannot be written", path)
	}
	defer os.Remove(f.Name()) // gone by then if the rename succeeded
	w := bufio.NewWriterSize(f, 1<<16)
	if err = write(w); err == nil {
		if err = w.Flush(); err == nil {
			err = f.Sync()
		}
	}
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
