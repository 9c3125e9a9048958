package cli

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/lipgloss"
	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/txn"
)

// A shop's name never makes a formula of an exported cell, nor two rows of one.
func FuzzCSVRow(f *testing.F) {
	for _, seed := range []string{"=1+1", " =1+1", "\t@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "＝1+1", "plain", "a\"b,c\nd", "\x00=1", "\u202e=1", "-12.50"} {
		f.Add(seed, int64(1250))
	}
	f.Fuzz(func(t *testing.T, name string, minor int64) {
		row := csvRow(txn.Transaction{ID: "6a1f0b8f2b3c4d5e6f708192", Amount: minor, Currency: "USD", Details: txn.Details{Name: name, MerchantName: name, CheckNumber: name}})
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
		w.Flush()
		back, err := csv.NewReader(&b).ReadAll()
		if err != nil || len(back) != 1 || len(back[0]) != len(csvColumns) {
			t.Fatalf("%q: %d rows, %v", name, len(back), err)
		}
		for _, cell := range []string{back[0][3], back[0][4], back[0][13]} {
			if cell == "" {
				continue
			}
			_, err := strconv.ParseFloat(cell, 64)
			if first := []rune(cell)[0]; strings.ContainsRune("=@＝＋－＠|% \t\r\n", first) || strings.ContainsRune("+-", first) && err != nil {
				t.Errorf("%q becomes %q", name, cell)
			}
		}
		if amount, rounded, err := money.Parse(back[0][5], "USD"); err != nil || rounded || amount.Minor != minor {
			t.Errorf("%d is written %s", minor, back[0][5])
		}
	})
}

func TestBar(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value, greatest int64
		width           int
		want            string
	}{{0, 10, 4, ""}, {10, 10, 4, "████"}, {5, 10, 4, "██"}, {1, 1000, 4, "▏"}, {9, 16, 2, "█▏"}, {10, 10, 0, ""}, {20, 10, 2, "██"}} {
		if got := bar(c.value, c.greatest, c.width); got != c.want {
			t.Errorf("bar(%d, %d, %d) = %q, want %q", c.value, c.greatest, c.width, got, c.want)
		}
	}
}

func statementApp(t *testing.T, width int, color bool) (*app, *strings.Builder) {
	var out strings.Builder
	a := &app{Env: nowhere(t), output: "table", noColor: !color}
	a.OutTTY, a.Stdout, a.Width = true, &out, func() int { return width }
	return a, &out
}

// A statement fits the terminal, its amounts end under each other, and colours say nothing that the columns do not.
func TestStatement(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		rows := make([]txn.Transaction, rapid.IntRange(1, 8).Draw(rt, "rows"))
		for i := range rows {
			minor := rapid.Int64Range(-1e9, 1e9).Draw(rt, "minor")
			rows[i] = txn.Transaction{ID: strings.Repeat("0", idLength), Date: "2026-01-31", Amount: minor, Currency: "USD", Direction: txn.DirectionOf(minor, false), Details: txn.Details{Name: rapid.String().Draw(rt, "name")}}
		}
		width := rapid.IntRange(66, 200).Draw(rt, "width")
		plain, out := statementApp(t, width, false)
		if err := plain.showTxns(rows); err != nil {
			rt.Fatal(err)
		}
		painted, colored := statementApp(t, width, true)
		if err := painted.showTxns(rows); err != nil {
			rt.Fatal(err)
		}
		bare := strings.NewReplacer(red, "", green, "", "\x1b[0m", "", "\x1b[1m", "").Replace(colored.String())
		if bare != out.String() || !strings.Contains(colored.String(), "\x1b[3") {
			rt.Fatalf("with colours other words: %q, %q", colored.String(), out.String())
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != len(rows)+1 {
			rt.Fatalf("%d lines for %d rows", len(lines), len(rows))
		}
		ends := strings.Index(lines[0], "OUT") + len("OUT")
		for i, line := range lines[1:] {
			if lipgloss.Width(line) > width {
				rt.Fatalf("%d columns on %d: %q", lipgloss.Width(line), width, line)
			}
			if o := moneyOut(rows[i]); o != "" && line[ends-len(o):ends] != o {
				rt.Fatalf("%s does not end under OUT: %q", o, line)
			}
		}
	})
}

