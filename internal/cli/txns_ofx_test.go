package cli_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aclindsa/ofxgo"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/txn"
)

// calm leaves the syncs to the test.
func calm() banktest.Option {
	tempo := banktest.Quick
	tempo.SyncDivisor = 1
	return banktest.Tempo(tempo)
}

// manyKinds fills a feed with accounts of all kinds and rows in several currencies, and returns how many rows OFX can say.
func manyKinds(feed *banktest.Feed) (sayable, unsayable int) {
	kinds := [][3]string{
		{"checking", "depository", "checking"}, {"savings", "depository", "savings"}, {"mm", "depository", "money market"}, {"cd", "depository", "cd"},
		{"card", "credit", "credit card"}, {"paypal", "credit", "paypal"}, {"mortgage", "loan", "mortgage"}, {"line", "loan", "line of credit"}, {"student", "loan", "student"}, {"overpaid", "credit", "credit card"},
	}
	names := []string{"shop", `a "b", c; d`, "=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "a;=1+1", "línea € ✓", "<b>&amp;", "\x1b[2J", strings.Repeat("long ", 40), "\u202eevil", "＝1+1", ""}
	codes := [][2]any{{"USD", nil}, {"EUR", nil}, {"JPY", nil}, {nil, "USDT"}, {nil, nil}, {"usd", nil}, {"XXX", nil}, {nil, "BTC"}}
	feed.Change(func(accounts *[]map[string]any, rows map[string]any) {
		for i, k := range kinds {
			a := banktest.FeedAccount("acc-"+k[0], k[0], fmt.Sprintf("%04d", i), k[1], k[2])
			if k[0] == "overpaid" {
				a["balances"].(map[string]any)["current"] = -7.5
			}
			*accounts = append(*accounts, a)
			for n, name := range names {
				id := fmt.Sprintf("r%d-%d", i, n)
				r := banktest.FeedRow(id, "acc-"+k[0], fmt.Sprintf("2026-03-%02d", 1+n), name, float64(n-5)*1.25)
				code := codes[0]
				if k[0] == "checking" || k[0] == "card" {
					code = codes[n%len(codes)]
				}
				r["iso_currency_code"], r["unofficial_currency_code"] = code[0], code[1]
				if n == 3 {
					r["check_number"] = "123456789012345"
				}
				rows[id] = r
				if code[0] == "USD" || code[0] == "EUR" || code[0] == "JPY" {
					sayable++
				} else {
					unsayable++
				}
			}
		}
	})
	return sayable, unsayable
}

// fedOffice links a bank whose data a feed tells.
func fedOffice(t *testing.T, feed *banktest.Feed) (*office, connection.Connection) {
	t.Helper()
	o := newOffice(t, calm(), banktest.Between(feed.Around))
	conn := o.Link("e1")
	return o, o.sync(conn.ItemID)
}

func (o *office) sync(item string) connection.Connection {
	o.t.Helper()
	for range 2 { // the first may join one that began before
		if _, err := o.Client.SyncTransactions(o.t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: item}}); err != nil {
			o.t.Fatal(err)
		}
	}
	conn, err := o.Client.GetConnection(o.t.Context(), item)
	if err != nil {
		o.t.Fatal(err)
	}
	return conn
}

