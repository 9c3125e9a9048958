package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aclindsa/ofxgo"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// lifeAtOnce is how many lives are lived side by side in one bank, each in an account of its own.
const lifeAtOnce = 100

// entry is a row as a person's books have it.
type entry struct{ account, date, amount, currency, name, pending string }

// life is one account at Plaid: its rows change as banks change them.
type life struct {
	no, generation int
	name           string
	rows           []liveRow
	dropped        []string  // rows of a former account id that Plaid takes back with the next step
	held           []liveRow // rows that come again with the next step
	renames        bool      // nothing but ids of Plaid's changed in this step
}

type liveRow struct {
	id, pendingID, date, name, merchant string
	amount                              float64
	code                                string
	pending                             bool
}

func (l *life) accountID() string { return fmt.Sprintf("account%d.%d", l.no, l.generation) }

func (r liveRow) wire(account string) map[string]any {
	w := banktest.FeedRow(r.id, account, r.date, r.name, r.amount)
	w["pending"], w["iso_currency_code"] = r.pending, nil
	switch r.code {
	case "USDT":
		w["unofficial_currency_code"] = r.code
	case "":
	default:
		w["iso_currency_code"] = r.code
	}
	if r.pendingID != "" {
		w["pending_transaction_id"] = r.pendingID
	}
	if r.merchant != "" {
		w["merchant_name"] = r.merchant
	}
	return w
}

func (r liveRow) entry(account string) entry {
	return entry{account, r.date, fmt.Sprintf("%.2f", r.amount), r.code, r.name + r.merchant, strconv.FormatBool(r.pending)}
}

// step lets one thing happen. Days, names and amounts are few, so that rows are often alike.
func (l *life) step(rnd *rand.Rand, id func() string) {
	l.renames = false
	any := func() int { return rnd.IntN(len(l.rows)) }
	day := func() string { return fmt.Sprintf("2026-03-0%d", 1+rnd.IntN(3)) }
	what := rnd.IntN(12)
	if len(l.rows) == 0 {
		what = 0
	}
	switch what {
	case 0, 1, 2: // new rows
		for range 1 + rnd.IntN(3) {
			l.rows = append(l.rows, liveRow{
				id: id(), date: day(), name: []string{"coffee", "rent"}[rnd.IntN(2)], amount: []float64{2.5, -10, 7}[rnd.IntN(3)],
				code: []string{"USD", "USD", "USD", "EUR", "USDT", ""}[rnd.IntN(6)], pending: rnd.IntN(3) == 0,
			})
		}
	case 3: // posted
		for i := range l.rows {
			if r := &l.rows[i]; r.pending {
				r.pendingID, r.id, r.pending = r.id, id(), false
				if rnd.IntN(2) == 0 {
					r.date = day()
				}
			}
		}
	case 4: // taken back
		i := any()
		l.rows = slices.Delete(l.rows, i, i+1)
	case 5:
		l.rows[any()].date = day()
	case 6:
		l.rows[any()].code = []string{"USD", "EUR", "USDT", ""}[rnd.IntN(4)]
	case 7:
		l.rows[any()].merchant = []string{"", "Roastery"}[rnd.IntN(2)]
	case 8: // under another id
		l.rows[any()].id = id()
		l.renames = true
	case 9, 10: // the account under another id, and all its rows: the old ones go at once or later
		l.renames = true
		later := rnd.IntN(2) == 0
		l.reissue(id, later)
	case 11: // the old ones go first, the new ones come later
		l.reissue(id, false)
		l.held, l.rows = l.rows, nil
	}
}

func (l *life) reissue(id func() string, later bool) {
	l.generation++
	for i := range l.rows {
		if later {
			l.dropped = append(l.dropped, fmt.Sprintf("%s|%d", l.rows[i].id, l.generation-1))
		}
		l.rows[i].id, l.rows[i].pendingID = id(), ""
	}
}

// books are what one consumer has, by the ids of a format.
type books struct {
	format  string
	entries map[string]entry
}

