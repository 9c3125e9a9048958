package server_test

import (
	"context"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaidsim"
)

// A link asks for as many days as the operator wants: the published 16 rows a month, for 24 months, of which the linked
// accounts have half.
func TestTransactionsDays(t *testing.T) {
	t.Parallel()
	rows := map[int]int{}
	for _, days := range []int{90, 730} {
		b := banktest.Start(t, banktest.With(func(c *config.Config) { c.TransactionsDays = days }))
		conn := synced(t, b, "e1")
		now, err := b.Client.GetConnection(t.Context(), conn.ID)
		if err != nil {
			t.Fatal(err)
		}
		rows[days] = now.Transactions.Total
	}
	if rows[90] == 0 || rows[730] != 8*rows[90] {
		t.Errorf("%d in 90 days, %d in 730", rows[90], rows[730])
	}
}

// A sync goes on when its caller hangs up, tells how far it is, and another call joins it.
func TestSyncOutlivesItsCaller(t *testing.T) {
	t.Parallel()
	tempo := banktest.Quick
	tempo.SyncDivisor = 1 // the schedule syncs once, and is long at rest then
	b := banktest.Start(t, banktest.Tempo(tempo), banktest.Ready(plaidsim.Ready{Initial: 1, History: 1}))
	conn := synced(t, b, "e1")
	faults, err := plaidsim.ParseFaults("/transactions/sync:slow:2s")
	if err != nil {
		t.Fatal(err)
	}
	b.Daemon.Simulator().SetFaults(faults)
	before := b.Daemon.Simulator().Counts()["/transactions/sync"]
	impatient, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := b.Client.SyncTransactions(impatient, connection.SyncParams{ItemParams: connection.ItemParams{ItemID: conn.ID}}); err == nil {
		t.Fatal("it was not slow")
	}
	now, err := b.Client.GetConnection(t.Context(), conn.ID)
	if err != nil || now.Reading == nil {
		t.Fatalf("nothing is being read: %v", err)
	}
	got, err := b.Client.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: conn.ID}})
	if err != nil || got.Total == 0 || got.Reading {
		t.Errorf("%+v, %v", got, err)
	}
	if n := b.Daemon.Simulator().Counts()["/transactions/sync"] - before; n != 1 {
		t.Errorf("%d calls for one sync", n)
	}
}

// With refresh, Plaid looks at the bank first: pending rows are posted, and new ones are there at once.
func TestSyncRefresh(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: "e1"}, connection.CompleteParams{InstitutionID: "ins_109508", Username: "user_transactions_dynamic"})
	whole(t, b, conn.ID)
	p := connection.SyncParams{ItemParams: connection.ItemParams{ItemID: conn.ItemID}, Refresh: true}
	got, err := b.Client.SyncTransactions(t.Context(), p)
	if err != nil || got.Added == 0 || got.Modified == 0 {
		t.Errorf("%+v, %v", got, err)
	}
	if n := b.Daemon.Simulator().Counts()["/transactions/refresh"]; n != 1 {
		t.Errorf("%d refreshes", n)
	}
}