// Found C1 and C2: a strict reader takes the file; it has one statement for each account and currency, types by subtype,
// debts as debts; what OFX cannot say is left out and counted.
func TestRowC1AndC2OFXForStrictReaders(t *testing.T) {
	t.Parallel()
	feed := banktest.NewFeed()
	sayable, unsayable := manyKinds(feed)
	o, conn := fedOffice(t, feed)
	ours := map[string]string{}
	for _, a := range conn.Accounts {
		ours[a.ID[2:]] = a.Name
		ours[a.ID[6:]+"-EUR"], ours[a.ID[6:]+"-JPY"] = a.Name+" EUR", a.Name+" JPY"
	}
	code, out, stderr := o.run("", "txns", "export", "--format", "ofx")
	if code != 0 {
		t.Fatal(stderr)
	}
	counted := 0
	for _, line := range strings.Split(stderr, "\n") {
		var n int
		if _, err := fmt.Sscanf(line, "left out: %d transaction", &n); err == nil {
			counted += n
		}
	}
	if counted != unsayable || !strings.Contains(stderr, "USDT") || !strings.Contains(stderr, "(no currency)") || strings.Count(stderr, "gives no balance in") != 4 {
		t.Errorf("%d of %d are counted:\n%s", counted, unsayable, stderr)
	}
	resp, err := ofxgo.ParseResponse(strings.NewReader(out))
	if err != nil {
		t.Fatalf("%v in\n%.3000s", err, out)
	}
	rows, ids, statements := 0, map[string]bool{}, map[string]string{}
	take := func(account, kind, currency string, list *ofxgo.TransactionList, balance ofxgo.Amount) {
		name := ours[account]
		if name == "" || statements[name] != "" {
			t.Errorf("statement of %q, %q", account, name)
		}
		statements[name] = kind + " " + currency + " " + balance.FloatString(2)
		for _, r := range list.Transactions {
			rows++
			if id := string(r.FiTID); ids[id] || id == "" || r.Name == "" {
				t.Errorf("%+v", r)
			}
			ids[string(r.FiTID)] = true
			if sign := r.TrnAmt.Sign(); (r.TrnType == ofxgo.TrnTypeDebit || r.TrnType == ofxgo.TrnTypeCheck) != (sign < 0) {
				t.Errorf("%v %s", r.TrnType, r.TrnAmt.String())
			}
		}
	}
	for _, m := range resp.Bank {
		s := m.(*ofxgo.StatementResponse)
		take(string(s.BankAcctFrom.AcctID), s.BankAcctFrom.AcctType.String(), s.CurDef.String(), s.BankTranList, s.BalAmt)
	}
	for _, m := range resp.CreditCard {
		s := m.(*ofxgo.CCStatementResponse)
		take(string(s.CCAcctFrom.AcctID), "CARD", s.CurDef.String(), s.BankTranList, s.BalAmt)
	}
	if rows != sayable {
		t.Errorf("%d rows of %d", rows, sayable)
	}
	want := map[string]string{
		"checking": "CHECKING USD 100.25", "savings": "SAVINGS USD 100.25", "mm": "MONEYMRKT USD 100.25", "cd": "CD USD 100.25", "card": "CARD USD -100.25", "paypal": "CARD USD -100.25",
		"overpaid": "CARD USD 7.50", "mortgage": "CREDITLINE USD -100.25", "line": "CREDITLINE USD -100.25", "student": "CREDITLINE USD -100.25",
		"checking EUR": "CHECKING EUR -0.00", "card EUR": "CARD EUR -0.00", "checking JPY": "CHECKING JPY 0.00", "card JPY": "CARD JPY 0.00",
	}
	for name, statement := range want {
		if got := statements[name]; got != statement && !strings.HasSuffix(name, "EUR") && !strings.HasSuffix(name, "JPY") || got == "" {
			t.Errorf("%s is %q, want %q", name, got, statement)
		}
	}
	if len(statements) != len(want) {
		t.Errorf("%d statements: %v", len(statements), statements)
	}
	t.Run("ofxdump", func(t *testing.T) {
		tool := tool(t, "ofxdump")
		path := filepath.Join(t.TempDir(), "x.ofx")
		if err := os.WriteFile(path, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		dump, err := exec.Command(tool, path).CombinedOutput()
		text := string(dump)
		if err != nil || strings.Count(text, "ofx_proc_transaction():") != rows || strings.Contains(text, "ERROR") {
			t.Errorf("%v, %d transactions of %d\n%.4000s", err, strings.Count(text, "ofx_proc_transaction():"), rows, text)
		}
	})
}

// tool finds a program of Debian's, or skips loudly where it is not there and need not be.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("%s is not installed", name)
		}
		t.Skipf("SKIPPED: %s is not installed: what other programs read was not tried", name)
	}
	return path
}