// take reads an export into the books. It returns how many lines each account has, how often a line told what the books
// had already, and how often an id came twice.
func (b *books) take(t *testing.T, text string) (lines map[string]int, again, twice int) {
	t.Helper()
	lines = map[string]int{}
	seen := map[string]bool{}
	put := func(id string, e entry) {
		lines[e.account]++
		if seen[id] {
			twice++
		}
		if seen[id] = true; b.entries[id] == e {
			again++
		}
		b.entries[id] = e
	}
	switch b.format {
	case "csv":
		rows, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows[1:] {
			put(r[0], entry{r[16], r[1], r[5], r[7], r[3] + r[4], r[9]})
		}
	case "jsonl":
		for d := json.NewDecoder(strings.NewReader(text)); ; {
			var r txn.Transaction
			if err := d.Decode(&r); errors.Is(err, io.EOF) {
				return lines, again, twice
			} else if err != nil {
				t.Fatal(err)
			}
			put(r.ID, entry{r.BankAccountID, r.Date, money.Amount{Minor: r.Amount, Currency: r.Currency}.Decimal(), r.Currency, r.Name + r.MerchantName, strconv.FormatBool(r.Pending)})
		}
	case "ofx":
		resp, err := ofxgo.ParseResponse(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range resp.Bank {
			s := m.(*ofxgo.StatementResponse)
			account, _, _ := strings.Cut(string(s.BankAcctFrom.AcctID), "-")
			for _, r := range s.BankTranList.Transactions {
				amount := r.TrnAmt
				amount.Neg(&amount.Rat)
				name := string(r.Name)
				if r.Memo != "" {
					name = string(r.Memo) + name
				}
				put(string(r.FiTID), entry{account[len(account)-18:], r.DtPosted.Format("2006-01-02"), amount.FloatString(2), s.CurDef.String(), name, "false"})
			}
		}
	}
	return lines, again, twice
}

func count(entries []entry) map[entry]int {
	n := map[entry]int{}
	for _, e := range entries {
		n[e]++
	}
	return n
}

// Random lives of rows and accounts, through --since-last in three formats into the books of someone who keeps them by
// id: nothing is doubled, nothing is lost, nothing is told again. BANKD_EXPORT_LIVES sets how many lives.
func TestExportModel(t *testing.T) {
	t.Parallel()
	lives := 200
	if s := os.Getenv("BANKD_EXPORT_LIVES"); s != "" {
		var err error
		if lives, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	doubled, lost, again, exported, steps := 0, 0, 0, 0, 0
	for done := 0; done < lives; done += lifeAtOnce {
		seed := rand.Uint64()
		ok := t.Run(fmt.Sprint(done), func(t *testing.T) {
			d, l, a, e, s := liveBatch(t, seed, min(lifeAtOnce, lives-done))
			doubled, lost, again, exported, steps = doubled+d, lost+l, again+a, exported+e, steps+s
		})
		if !ok {
			t.Fatalf("seed %d", seed)
		}
	}
	t.Logf("%d lives, %d steps, %d lines exported: %d doubled, %d lost, %d told again", lives, steps, exported, doubled, lost, again)
}

func liveBatch(t *testing.T, seed uint64, n int) (doubled, lost, again, exported, steps int) {
	rnd := rand.New(rand.NewPCG(seed, 1))
	feed := banktest.NewFeed()
	minted := 0
	id := func() string { minted++; return fmt.Sprintf("row%d", minted) }
	all := make([]*life, n)
	for i := range all {
		all[i] = &life{no: i, name: fmt.Sprintf("Account %d", i)}
	}
	kept := map[string]any{} // rows that Plaid still tells under a former account id
	show := func() {
		feed.Change(func(accounts *[]map[string]any, rows map[string]any) {
			clear(rows)
			*accounts = []map[string]any{}
			for _, l := range all {
				*accounts = append(*accounts, banktest.FeedAccount(l.accountID(), l.name, fmt.Sprintf("%04d", l.no), "depository", "checking"))
				for _, r := range l.rows {
					rows[r.id] = r.wire(l.accountID())
				}
			}
			maps.Copy(rows, kept)
		})
	}
	show()
	o, conn := fedOffice(t, feed)
	ours := map[string]string{}
	for _, a := range conn.Accounts {
		ours[a.Name] = a.ID
	}
	state, polled := t.TempDir(), time.Time{}
	ledgers := []*books{{"csv", map[string]entry{}}, {"jsonl", map[string]entry{}}, {"ofx", map[string]entry{}}}
	for range 7 {
		before := map[string]map[string]any{}
		for _, l := range all {
			for _, r := range l.rows {
				before[r.id] = map[string]any{"row": r.wire(l.accountID())}
			}
		}
		clear(kept)
		for _, l := range all {
			l.dropped = nil
			if len(l.held) > 0 {
				l.rows, l.held, l.renames = l.held, nil, false
				continue
			}
			if rnd.IntN(4) == 0 { // nothing happens
				l.renames = true
				continue
			}
			l.step(rnd, id)
			steps++
			for _, d := range l.dropped {
				old, _, _ := strings.Cut(d, "|")
				kept[old] = before[old]["row"]
			}
		}
		show()
		o.sync(conn.ItemID)
		for i, b := range ledgers {
			path := filepath.Join(state, "export")
			code, _, stderr := o.runIn(state, "txns", "export", "--since-last", "--format", b.format, "--out", path)
			if code != 0 {
				t.Fatal(stderr)
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines, told, twice := b.take(t, string(text))
			again, doubled = again+told, doubled+twice
			for _, l := range all {
				account := ours[l.name]
				if b.format == "ofx" {
					account = account[len(account)-18:]
				}
				if exported += lines[account]; l.renames && lines[account] > 0 {
					t.Errorf("seed %d: %s: %d lines of an account of which ids alone changed", seed, b.format, lines[account])
				}
			}
			if rnd.IntN(3) == i {
				_, out, _ := o.runIn(state, "txns", "export", "--since-last", "--format", b.format)
				if lines, _, _ := b.take(t, out); len(lines) > 0 {
					t.Errorf("seed %d: %s: the second export in a row has %d accounts", seed, b.format, len(lines))
				}
			}
		}
		now := time.Now().UTC()
		for p := 1; ; p++ {
			gone, info, err := o.Client.RemovedTransactions(t.Context(), txn.Query{Request: page.Request{Page: p, Limit: 200}}, polled)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range gone {
				for _, b := range ledgers {
					delete(b.entries, r.ID)
				}
			}
			if p >= info.Pages {
				break
			}
		}
		polled = now.Add(-time.Second)
		for _, b := range ledgers {
			var want, got []entry
			for _, l := range all {
				for _, r := range l.rows {
					e := r.entry(ours[l.name])
					if b.format == "ofx" {
						if e.pending == "true" || !money.ISO(e.currency) {
							continue
						}
						e.account = e.account[len(e.account)-18:]
						if r.merchant != "" {
							e.name = r.name + r.merchant
						}
					}
					want = append(want, e)
				}
			}
			for id, e := range b.entries {
				if b.format == "ofx" && !money.ISO(ledgers[0].entries[id].currency) {
					delete(b.entries, id) // OFX cannot say what became of it
					continue
				}
				got = append(got, e)
			}
			w, g := count(want), count(got)
			for e, n := range w {
				if g[e] < n {
					lost += n - g[e]
					t.Errorf("seed %d: %s: %d of %d are there of %+v", seed, b.format, g[e], n, e)
				}
			}
			for e, n := range g {
				if n > w[e] {
					doubled += n - w[e]
					t.Errorf("seed %d: %s: %d are there, not %d, of %+v", seed, b.format, n, w[e], e)
				}
			}
		}
		if t.Failed() {
			return doubled, lost, again, exported, steps
		}
	}
	if again > 0 {
		t.Errorf("seed %d: %d lines tell what the books have", seed, again)
	}
	return doubled, lost, again, exported, steps
}
