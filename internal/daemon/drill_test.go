package daemon_test

import (
	"os"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// link links an institution without a browser.
func link(t *testing.T, c *client.Client, employer string) connection.Connection {
	t.Helper()
	ctx := t.Context()
	l, err := c.StartLink(ctx, connection.LinkParams{UserID: "u", EmployerID: employer, HostedLink: true, Exchange: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.CompleteSession(ctx, l.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
	if err != nil {
		t.Fatal(err)
	}
	for s.ConnectionID == "" {
		if s, err = c.GetSession(ctx, l.SessionID, 5e9); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := c.GetConnection(ctx, s.ConnectionID)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// rows syncs a connection and returns its transactions by Plaid's id. None may be there twice.
func syncedRows(t *testing.T, c *client.Client, item string) map[string]txn.Transaction {
	t.Helper()
	rows := map[string]txn.Transaction{}
	whole := func() bool {
		s, err := c.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: item}})
		return err == nil && s.Status == "HISTORICAL_UPDATE_COMPLETE" && !s.Reading
	}
	if !banktest.Eventually(whole) {
		t.Fatal("the history never came")
	}
	for n, pages := 1, 1; n <= pages; n++ {
		p, err := c.ListTransactions(t.Context(), txn.Query{Request: page.Request{Page: n, Limit: 200}, Item: item})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range p.Rows {
			if _, twice := rows[row.PlaidTransactionID]; twice {
				t.Errorf("%s is there twice", row.PlaidTransactionID)
			}
			rows[row.PlaidTransactionID] = row
		}
		pages = p.Info.Pages
	}
	return rows
}

// The drill: the disk is gone, and a backup of some time ago is restored. What it held is there and works on; a token that
// was replaced since is found dead at once, and its connection asks for a new link; a sync that goes on from the backup's
// cursor doubles nothing.
func TestDrill(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	sim := start(t, nil, h.bin, "plaid-sim", "--limits", "off", "--ready", "initial=1ms,history=2ms")
	h.keys = sandboxKeys // bankd looks at a connection of Plaid's own twice a day, not every few seconds
	args := []string{"--plaid", "sandbox", "--data-dir", h.data(), "--plaid-url", strings.TrimPrefix(sim.line, "plaid-sim: ready url=")}
	p := h.start(args...)
	c := h.client()
	public, identity := h.recipient("key.txt")
	replaced, kept := link(t, c, "e1"), link(t, c, "e2")
	before := syncedRows(t, c, kept.ItemID)
	if len(before) < 50 {
		t.Fatalf("%d rows: the test is void", len(before))
	}
	file := h.write("bankd.age", h.backup(public))
	if _, err := c.RotateToken(t.Context(), replaced.ID); err != nil {
		t.Fatal(err)
	}
	later, err := c.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: "later", BankName: "b", EmployerID: "e2"})
	if err != nil {
		t.Fatal(err)
	}
	p.stop()

	if err := os.RemoveAll(h.data()); err != nil {
		t.Fatal(err)
	}
	if _, said, err := h.run(append([]string{"restore", "--identity", identity, file}, args...)...); err != nil {
		t.Fatalf("restore: %s", said)
	}
	h.start(args...)
	dead := func() bool {
		conn, err := c.GetConnection(t.Context(), replaced.ID)
		return err == nil && conn.Status == connection.Failed
	}
	if !banktest.Eventually(dead) {
		t.Error("the token that was replaced is not found dead")
	}
	if conn, err := c.GetConnection(t.Context(), kept.ID); err != nil || conn.Status != connection.Active {
		t.Errorf("the other connection: %+v %v", conn, err)
	}
	if _, err := c.GetAccount(t.Context(), later.ID); err == nil {
		t.Error("an account made after the backup is there: the test is void")
	}
	after := syncedRows(t, c, kept.ItemID)
	if len(after) != len(before) {
		t.Errorf("%d rows after, %d before", len(after), len(before))
	}
	for id, row := range before {
		if after[id].ID != row.ID || after[id].Amount != row.Amount {
			t.Errorf("%s: %+v, was %+v", id, after[id], row)
		}
	}
}
