package server_test

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/txn"
)

// synced links a bank and waits until its whole history is here.
func synced(t *testing.T, b *banktest.Bank, employer string) connection.Connection {
	t.Helper()
	conn := b.Link(employer)
	whole(t, b, conn.ID)
	return conn
}

// whole waits until the schedule has a connection's whole history.
func whole(t *testing.T, b *banktest.Bank, id string) {
	t.Helper()
	until(t, func() bool {
		c, err := b.Client.GetConnection(t.Context(), id)
		return err == nil && c.Transactions != nil && c.Transactions.Status == "HISTORICAL_UPDATE_COMPLETE"
	})
}

// R84-R101: the published rows of a sandbox user, listed with every filter and summed.
func TestTransactions(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	one, two := synced(t, b, "e1"), synced(t, b, "e2")
	ctx := t.Context()
	all, err := b.Client.ListTransactions(ctx, txn.Query{Request: page.Request{Limit: 200}})
	if err != nil || all.Info.Total < 40 || len(all.Rows) != all.Info.Total || all.SyncedAt == nil {
		t.Fatalf("%d of %d, %v", len(all.Rows), all.Info.Total, err)
	}
	list := func(query string) (rows []any, total float64) {
		t.Helper()
		status, reply := b.Call(b.Client, "GET", "/api/v1/plaid/transactions?"+query, "")
		if status != 200 {
			t.Fatalf("%s: %d %v", query, status, reply)
		}
		rows, _ = reply["data"].([]any)
		total, _ = dig(reply, "pagination.total").(float64)
		return rows, total
	}
	_, e1 := list("employer_id=e1")
	_, item := list("plaid_item_id=" + one.ItemID)
	_, ours := list("item_id=" + one.ID)
	if e1 == 0 || e1 != item || e1 != ours || int(2*e1) != all.Info.Total {
		t.Errorf("employer %v, item %v, ours %v of %d", e1, item, ours, all.Info.Total)
	}
	sumOver := 0.0
	for _, a := range one.Accounts {
		_, n := list("plaid_account_id=" + a.PlaidAccountID)
		_, same := list("plaid_account_id=" + a.ID)
		if n != same {
			t.Errorf("by Plaid's id %v, by ours %v", n, same)
		}
		sumOver += n
	}
	if sumOver != e1 {
		t.Errorf("accounts hold %v of %v", sumOver, e1)
	}
	if _, n := list("pending=true"); n != 0 {
		t.Errorf("%v pending", n)
	}
	from, to := all.Rows[len(all.Rows)/2].Date, all.Rows[0].Date
	rows, n := list("employer_id=e1&page=1&limit=50&date_from=" + from + "&date_to=" + to)
	if n == 0 || n >= e1 || dig(rows[0], "date") != to {
		t.Errorf("%v rows between %s and %s", n, from, to)
	}
	// R97-R101: the summary of the same selection.
	var debits, credits int64
	for _, r := range all.Rows {
		if r.EmployerID == "e1" {
			debits, credits = debits+max(r.Amount, 0), credits+max(-r.Amount, 0)
		}
	}
	status, reply := b.Call(b.Client, "GET", "/api/v1/plaid/transactions/summary?employer_id=e1&date_from=2000-01-01&date_to=2100-01-01&plaid_item_id="+one.ItemID, "")
	if status != 200 || dig(reply, "data.total_transactions") != e1 || dig(reply, "data.total_debits_cents") != float64(debits) ||
		dig(reply, "data.total_credits_cents") != float64(credits) || dig(reply, "data.net_cents") != float64(credits-debits) {
		t.Errorf("%v, want %v rows, %d out, %d in", reply["data"], e1, debits, credits)
	}
	// R92, A28
	for _, id := range []string{all.Rows[0].ID, all.Rows[0].PlaidTransactionID} {
		if got, err := b.Client.GetTransaction(ctx, id); err != nil || got.ID != all.Rows[0].ID || got.PlaidItemID == "" || got.BankAccountID == "" {
			t.Errorf("%+v %v", got, err)
		}
	}
	_, err = b.Client.GetTransaction(ctx, "nothing")
	wantFault(t, err, fault.NotFound)
	for query, field := range map[string]string{"date_from=01/02/2026": "date_from", "date_from=2026-03-01&date_to=2026-02-01": "date_to", "cursor=abc": "cursor", "min_cents=1.5": "min_cents"} {
		if status, reply := b.Call(b.Client, "GET", "/api/v1/plaid/transactions?"+query, ""); status != 422 || dig(reply, "error.fields."+field) == nil {
			t.Errorf("%s: %d %v", query, status, reply)
		}
	}
	for _, by := range []string{"day", "week", "month", "account", "category"} {
		s, err := b.Client.SummarizeTransactions(ctx, txn.Query{EmployerID: "e1"}, false, by)
		var total int64
		for _, k := range s.By {
			total += k.Total
		}
		if err != nil || float64(total) != e1 || by == "account" && s.By[0].Label == "" {
			t.Errorf("by %s: %d %v", by, total, err)
		}
	}
	// Removing a connection keeps its history.
	if _, err := b.Client.RemoveConnection(ctx, two.ID, connection.RemoveParams{}); err != nil {
		t.Fatal(err)
	}
	if _, n := list("employer_id=e2"); n != e1 {
		t.Errorf("%v rows of a removed connection", n)
	}
}

