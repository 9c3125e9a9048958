package server_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/txn"
)

// A sync makes our rows and sums equal to Plaid's after any change at Plaid: another date, another currency, a late
// removal, posting, a change between two pages (R84-R101, A18-A23).
func TestSyncThroughEvents(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"user_good", "user_transactions_dynamic", "user_bulk_9000"} {
		t.Run(user, func(t *testing.T) {
			t.Parallel()
			b := banktest.Start(t)
			conn := b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: "e1"}, connection.CompleteParams{InstitutionID: "ins_109508", Username: user})
			whole(t, b, conn.ID)
			seed := rand.Uint64()
			rnd := rand.New(rand.NewPCG(seed, 1))
			seen := ourRows(t, b)
			kinds := []string{"txn_redated", "txn_currency", "txn_removed_late", "txn_mutation", "refresh"}
			for step := range 8 {
				var did []string
				for range 1 + rnd.IntN(3) {
					kind := kinds[rnd.IntN(len(kinds))]
					did = append(did, kind)
					if kind == "refresh" {
						b.AskPlaid("/transactions/refresh", fmt.Sprintf(`{"access_token":%q}`, accessToken(t, b)))
					} else if err := b.Daemon.Simulator().ApplyEvent(plaidsim.Event{Kind: kind, Item: conn.ItemID}); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
				if _, err := b.Client.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: conn.ItemID}}); err != nil {
					t.Fatalf("seed %d, step %d, %v: %v", seed, step, did, err)
				}
				ours, theirs := ourRows(t, b), plaidRows(t, b)
				if diff := cmp.Diff(theirs, ours); diff != "" {
					t.Fatalf("seed %d, step %d, %v: Plaid's rows and ours:\n%s", seed, step, did, diff)
				}
				checkSums(t, b, ours)
				checkRemoved(t, b, ours, seen)
				maps.Copy(seen, ours)
			}
		})
	}
}

func accessToken(t *testing.T, b *banktest.Bank) string {
	t.Helper()
	for _, token := range b.Tokens() {
		if strings.HasPrefix(token, "access-") {
			return token
		}
	}
	t.Fatal("no access token")
	return ""
}

// row is a transaction as far as both sides tell it in the same words.
type row struct {
	Date, Currency string
	Amount         int64
	Pending        bool
}

func ourRows(t *testing.T, b *banktest.Bank) map[string]row {
	t.Helper()
	out := map[string]row{}
	for p := 1; ; p++ {
		l, err := b.Client.ListTransactions(t.Context(), txn.Query{Request: page.Request{Page: p, Limit: 200}})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range l.Rows {
			out[r.PlaidTransactionID] = row{r.Date, r.Currency, r.Amount, r.Pending}
		}
		if p >= l.Info.Pages {
			if len(out) != l.Info.Total {
				t.Fatalf("%d rows, total %d", len(out), l.Info.Total)
			}
			return out
		}
	}
}

// plaidRows asks /transactions/get, which knows nothing of cursors.
func plaidRows(t *testing.T, b *banktest.Bank) map[string]row {
	t.Helper()
	out := map[string]row{}
	for offset := 0; ; offset += 500 {
		reply := b.AskPlaid("/transactions/get", fmt.Sprintf(
			`{"access_token":%q,"start_date":"2000-01-01","end_date":"2100-01-01","options":{"count":500,"offset":%d}}`, accessToken(t, b), offset))
		rows, ok := reply["transactions"].([]any)
		if !ok {
			t.Fatalf("%v", reply["error_code"])
		}
		for _, one := range rows {
			r := one.(map[string]any)
			currency, _ := r["iso_currency_code"].(string)
			cents := 100.0
			if currency == "JPY" {
				cents = 1
			}
			out[r["transaction_id"].(string)] = row{r["date"].(string), currency, round(r["amount"].(float64) * cents), r["pending"].(bool)}
		}
		if total := int(reply["total_transactions"].(float64)); len(out) >= total {
			return out
		}
	}
}

func round(f float64) int64 {
	if f < 0 {
		return -round(-f)
	}
	return int64(f + 0.5)
}

// checkSums holds the summary against the rows.
func checkSums(t *testing.T, b *banktest.Bank, rows map[string]row) {
	t.Helper()
	want := map[string]txn.Sums{}
	for _, r := range rows {
		s := want[r.Currency]
		s.Total++
		if r.Amount > 0 {
			s.Debits += r.Amount
		} else {
			s.Credits -= r.Amount
		}
		s.Net = s.Credits - s.Debits
		want[r.Currency] = s
	}
	got, err := b.Client.SummarizeTransactions(t.Context(), txn.Query{}, true, "")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]txn.Sums{}
	for _, c := range got.Each {
		have[c.Currency] = c.Sums
	}
	if !maps.Equal(want, have) {
		t.Fatalf("sums %v, rows %v", have, want)
	}
	if _, err := b.Client.SummarizeTransactions(t.Context(), txn.Query{}, false, ""); len(want) > 1 && !fault.Is(err, fault.Invalid) {
		t.Errorf("mixed currencies were added up: %v", err)
	}
}

// checkRemoved checks that each row that disappeared is listed as removed, unless a posted row replaced it.
func checkRemoved(t *testing.T, b *banktest.Bank, now, seen map[string]row) {
	t.Helper()
	gone := map[string]bool{}
	for p := 1; ; p++ {
		rows, info, err := b.Client.RemovedTransactions(t.Context(), txn.Query{Request: page.Request{Page: p, Limit: 200}}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			gone[r.PlaidTransactionID] = true
			if _, here := now[r.PlaidTransactionID]; here {
				t.Fatalf("%s is here and gone", r.PlaidTransactionID)
			}
		}
		if p >= info.Pages {
			break
		}
	}
	for id, r := range seen {
		if _, here := now[id]; !here && !r.Pending && !gone[id] {
			t.Fatalf("%s vanished without a trace", id)
		}
	}
}
