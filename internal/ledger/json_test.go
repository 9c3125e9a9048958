package ledger_test

import (
	"encoding/json"
	"errors"
	"testing"

	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// fillOwner adds an account's owner, as bank does.
func fillOwner(p *txn.Place) {
	p.PlaidItemID, p.BankAccountID = "item<&>"+p.ConnectionID, "bank-"+p.PlaidAccountID
	if p.PlaidAccountID == "acc1" {
		p.EmployerID = `E"1`
	} else {
		p.CarrierID = "C1"
	}
}

// A page's JSON equals that of encoding/json, byte for byte.
func TestPageIsTheListing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		db := openDB(t, ctx)
		l, err := ledger.Open(ctx, db, []string{books})
		if err != nil {
			rt.Fatal(err)
		}
		u := txn.Update{To: "c"}
		for i := range rapid.IntRange(0, 90).Draw(rt, "rows") {
			r := genRaw(rt, rapid.StringN(1, 20, -1).Draw(rt, "id")+string(rune('a'+i%26))+string(rune('a'+i/26)))
			for _, to := range []*string{&r.Name, &r.MerchantName, &r.Datetime, &r.AuthorizedDate, &r.PendingTransactionID, &r.CategoryDetailed, &r.PaymentChannel, &r.CheckNumber} {
				*to = rapid.OneOf(rapid.Just(""), rapid.String(), rapid.SampledFrom([]string{"<b>&amp;", "\u2028\x00\x7f\t", "\xff\xfe broken"})).Draw(rt, "text")
			}
			r.Rounded = rapid.Bool().Draw(rt, "rounded")
			r.Amount = money.Amount{Minor: rapid.Int64Range(-1<<50, 1<<50).Draw(rt, "amount"), Currency: rapid.SampledFrom([]string{"USD", "x\"<"}).Draw(rt, "code")}
			u.Added = append(u.Added, r)
		}
		if err := commit(ctx, db, l, "item-a", u, nil); err != nil {
			rt.Fatal(err)
		}
		q := txn.Query{Request: page.Request{Page: rapid.IntRange(1, 3).Draw(rt, "page"), Limit: rapid.IntRange(1, 60).Draw(rt, "limit")}}
		want, err := l.List(ctx, books, itemNames, q)
		if err != nil {
			rt.Fatal(err)
		}
		for i := range want.Rows {
			fillOwner(&want.Rows[i].Place)
		}
		wantText, err := json.Marshal(want.Rows)
		if err != nil {
			rt.Fatal(err)
		}
		got, info, next, err := l.AppendPage(ctx, []byte("data="), books, itemNames, q, fillOwner)
		if err != nil || info != want.Info || next != want.Next {
			rt.Fatalf("%+v %q %v, want %+v %q", info, next, err, want.Info, want.Next)
		}
		if string(got) != "data="+string(wantText) {
			rt.Fatalf("got  %s\nwant %s", got, wantText)
		}
	})
}

func TestPageOfNothing(t *testing.T) {
	l, err := ledger.Open(t.Context(), openDB(t, t.Context()), nil)
	if err != nil {
		t.Fatal(err)
	}
	q := txn.Query{Request: page.Request{Page: 1, Limit: 50}}
	got, info, next, err := l.AppendPage(t.Context(), nil, "unknown", itemNames, q, fillOwner)
	if string(got) != "[]" || info != (page.Info{Page: 1, Limit: 50}) || next != "" || err != nil {
		t.Errorf("%s %+v %q %v", got, info, next, err)
	}
	if _, err := l.Get(t.Context(), "unknown", itemNames, "x"); !errors.Is(err, ledger.ErrNotFound) {
		t.Error(err)
	}
	if s, err := l.Summarize(t.Context(), "unknown", itemNames, q, false, "day"); s.Total != 0 || err != nil {
		t.Errorf("%+v %v", s, err)
	}
	if l.SyncedAt("unknown", itemNames) != nil || l.State("unknown", "item-a") != (ledger.State{}) {
		t.Error("an unknown tenant has a state")
	}
}

// A page allocates next to nothing beside what the store's transaction does.
func TestPageAllocations(t *testing.T) {
	db := openBolt(t)
	l, err := ledger.Open(t.Context(), db, []string{books})
	if err != nil {
		t.Fatal(err)
	}
	if err := commit(t.Context(), db, l, "item-a", ledgerPage("item-a", 0, 640), nil); err != nil {
		t.Fatal(err)
	}
	q := txn.Query{Request: page.Request{Page: 1, Limit: 50}}
	var dst []byte
	n := testing.AllocsPerRun(200, func() {
		if dst, _, _, err = l.AppendPage(t.Context(), dst[:0], books, itemNames, q, func(p *txn.Place) { p.PlaidItemID = "i" }); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%.0f allocations a page", n)
	if n > maxPageAllocs {
		t.Errorf("%.0f allocations a page, at most %d", n, maxPageAllocs)
	}
}

const maxPageAllocs = 36
