package daemon_test

import (
	"compress/gzip"
	"encoding/csv"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/trail"
	"github.com/bankctl/bankctl/internal/txn"
)

// forms are the databases in testdata, one of each form that a released bankd wrote, with what bankctl showed of it.
var forms = []string{"form1"}

// unpack puts a kept database and its key where a bankd of this home looks for them.
func (h home) unpack(form string) {
	h.t.Helper()
	packed, err := os.Open(filepath.Join("testdata", form, "bankd.db.gz"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		h.t.Fatal(err)
	}
	data, err := io.ReadAll(unpacked)
	if err != nil {
		h.t.Fatal(err)
	}
	for _, dir := range []string{h.data(), filepath.Dir(h.key())} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			h.t.Fatal(err)
		}
	}
	if err := os.WriteFile(h.db(), data, 0o600); err != nil {
		h.t.Fatal(err)
	}
	copyTo(h.t, filepath.Join("testdata", form, "kek"), h.key())
}

func kept(t *testing.T, into any, form, name string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", form, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, into); err != nil {
		t.Fatal(err)
	}
}

// Every stored form that a released bankd wrote is opened by this one: what it held is there, its audit chain holds, and
// the database as it was lies beside the new one.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, form := range forms {
		t.Run(form, func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			h.unpack(form)
			before := sum(t, h.db())
			p := h.start()
			upgraded(t, h, form)
			p.stop()
			copies, err := filepath.Glob(h.db() + ".form*")
			if err != nil || len(copies) != 1 || sum(t, copies[0]) != before {
				t.Errorf("copies of the old form: %v, %v", copies, err)
			}
			h.start().stop()
			if copies, err = filepath.Glob(h.db() + ".form*"); err != nil || len(copies) != 1 {
				t.Errorf("a second start copied again: %v, %v", copies, err)
			}
		})
	}
}

func upgraded(t *testing.T, h home, form string) {
	t.Helper()
	ctx, c := t.Context(), h.client()
	var chain trail.Report
	kept(t, &chain, form, "audit.json")
	report, err := c.VerifyAudit(ctx)
	if err != nil || !report.Intact || report.Records <= chain.Records {
		t.Errorf("audit chain: %+v, %v", report, err)
	}
	old, err := c.ListAudit(ctx, trail.Query{BeforeSeq: chain.Head.Seq + 1, Limit: 1})
	if err != nil || len(old) != 1 || old[0].Hash != chain.Head.Hash {
		t.Errorf("the chain that the old bankd left: %+v, %v", old, err)
	}

	var accounts []account.Account
	kept(t, &accounts, form, "accounts.json")
	for _, want := range accounts {
		got, err := c.GetAccount(ctx, want.ID)
		if err != nil || got.Mask != want.Mask || got.Status != want.Status || !got.CreatedAt.Equal(want.CreatedAt) {
			t.Errorf("account %s: %+v, %v", want.ID, got, err)
		}
	}
	var ach []account.ACH
	kept(t, &ach, form, "ach.json")
	for _, want := range ach {
		got, err := c.GetACH(ctx, want.ID)
		if err != nil || got.AccountLast4 != want.AccountLast4 || got.RoutingLast4 != want.RoutingLast4 || got.Status != want.Status {
			t.Errorf("ACH account %s: %+v, %v", want.ID, got, err)
		}
	}
	var linked []connection.Connection
	kept(t, &linked, form, "connections.json")
	for _, want := range linked {
		if got, err := c.GetConnection(ctx, want.ID); err != nil || got.Status != want.Status || got.ItemID != want.ItemID {
			t.Errorf("connection %s: %+v, %v", want.ID, got, err)
		}
	}
	upgradedRows(t, h, form, c.ClientID, c.Secret)
}

// upgradedRows compares the transactions with those that the old bankd exported.
func upgradedRows(t *testing.T, h home, form, id, secret string) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", form, "transactions.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	c := h.client()
	c.ClientID, c.Secret = id, secret
	got := map[string]txn.Transaction{}
	for n := 1; ; n++ {
		p, err := c.ListTransactions(t.Context(), txn.Query{Request: page.Request{Page: n, Limit: 200}})
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range p.Rows {
			got[row.ID] = row
		}
		if n >= p.Info.Pages {
			break
		}
	}
	for _, want := range rows[1:] {
		row, ok := got[want[column["id"]]]
		if minor := strconv.FormatInt(row.Amount, 10); !ok || minor != want[column["amount_cents"]] ||
			row.Date != want[column["date"]] || row.Name != strings.TrimPrefix(want[column["name"]], "'") {
			t.Errorf("transaction %s: %+v", want[column["id"]], row)
		}
	}
	if len(rows) < 100 {
		t.Errorf("%d rows were kept: the test is void", len(rows))
	}
}
