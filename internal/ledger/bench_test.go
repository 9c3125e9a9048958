package ledger_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/txn"
	"github.com/bankctl/bankctl/internal/vault"
)

func openBolt(t testing.TB) *store.DB {
	t.Helper()
	e, err := bolt.Open(filepath.Join(t.TempDir(), "bankd.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	kek, err := vault.CreateFileKEK(filepath.Join(t.TempDir(), "k", "kek"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), e, kek, store.Options{Environment: "simulated", Schema: 1})
	if err == nil {
		err = db.EnsureTenant(t.Context(), books)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// ledgerPage makes an update of n rows, ten a day, numbered from a first one on.
func ledgerPage(item string, from, n int) txn.Update {
	u := txn.Update{To: "cursor"}
	for i := from; i < from+n; i++ {
		u.Added = append(u.Added, txn.Raw{AccountID: fmt.Sprint("account-", i%4), Date: txn.Date(int32(20000 + i/10)), Amount: money.Amount{Minor: int64(i%997) - 300, Currency: "USD"}, Details: txn.Details{PlaidTransactionID: fmt.Sprintf("%032x-%s", uint64(i)*0x9e3779b97f4a7c15, item), AuthorizedDate: txn.Date(int32(20000 + i/10)), Name: fmt.Sprintf("McDonald's %06d*PAYMENT", i), MerchantName: "McDonald's", Category: "FOOD_AND_DRINK", CategoryDetailed: "FOOD_AND_DRINK_FAST_FOOD", PaymentChannel: "in store"}})
	}
	return u
}

func BenchmarkApply500(b *testing.B) {
	db := openBolt(b)
	l, err := ledger.Open(b.Context(), db, []string{books})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for n := 0; b.Loop(); n++ {
		b.StopTimer()
		item := itemNames[n%3]
		u := ledgerPage(item, n/3*500, 500)
		b.StartTimer()
		if err := commit(b.Context(), db, l, item, u, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	db := openBolt(b)
	l, err := ledger.Open(b.Context(), db, []string{books})
	if err != nil {
		b.Fatal(err)
	}
	for i, item := range itemNames {
		if err := commit(b.Context(), db, l, item, ledgerPage(item, i, 20000), nil); err != nil {
			b.Fatal(err)
		}
	}
	q := txn.Query{Request: page.Request{Page: 1, Limit: 50}}
	first, err := l.List(b.Context(), books, itemNames, q)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("list", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.List(b.Context(), books, itemNames, q); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		b.ReportAllocs()
		var dst []byte
		for b.Loop() {
			if dst, _, _, err = l.AppendPage(b.Context(), dst[:0], books, itemNames, q, fillOwner); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := l.Get(b.Context(), books, itemNames, first.Rows[7].ID); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("deep", func(b *testing.B) {
		b.ReportAllocs()
		q := q
		q.Page = 700
		for b.Loop() {
			if _, err := l.List(b.Context(), books, itemNames, q); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("sum", func(b *testing.B) {
		b.ReportAllocs()
		q := txn.Query{DateFrom: txn.Date(20500), DateTo: txn.Date(20900)}
		for b.Loop() {
			if _, err := l.Summarize(b.Context(), books, itemNames, q, false, ""); err != nil {
				b.Fatal(err)
			}
		}
	})
}
