package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/txn"
)

type txnsExportOptions struct {
	txnFilters
	format, out string
	sinceLast   bool
}

var exportFormats = []string{"csv", "jsonl", "ofx"}

func newTxnsExport(a *app) *cobra.Command {
	var o txnsExportOptions
	cmd := &cobra.Command{
		Use: "export", Short: "Write transactions to a file, however many", Args: none(),
		Long: `Writes a selection as CSV, as JSON a line, or as OFX 2 for accounting programs. It is read
page by page: a million rows need no more memory than one. A file appears whole or not at all.

With --since-last only what is new or changed since the last complete export with the same
profile, filters and format is written; what Plaid took back in between is not told. In CSV
an amount has Plaid's sign (positive = out), in OFX the account's own. OFX holds posted
transactions alone.`,
		Example: "  bankctl txns export --format csv --out 2026.csv --from 2026-01-01\n  bankctl txns export --format ofx --employer-id acme --since-last --out new.ofx",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runTxnsExport(cmd.Context(), a, &o) },
	}
	o.txnFilters.flags(a, cmd)
	f := cmd.Flags()
	f.StringVar(&o.format, "format", "csv", "csv, jsonl or ofx")
	f.StringVar(&o.out, "out", "", "file to write, instead of stdout")
	f.BoolVar(&o.sinceLast, "since-last", false, "only what is new or changed since the last such export")
	completeWords(cmd, "format", exportFormats...)
	return cmd
}

func runTxnsExport(ctx context.Context, a *app, o *txnsExportOptions) error {
	if !slices.Contains(exportFormats, o.format) {
		return usage("use csv, jsonl or ofx", "--format cannot be %q", o.format)
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
	if e.connections, err = allConnections(ctx, c); err != nil {
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
	a.sayExported(e.rows, o)
	return nil
}

func (a *app) sayExported(rows int, o *txnsExportOptions) {
	switch {
	case rows == 0 && o.sinceLast:
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
}

func everyTxn(txn.Transaction) bool { return true }

func (e *export) write(ctx context.Context, format string, w io.Writer) error {
	switch format {
	case "jsonl":
		return e.each(ctx, e.query, func(t txn.Transaction) error { return printJSON(w, t, "") })
	case "ofx":
		return e.writeOFX(ctx, w)
	}
	return e.writeCSV(ctx, w)
}

// each visits the transactions of a query that the export writes.
func (e *export) each(ctx context.Context, q txn.Query, visit func(txn.Transaction) error) error {
	return eachPage(byCursor(ctx, e.client, q), func(rows []txn.Transaction) error {
		for _, t := range rows {
			if !e.new(t) {
				continue
			}
			if err := visit(t); err != nil {
				return err
			}
			e.rows++
		}
		return nil
	})
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