// A narrow terminal leaves columns out before names are cut to nothing; a pending row says so in its name.
func TestStatementColumns(t *testing.T) {
	t.Parallel()
	row := txn.Transaction{ID: strings.Repeat("0", idLength), Date: "2026-01-31", Amount: 2500, Currency: "USD", Direction: txn.Debit, Pending: true, Details: txn.Details{Name: "CREDIT CARD 3333 PAYMENT", Category: "LOAN_PAYMENTS"}, Place: txn.Place{BankAccountID: strings.Repeat("1", idLength)}}
	for width, want := range map[int][]string{
		80: {"25.00", "pending: CRED"}, 90: {"pending: CREDIT CARD 3333"}, 110: {"pending: CREDIT CARD 3333", "loan payments"}, 160: {"loan payments", row.BankAccountID}, 0: {row.BankAccountID},
	} {
		a, out := statementApp(t, width, false)
		if err := a.showTxns([]txn.Transaction{row}); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(out.String(), w) {
				t.Errorf("no %q on %d columns:\n%s", w, width, out)
			}
		}
	}
}

// Bars are to one scale per currency, and the chart is no wider than the terminal.
func TestChart(t *testing.T) {
	t.Parallel()
	s := txn.Summary{
		Each: []txn.Currency{{Currency: "EUR", Sums: txn.Sums{Total: 1}}, {Currency: "USD", Sums: txn.Sums{Total: 7, Debits: 300000, Credits: 50000, Net: -250000}}},
		By: []txn.Bucket{
			{Key: "2026-01", Currency: "USD", Sums: txn.Sums{Total: 4, Debits: 200000, Credits: 50000}},
			{Key: "2026-02", Currency: "USD", Sums: txn.Sums{Total: 3, Debits: 100000}},
			{Key: "2026-02", Currency: "EUR", Sums: txn.Sums{Total: 1, Credits: 9}},
		},
	}
	for width := 20; width <= 160; width += 7 {
		a, out := statementApp(t, width, false)
		if err := a.printChart(s, "month"); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		for _, line := range lines[:4] {
			if lipgloss.Width(line) > width {
				t.Errorf("%d columns on %d: %q", lipgloss.Width(line), width, line)
			}
		}
		if width < 80 {
			continue
		}
		if strings.Count(lines[1], "█") < 3*strings.Count(lines[2], "█")/2 || !strings.HasSuffix(lines[3], "█") {
			t.Errorf("%s", out)
		}
		if !strings.Contains(out.String(), "7 transactions, out 3,000.00, in 500.00, net -2,500.00 USD") {
			t.Errorf("no totals: %s", out)
		}
	}
}

// Each row comes once, in any order of syncs and with rows that come in while an export runs.
func TestExportMark(t *testing.T) {
	t.Parallel()
	at := func(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, n*1000, time.UTC) }
	rapid.Check(t, func(rt *rapid.T) {
		ids := []string{"a", "b", "c"}
		var rows []txn.Transaction
		last := map[string]int{}
		sync := func() {
			id := rapid.SampledFrom(ids).Draw(rt, "connection")
			last[id] += rapid.IntRange(1, 5).Draw(rt, "later")
			for range rapid.IntRange(0, 3).Draw(rt, "new") {
				rows = append(rows, txn.Transaction{ID: string(rune('A' + len(rows))), UpdatedAt: at(last[id]), Place: txn.Place{ConnectionID: id}})
			}
		}
		seen := map[string]int{}
		m := exportMark{}
		for range rapid.IntRange(1, 6).Draw(rt, "exports") {
			for range rapid.IntRange(0, 4).Draw(rt, "syncs") {
				sync()
			}
			conns := map[string]connection.Connection{}
			for id, n := range last {
				conns[id] = connection.Connection{ID: id, Transactions: &connection.Transactions{SyncedAt: at(n)}}
			}
			isNew := m.advance(conns)
			for range rapid.IntRange(0, 2).Draw(rt, "during") {
				sync()
			}
			for _, r := range rows {
				if isNew(r) {
					seen[r.ID]++
				}
			}
		}
		for _, r := range rows {
			if n := seen[r.ID]; n > 1 || n == 0 && !r.UpdatedAt.After(m.Seen[r.ConnectionID]) {
				rt.Fatalf("%s of %s at %s was exported %d times", r.ID, r.ConnectionID, r.UpdatedAt, n)
			}
		}
	})
}

func TestMinorOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, currency string
		want           int64
	}{{"12.50", "", 1250}, {"-4", "USD", -400}, {"100", "JPY", 100}, {"1.234", "KWD", 1234}} {
		if got, err := minorOf("--min", c.text, c.currency); err != nil || *got != c.want {
			t.Errorf("%s %s: %v", c.text, c.currency, err)
		}
	}
	for _, text := range []string{"x", "1.234", "1,5", "1e400"} {
		if got, err := minorOf("--min", text, "USD"); err == nil {
			t.Errorf("%s passes as %d", text, *got)
		}
	}
}

// An export that ends early leaves no file, and the one before as it was.
func TestNoHalfFile(t *testing.T) {
	t.Parallel()
	a := &app{Env: nowhere(t)}
	dir := t.TempDir()
	path := filepath.Join(dir, "x.csv")
	half := func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Repeat("half", 1<<16))
		return errors.Join(err, context.Canceled)
	}
	for _, before := range []string{"", "whole\n"} {
		if err := a.writeFileAtomically(path, half); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if text, err := os.ReadFile(path); string(text) != before || (before == "") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q is there, %v", text, err)
		}
		if err := a.writeFileAtomically(path, func(w io.Writer) error { _, err := io.WriteString(w, "whole\n"); return err }); err != nil {
			t.Fatal(err)
		}
	}
	if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
		t.Errorf("left behind: %v %v", files, err)
	}
}

// A card's statement is of another message set, and its debt is a negative balance.
func TestOFXCard(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	owed, begun := int64(41000), false
	s := statement{
		export: &export{}, ofx: &ofx{w: &b}, set: ofxSets[1], sums: txn.Bucket{Currency: "USD"}, begun: &begun,
		account: account.Account{PlaidAccountID: "BxBXxLj1m4HMXBm9WZZmCWVbPjX16EHwv99vp", Type: "credit", Balance: &account.Balance{Current: &owed, Currency: "USD", Owed: true}},
	}
	row := txn.Transaction{ID: "6a1f0b8f2b3c4d5e6f708192", Date: "2026-01-31", Amount: 123450, Currency: "USD", Direction: txn.Debit, Place: txn.Place{BankAccountID: "6a1f0b8f2b3c4d5e6f708193"}, Details: txn.Details{Name: "A & B <shop> that is named at greater length than OFX can hold", CheckNumber: "7"}}
	s.begin("2026-01-01", row)
	s.row(row)
	for _, want := range []string{
		"<CREDITCARDMSGSRSV1>", "<CCACCTFROM>\n<ACCTID>1f0b8f2b3c4d5e6f708193</ACCTID>\n</CCACCTFROM>", "<DTSTART>20260101120000</DTSTART>",
		"<TRNTYPE>CHECK</TRNTYPE>", "<TRNAMT>-1234.50</TRNAMT>", "<NAME>A &amp; B &lt;shop&gt; that is named at gr</NAME>", "<MEMO>A &amp; B &lt;shop&gt; that is named at greater",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in %s", want, b.String())
		}
	}
	if s.balance(row); !strings.Contains(b.String(), "<BALAMT>-410.00</BALAMT>") || s.err != nil || len(s.notes) > 0 {
		t.Errorf("%s, %v", b.String(), s.err)
	}
	for minor, want := range map[int64]string{0: "0.00", -5: "0.05", math.MinInt64: "92233720368547758.08"} {
		if got := negated(minor, "USD"); got != want {
			t.Errorf("negated(%d) = %s, want %s", minor, got, want)
		}
	}
}