// A sync gets through changes between pages, failures in the middle and an Item that is not ready yet.
func TestSyncThroughTrouble(t *testing.T) {
	t.Parallel()
	for _, faults := range []string{"/transactions/sync:500:2", "/transactions/sync:html502:2", "/transactions/sync:reset:2", "/transactions/sync:mutation:2"} {
		t.Run(url.PathEscape(faults), func(t *testing.T) {
			t.Parallel()
			b := banktest.Start(t)
			conn := b.Link("e1")
			f, err := plaidsim.ParseFaults(faults)
			if err != nil {
				t.Fatal(err)
			}
			b.Daemon.Simulator().SetFaults(f)
			whole(t, b, conn.ID)
			if _, err := b.Client.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: conn.ItemID}}); err != nil {
				t.Error(err)
			}
			p, err := b.Client.ListTransactions(t.Context(), txn.Query{Request: page.Request{Limit: 200}})
			seen := map[string]bool{}
			for _, r := range p.Rows {
				seen[r.PlaidTransactionID] = true
			}
			if err != nil || len(seen) != p.Info.Total || p.Info.Total < 20 {
				t.Errorf("%d rows, %d different, %v", p.Info.Total, len(seen), err)
			}
		})
	}
	t.Run("sign_in_again", func(t *testing.T) {
		t.Parallel()
		b := banktest.Start(t)
		conn := synced(t, b, "e1")
		for _, token := range b.Tokens() {
			b.AskPlaid("/sandbox/item/reset_login", fmt.Sprintf(`{"access_token":%q}`, token))
		}
		_, err := b.Client.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: conn.ItemID}})
		wantFault(t, err, fault.RelinkRequired)
		broken, err := b.Client.GetConnection(t.Context(), conn.ID)
		if err != nil || broken.Status != connection.NeedsReauth || broken.Transactions == nil || broken.Transactions.Total == 0 {
			t.Errorf("%+v %v", broken, err)
		}
		calls, looks := b.Daemon.Simulator().Counts()["/transactions/sync"], b.Daemon.Simulator().Counts()["/item/get"]
		until(t, func() bool { return b.Daemon.Simulator().Counts()["/item/get"] >= looks+3 }) // the background has come round
		if n := b.Daemon.Simulator().Counts()["/transactions/sync"]; n != calls {
			t.Errorf("it is asked %d times while the bank wants a sign-in", n-calls)
		}
	})
}

// The schedule syncs a new connection by itself, and rows outlive a restart.
func TestSyncBySchedule(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t, banktest.OnDisk)
	conn := b.Link("e1")
	total := 0
	until(t, func() bool {
		c, err := b.Client.GetConnection(t.Context(), conn.ID)
		if err == nil && c.Transactions != nil && c.Transactions.Status == "HISTORICAL_UPDATE_COMPLETE" {
			total = c.Transactions.Total
		}
		return total > 0
	})
	b.Restart()
	p, err := b.Client.ListTransactions(t.Context(), txn.Query{})
	if err != nil || p.Info.Total != total {
		t.Errorf("%d of %d rows after a restart: %v", p.Info.Total, total, err)
	}
}
