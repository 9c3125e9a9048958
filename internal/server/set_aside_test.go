package server_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

func syncNow(t *testing.T, b *banktest.Bank, itemID string, reread bool) txn.Synced {
	t.Helper()
	s, err := b.Client.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: itemID}, Reread: reread})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// syncAll is syncNow where a sync of bankd's own may be under way: the first call may join one that began before the feed's
// change, so a second follows. What both stored is counted together.
func syncAll(t *testing.T, b *banktest.Bank, itemID string) txn.Synced {
	t.Helper()
	first, all := syncNow(t, b, itemID, false), syncNow(t, b, itemID, false)
	all.Added, all.Modified, all.Removed = all.Added+first.Added, all.Modified+first.Modified, all.Removed+first.Removed
	return all
}

// calm leaves the syncs to the test.
func calm() banktest.Option {
	tempo := banktest.Quick
	tempo.SyncDivisor = 1
	return banktest.Tempo(tempo)
}

func setAside(t *testing.T, b *banktest.Bank) []txn.SetAside {
	t.Helper()
	rows, _, err := b.Client.SetAsideTransactions(t.Context(), txn.Query{Request: page.Request{Page: 1, Limit: 200}})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

const hostile = "\x1b[2J=cmd|' /C calc'!A0 \u202e hostile"

// badRow is a row with one field changed.
func badRow(id, field string, value any) map[string]any {
	r := banktest.FeedRow(id, "acc", "2026-03-04", "shop", 1.25)
	if value == "absent" {
		delete(r, field)
	} else {
		r[field] = value
	}
	return r
}

// badRows are rows that cannot be stored, by what is wrong with them.
func badRows() map[string]any {
	return map[string]any{
		"amount null": badRow("b1", "amount", nil), "amount string": badRow("b1", "amount", "12.00"), "amount NaN": badRow("b1", "amount", "NaN"),
		"amount 1e30": badRow("b1", "amount", json.Number("1e30")), "amount 1e400": badRow("b1", "amount", json.Number("1e400")), "amount absent": badRow("b1", "amount", "absent"),
		"amount list": badRow("b1", "amount", []int{1}), "amount true": badRow("b1", "amount", true), "amount hostile": badRow("b1", "amount", hostile),
		"amount near overflow": badRow("b1", "amount", json.Number("92233720368547758.07")), "amount least": badRow("b1", "amount", json.Number("-92233720368547758.08")),
		"date null": badRow("b1", "date", nil), "date none": badRow("b1", "date", "2026-02-30"), "date text": badRow("b1", "date", "NaN"), "date number": badRow("b1", "date", 20260304),
		"date empty": badRow("b1", "date", ""), "date absent": badRow("b1", "date", "absent"), "date time": badRow("b1", "date", "2026-03-04T00:00:00Z"), "date object": badRow("b1", "date", map[string]any{}),
		"account null": badRow("b1", "account_id", nil), "account number": badRow("b1", "account_id", 7),
		"currency number": badRow("b1", "iso_currency_code", 840), "currency object": badRow("b1", "iso_currency_code", map[string]any{}), "currency long": badRow("b1", "iso_currency_code", strings.Repeat("X", 70000)),
		"pending text": badRow("b1", "pending", "yes"), "name of 70 kB": badRow("b1", "name", strings.Repeat("x", 70000)),
		"id number": badRow("b1", "transaction_id", 7), "id null": badRow("b1", "transaction_id", nil), "id empty": badRow("b1", "transaction_id", ""),
		"null": nil, "text": hostile, "number": 7, "list": []any{},
	}
}

// Found C3: a row that cannot be read is set aside; the good ones beside it are stored, the cursor goes on, the connection
// says so, and the row is stored as soon as it comes well. The same for an update that is staged.
func TestRowC3BadRowsAreSetAside(t *testing.T) {
	t.Parallel()
	for _, size := range []struct {
		name string
		rows int
	}{{"small", 3}, {"staged", 2600}} {
		t.Run(size.name, func(t *testing.T) {
			t.Parallel()
			feed, cases := banktest.NewFeed(), badRows()
			b := banktest.Start(t, calm(), banktest.Between(feed.Around))
			feed.Change(func(accounts *[]map[string]any, rows map[string]any) {
				*accounts = []map[string]any{banktest.FeedAccount("acc", "Checking", "0000", "depository", "checking")}
				for i := range size.rows {
					id := fmt.Sprintf("good%d", i)
					rows[id] = banktest.FeedRow(id, "acc", "2026-03-04", id, 1)
				}
				n := 0
				for name, bad := range cases {
					key := fmt.Sprintf("bad %s", name)
					if m, ok := bad.(map[string]any); ok && m["transaction_id"] == "b1" {
						m["transaction_id"] = fmt.Sprintf("b%d", n)
					}
					rows[key] = bad
					n++
				}
			})
			conn := b.Link("e1")
			s := syncNow(t, b, conn.ItemID, false)
			if s.Total != size.rows || s.SetAside != len(cases) {
				t.Fatalf("%d rows are stored, %d set aside of %d", s.Total, s.SetAside, len(cases))
			}
			rows := setAside(t, b)
			text, _ := json.Marshal(rows)
			if len(rows) != len(cases) || strings.Contains(string(text), "cmd|") || strings.Contains(string(text), "xxxx") {
				t.Errorf("%d rows are listed: %s", len(rows), text)
			}
			if c, err := b.Client.GetConnection(t.Context(), conn.ID); err != nil || c.Status != connection.Active || c.Transactions.SetAside != len(cases) ||
				len(c.Notices) != 1 || c.Notices[0].Code != connection.SetAsideRows || !strings.Contains(c.Notices[0].Hint, fmt.Sprint(len(cases))) {
				t.Errorf("%+v %v", c, err)
			}
			resp, err := b.Owner().Raw(t.Context(), "GET", "/metrics", nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			if metrics, _ := io.ReadAll(resp.Body); !strings.Contains(string(metrics), fmt.Sprintf("bankd_transactions_set_aside %d\n", len(cases))) {
				t.Error("the metrics do not count them")
			}
			// The same comes again from the beginning: nothing doubles, the list stays.
			if s := syncNow(t, b, conn.ItemID, true); s.Total != size.rows || s.SetAside != len(cases) {
				t.Errorf("read again: %d rows, %d set aside", s.Total, s.SetAside)
			}
			for _, r := range setAside(t, b) {
				if r.Times != 2 || !r.LastSeen.After(r.FirstSeen) {
					t.Fatalf("%+v", r)
				}
			}
			// One is corrected, one removed; then the others are gone from Plaid, which a reading from the beginning finds.
			feed.Change(func(_ *[]map[string]any, rows map[string]any) {
				good := badRow("x", "amount", 3)
				good["transaction_id"] = cases["amount null"].(map[string]any)["transaction_id"]
				rows["bad amount null"] = good
				delete(rows, "bad date null")
			})
			want := len(cases) - 1
			s = syncNow(t, b, conn.ItemID, false)
			if s.Total != size.rows+1 || s.SetAside != want {
				t.Errorf("after a correction %d rows, %d set aside, want %d", s.Total, s.SetAside, want)
			}
			feed.Change(func(_ *[]map[string]any, rows map[string]any) {
				for name := range cases {
					if name != "amount null" {
						delete(rows, "bad "+name)
					}
				}
			})
			if s := syncNow(t, b, conn.ItemID, true); s.Total != size.rows+1 || s.SetAside != 0 || len(setAside(t, b)) != 0 {
				t.Errorf("at the end %d rows, %d set aside", s.Total, s.SetAside)
			}
			if c, err := b.Client.GetConnection(t.Context(), conn.ID); err != nil || len(c.Notices) != 0 {
				t.Errorf("%+v %v", c.Notices, err)
			}
		})
	}
}

// Found C4: one odd balance or date is left out; the account stays, and so do the others.
func TestRowC4OddBalances(t *testing.T) {
	t.Parallel()
	feed := banktest.NewFeed()
	b := banktest.Start(t, calm(), banktest.Between(feed.Around))
	odd := map[string]any{"string": "12.00", "huge": json.Number("1e300"), "object": map[string]any{}, "bool": true, "list": []any{}}
	feed.Change(func(accounts *[]map[string]any, _ map[string]any) {
		for name, v := range odd {
			a := banktest.FeedAccount("acc-"+name, name, "0000", "depository", "checking")
			a["balances"].(map[string]any)["available"] = v
			*accounts = append(*accounts, a)
		}
		dated := banktest.FeedAccount("acc-date", "date", "0001", "depository", "checking")
		dated["balances"].(map[string]any)["last_updated_datetime"] = "yesterday"
		bare := banktest.FeedAccount("acc-bare", "bare", "0002", "depository", "checking")
		bare["balances"], bare["holder_category"] = nil, 7
		coded := banktest.FeedAccount("acc-code", "code", "0003", "depository", "checking")
		coded["balances"].(map[string]any)["iso_currency_code"] = 840
		*accounts = append(*accounts, dated, bare, coded)
	})
	conn := b.Link("e1")
	if conn.Status != connection.Active || len(conn.Accounts) != len(odd)+3 || conn.Institution.Name == "" {
		t.Fatalf("%+v", conn)
	}
	for _, a := range conn.Accounts {
		got, err := b.Client.GetAccount(t.Context(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		none := a.Name == "bare" || a.Name == "code"
		if none != (got.Balance == nil) || !none && (got.Balance.Current == nil || *got.Balance.Current != 10025 || got.Balance.Available != nil) {
			t.Errorf("%s: %+v", a.Name, got.Balance)
		}
	}
}

// Found C5: accounts and rows that come again under other ids of Plaid's are the same here, in whatever order Plaid tells
// it; two rows that stand beside each other are never one.
func TestRowC5Reissued(t *testing.T) {
	t.Parallel()
	for _, order := range []string{"at once", "old rows go first", "new rows come first", "staged", "rows alone", "rows alone, staged"} {
		t.Run(order, func(t *testing.T) {
			t.Parallel()
			feed := banktest.NewFeed()
			b := banktest.Start(t, calm(), banktest.Between(feed.Around))
			n, present := 10, "new"
			if strings.HasSuffix(order, "staged") {
				n = 2500
			}
			if strings.HasPrefix(order, "rows alone") {
				present = "old"
			}
			row := func(i int, prefix, account string) map[string]any { // every third one is like the one before
				return banktest.FeedRow(fmt.Sprintf("%s%d", prefix, i), account, fmt.Sprintf("2026-%02d-%02d", 1+i/28%12, 1+i%28), "coffee", i-i%3%2)
			}
			feed.Change(func(accounts *[]map[string]any, rows map[string]any) {
				*accounts = []map[string]any{banktest.FeedAccount("old", "Checking", "0000", "depository", "checking")}
				for i := range n {
					r := row(i, "o", "old")
					r["date"] = "2026-01-02"
					rows[fmt.Sprintf("o%d", i)] = r
				}
			})
			conn := b.Link("e1")
			syncAll(t, b, conn.ItemID)
			before := allOurs(t, b)
			if len(before) != n {
				t.Fatalf("%d rows", len(before))
			}
			add := func(_ *[]map[string]any, rows map[string]any) {
				for i := range n {
					r := row(i, "n", present)
					r["date"] = "2026-01-02"
					rows[fmt.Sprintf("n%d", i)] = r
				}
			}
			drop := func(_ *[]map[string]any, rows map[string]any) {
				for i := range n {
					delete(rows, fmt.Sprintf("o%d", i))
				}
			}
			feed.Change(func(accounts *[]map[string]any, rows map[string]any) {
				*accounts = []map[string]any{banktest.FeedAccount(present, "Checking", "0000", "depository", "checking")}
				if order != "old rows go first" {
					add(accounts, rows)
				}
				if order != "new rows come first" {
					drop(accounts, rows)
				}
			})
			s := syncAll(t, b, conn.ItemID)
			if order == "old rows go first" {
				feed.Change(add)
				s = syncAll(t, b, conn.ItemID)
			} else if s.Added != 0 || s.Modified != 0 || s.Removed != 0 {
				t.Errorf("%+v", s.Counts)
			}
			check := func() {
				t.Helper()
				after := allOurs(t, b)
				for id, old := range before {
					now, there := after[id]
					same := now.BankAccountID == old.BankAccountID && now.Amount == old.Amount && now.FirstSeen.Equal(old.FirstSeen)
					if !there || !same || now.PlaidAccountID != present || !strings.HasPrefix(now.PlaidTransactionID, "n") || order != "old rows go first" && !now.UpdatedAt.Equal(old.UpdatedAt) {
						t.Fatalf("%+v became %+v", old, now)
					}
				}
				if len(after) != n {
					t.Fatalf("%d rows", len(after))
				}
			}
			check()
			feed.Change(drop)
			syncAll(t, b, conn.ItemID)
			check()
			for _, id := range []string{"old", present, conn.Accounts[0].ID} {
				if p, err := b.Client.ListTransactions(t.Context(), txn.Query{AccountID: id}); err != nil || p.Info.Total != n {
					t.Errorf("of account %s: %d rows, %v", id, p.Info.Total, err)
				}
			}
			// A second purchase like one that stands is a second row.
			feed.Change(func(_ *[]map[string]any, rows map[string]any) {
				r := row(0, "twin", present)
				r["date"] = "2026-01-02"
				rows["twin0"] = r
			})
			if s := syncAll(t, b, conn.ItemID); s.Added != 1 || s.Total != n+1 {
				t.Errorf("a twin: %+v", s)
			}
		})
	}
}

func allOurs(t *testing.T, b *banktest.Bank) map[string]txn.Transaction {
	t.Helper()
	out := map[string]txn.Transaction{}
	for cursor := ""; ; {
		p, err := b.Client.ListTransactions(t.Context(), txn.Query{Request: page.Request{Page: 1, Limit: 200}, Cursor: cursor})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range p.Rows {
			out[r.ID] = r
		}
		if cursor = p.Next; cursor == "" {
			return out
		}
	}
}

// Found C1: a code is what Plaid gave, none is a value of its own. Found C8: the direction is the exact amount's.
func TestRowC1AndC8MoneysWords(t *testing.T) {
	t.Parallel()
	feed := banktest.NewFeed()
	b := banktest.Start(t, banktest.OnDisk, calm(), banktest.Between(feed.Around))
	codes := map[string][2]any{ // by name: official, unofficial
		"USD": {"USD", nil}, "USDT": {nil, "USDT"}, "none": {nil, nil}, "usd": {"usd", nil}, "EUR": {"EUR", nil}, "empty": {"", ""},
	}
	feed.Change(func(accounts *[]map[string]any, rows map[string]any) {
		*accounts = []map[string]any{banktest.FeedAccount("acc", "Checking", "0000", "depository", "checking")}
		for name, code := range codes {
			r := banktest.FeedRow(name, "acc", "2026-03-04", name, 2)
			r["iso_currency_code"], r["unofficial_currency_code"] = code[0], code[1]
			rows[name] = r
		}
		for name, amount := range map[string]string{"out": "0.001", "in": "-0.001", "out2": "0.004999", "zero": "0.000"} {
			rows[name] = banktest.FeedRow(name, "acc", "2026-03-05", name, json.Number(amount))
		}
	})
	conn := b.Link("e1")
	syncNow(t, b, conn.ItemID, false)
	for _, when := range []string{"at once", "after a restart"} {
		for currency, want := range map[string][]string{"USD": {"USD", "out", "in", "out2", "zero"}, "USDT": {"USDT"}, "none": {"none", "empty"}, "usd": {"usd"}, "EUR": {"EUR"}, "US": nil, "USDt": nil} {
			p, err := b.Client.ListTransactions(t.Context(), txn.Query{Currency: currency})
			if err != nil || p.Info.Total != len(want) {
				t.Errorf("%s: %d rows in %s, want %v; %v", when, p.Info.Total, currency, want, err)
			}
			s, err := b.Client.SummarizeTransactions(t.Context(), txn.Query{Currency: currency}, false, "")
			if err != nil || int(s.Total) != len(want) {
				t.Errorf("%s: %s sums %+v %v", when, currency, s, err)
			}
		}
		s, err := b.Client.SummarizeTransactions(t.Context(), txn.Query{}, true, "")
		sums := map[string]int64{}
		for _, c := range s.Each {
			sums[c.Currency] = c.Debits
		}
		if err != nil || len(sums) != 5 || sums[""] != 400 || sums["USDT"] != 200 || sums["usd"] != 200 || sums["USD"] != 200 {
			t.Errorf("%s: %+v %v", when, s, err)
		}
		for name, want := range map[string]string{"out": "debit", "out2": "debit", "in": "credit", "zero": "credit"} {
			r, err := b.Client.GetTransaction(t.Context(), name)
			if err != nil || r.Direction != want || r.Amount != 0 || r.Rounded != (name != "zero") {
				t.Errorf("%s: %s: %+v %v", when, name, r, err)
			}
		}
		for _, r := range allOurs(t, b) {
			if one, err := b.Client.GetTransaction(t.Context(), r.ID); err != nil || one.Direction != r.Direction || one.Currency != r.Currency {
				t.Errorf("listed %+v, got %+v %v", r, one, err)
			}
		}
		if when == "at once" {
			b.Restart()
		}
	}
}