const hledgerRules = `skip 1
fields id, day, authorized, text, merchant, sum, cents, code, direction, pending, category, detail, channel, number, employer, carrier, bankaccount
date %day
date-format %Y-%m-%d
description %text
amount -%sum
account1 assets:%bankaccount
account2 other
`

// CSV and TSV: every cell is what it was, no cell begins a formula, and ledger programs read them.
func TestExportCellsAreSafe(t *testing.T) {
	t.Parallel()
	feed := banktest.NewFeed()
	sayable, unsayable := manyKinds(feed)
	o, _ := fedOffice(t, feed)
	for format, comma := range map[string]rune{"csv": ',', "tsv": '\t'} {
		code, out, stderr := o.run("", "txns", "export", "--format", format)
		if code != 0 {
			t.Fatal(stderr)
		}
		r := csv.NewReader(strings.NewReader(out))
		r.Comma = comma
		cells, err := r.ReadAll()
		if err != nil || len(cells) != sayable+unsayable+1 {
			t.Fatalf("%s: %d lines, %v", format, len(cells), err)
		}
		for _, row := range cells[1:] {
			for i, cell := range row {
				number := cells[0][i] == "amount" || cells[0][i] == "amount_cents"
				for at, part := range strings.Split(cell, ";") {
					part = strings.TrimLeft(part, " \t")
					if !number && part != "" && strings.ContainsRune("=+@-\t\r＝＋＠", []rune(part)[0]) {
						t.Errorf("%s: part %d of %q begins a formula", format, at, cell)
					}
				}
				if strings.ContainsAny(cell, "\t\r\n\x1b") {
					t.Errorf("%s: %q", format, cell)
				}
			}
		}
	}
	t.Run("hledger", func(t *testing.T) {
		tool := tool(t, "hledger")
		_, out, _ := o.run("", "txns", "export", "--currency", "USD")
		dir := t.TempDir()
		for name, text := range map[string]string{"x.csv": out, "x.csv.rules": hledgerRules} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run := exec.Command(tool, "-f", filepath.Join(dir, "x.csv"), "bal", "assets", "--format", "%(total)", "--depth", "1", "--no-total")
		run.Env = append(os.Environ(), "LANG=C.UTF-8")
		sum, err := run.CombinedOutput()
		s, sumErr := o.Client.SummarizeTransactions(t.Context(), txn.Query{Currency: "USD"}, false, "")
		want := strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", float64(s.Net)/100), "0"), ".0")
		if got := strings.TrimSuffix(strings.TrimSpace(string(bytes.TrimSpace(sum))), "0"); err != nil || sumErr != nil || !strings.HasPrefix(got, want) {
			t.Errorf("hledger adds up to %q, bankd to %s: %v %v", sum, want, err, sumErr)
		}
	})
	if code, out, stderr := o.run("", "txns", "list", "--currency", "eur", "-o", "name"); code != 0 || out != "" || !strings.Contains(stderr, `"eur" is not EUR`) {
		t.Errorf("%d %q %s", code, out, stderr)
	}
	for currency, want := range map[string]string{"none": ",,", "USDT": ",USDT,", "usd": ",usd,"} {
		code, out, stderr := o.run("", "txns", "export", "--currency", currency)
		if lines := strings.Split(strings.TrimSpace(out), "\n"); code != 0 || len(lines) < 2 || strings.Count(out, want) < len(lines)-1 {
			t.Errorf("%s: %d %s %s", currency, code, out, stderr)
		}
	}
	if code, out, _ := o.run("", "txns", "export", "--format", "ndjson"); code != 0 || strings.Count(out, "\n") != sayable+unsayable {
		t.Errorf("%d lines of ndjson", strings.Count(out, "\n"))
	}
}
