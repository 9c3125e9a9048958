package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// ledgerOf links as many banks as give more rows than one page holds, and reads all of them by number.
func ledgerOf(t *testing.T, b *banktest.Bank, links int) []txn.Transaction {
	t.Helper()
	var ids []string
	for n := range links {
		ids = append(ids, b.Link(fmt.Sprintf("e%d", n)).ID)
	}
	for _, id := range ids {
		complete(t.Fatalf, b, id)
	}
	var all []txn.Transaction
	for n := 1; ; n++ {
		p, err := b.Client.ListTransactions(t.Context(), txn.Query{Request: page.Request{Page: n, Limit: 200}})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p.Rows...)
		if n >= p.Info.Pages {
			return all
		}
	}
}

// ofxRow is a transaction as an accounting program reads it.
type ofxRow struct {
	Kind   string `xml:"TRNTYPE"`
	Day    string `xml:"DTPOSTED"`
	Amount string `xml:"TRNAMT"`
	ID     string `xml:"FITID"`
	Name   string `xml:"NAME"`
}

type ofxStatement struct {
	Currency string   `xml:"CURDEF"`
	Account  string   `xml:"BANKACCTFROM>ACCTID"`
	Kind     string   `xml:"BANKACCTFROM>ACCTTYPE"`
	Card     string   `xml:"CCACCTFROM>ACCTID"`
	From     string   `xml:"BANKTRANLIST>DTSTART"`
	To       string   `xml:"BANKTRANLIST>DTEND"`
	Rows     []ofxRow `xml:"BANKTRANLIST>STMTTRN"`
	Balance  string   `xml:"LEDGERBAL>BALAMT"`
}

type ofxFile struct {
	Bank []ofxStatement `xml:"BANKMSGSRSV1>STMTTRNRS>STMTRS"`
	Card []ofxStatement `xml:"CREDITCARDMSGSRSV1>CCSTMTTRNRS>CCSTMTRS"`
}

// An export, which goes by cursor, holds the same rows as the list by page number, in each format and to the cent.
func TestExportIsTheList(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	all := ledgerOf(t, o.Bank, 9)
	if len(all) <= page.MaxLimit {
		t.Fatalf("%d rows are one page", len(all))
	}
	export := func(args ...string) string {
		t.Helper()
		code, out, stderr := o.run("", append([]string{"txns", "export"}, args...)...)
		if code != 0 {
			t.Fatal(stderr)
		}
		return out
	}
	var lines []txn.Transaction
	for d := json.NewDecoder(strings.NewReader(export("--format", "jsonl"))); ; {
		var row txn.Transaction
		if err := d.Decode(&row); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, row)
	}
	if diff := cmp.Diff(all, lines); diff != "" {
		t.Errorf("jsonl (-list +export):\n%s", diff)
	}
	cells, err := csv.NewReader(strings.NewReader(export())).ReadAll()
	if err != nil || len(cells) != len(all)+1 {
		t.Fatalf("%d lines of CSV for %d rows: %v", len(cells), len(all), err)
	}
	for i, row := range cells[1:] {
		amount, _, err := money.Parse(row[5], row[7])
		if err != nil || row[0] != all[i].ID || row[1] != all[i].Date || row[3] != all[i].Name || amount.Minor != all[i].Amount {
			t.Fatalf("line %d is %q, the row %+v", i, row, all[i])
		}
	}
	t.Run("ofx", func(t *testing.T) { checkOFX(t, export("--format", "ofx"), all) })
	_, out, _ := o.run("", "txns", "list", "--all", "-o", "name")
	if names := strings.Fields(out); len(names) != len(all) || names[len(all)-1] != all[len(all)-1].ID {
		t.Errorf("list --all names %d of %d", len(names), len(all))
	}
	code, out, stderr := o.run("", "txns", "list", "--limit", "7", "-o", "name")
	cursor := strings.TrimSpace(strings.TrimPrefix(stderr, "next: --cursor "))
	if code, next, stderr := o.run("", "txns", "list", "--cursor", cursor, "-o", "name"); code != 0 || strings.Fields(next)[0] != all[7].ID {
		t.Errorf("after %q comes %q: %s", out, next, stderr)
	}
	if code != 0 {
		t.Error(stderr)
	}
}

func checkOFX(t *testing.T, text string, all []txn.Transaction) {
	if !strings.HasPrefix(text, `<?xml version="1.0"`) || !strings.Contains(text, `<?OFX OFXHEADER="200" VERSION="220"`) {
		t.Errorf("it begins %q", text[:80])
	}
	var f ofxFile
	d := xml.NewDecoder(strings.NewReader(text))
	d.Strict = true
	if err := d.Decode(&f); err != nil {
		t.Fatal(err)
	}
	byID := map[string]txn.Transaction{}
	for _, row := range all {
		byID[row.ID] = row
	}
	for _, s := range slices.Concat(f.Bank, f.Card) {
		if s.Currency != "USD" || len(s.Account+s.Card) != 22 || s.Balance == "" || (s.Kind == "") != (s.Card != "") {
			t.Errorf("statement %+v", s)
		}
		for _, r := range s.Rows {
			want := byID[r.ID]
			delete(byID, r.ID)
			amount, rounded, err := money.Parse(r.Amount, s.Currency)
			day := strings.ReplaceAll(want.Date, "-", "") + "120000"
			if err != nil || rounded || amount.Minor != -want.Amount || r.Day != day || r.Kind != strings.ToUpper(want.Direction) || !strings.HasSuffix(want.BankAccountID, s.Account+s.Card) {
				t.Errorf("%+v in %+v is not %+v", r, s.Account, want)
			}
			if day < s.From || day > s.To {
				t.Errorf("%s is not between %s and %s", day, s.From, s.To)
			}
		}
	}
	if len(byID) > 0 || len(f.Bank) == 0 {
		t.Errorf("%d rows are missing; %d statements", len(byID), len(f.Bank))
	}
}

// A job's export holds each row once; nothing is remembered of one that failed.
func TestExportSinceLast(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	all := ledgerOf(t, o.Bank, 1)
	dir := t.TempDir()
	run := func(env string, args ...string) (int, string) {
		t.Helper()
		code, _, stderr := o.runIn(env, append([]string{"txns", "export", "--since-last", "--format", "jsonl", "--out", filepath.Join(dir, "x")}, args...)...)
		return code, stderr
	}
	rows := func() int {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(dir, "x"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Count(string(text), "\n")
	}
	state := t.TempDir()
	if code, stderr := run(state, "--out", filepath.Join(dir, "no", "x")); code != 2 {
		t.Fatalf("%d %s", code, stderr)
	}
	if code, stderr := run(state); code != 0 || rows() != len(all) {
		t.Fatalf("the first has %d of %d: %s", rows(), len(all), stderr)
	}
	if code, stderr := run(state); code != 0 || rows() != 0 || !strings.Contains(stderr, "nothing new") {
		t.Errorf("the second has %d: %s", rows(), stderr)
	}
	conn := o.Link("later")
	complete(t.Fatalf, o.Bank, conn.ID)
	later, err := o.Client.ListTransactions(t.Context(), txn.Query{EmployerID: "later"})
	if err != nil {
		t.Fatal(err)
	}
	if code, stderr := run(state); code != 0 || rows() != later.Info.Total || rows() == 0 {
		t.Errorf("the third has %d of %d: %s", rows(), later.Info.Total, stderr)
	}
	if code, _ := run(state, "--employer-id", "later"); code != 0 || rows() != later.Info.Total {
		t.Errorf("another job has %d of %d", rows(), later.Info.Total)
	}
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
	marks, err := filepath.Glob(filepath.Join(state, "bankctl", "export-*.json"))
	if err != nil || len(marks) != 2 {
		t.Errorf("marks: %v %v", marks, err)
	}
}
