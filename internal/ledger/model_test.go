package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/txn"
	"github.com/bankctl/bankctl/internal/vault"
)

const books = "t1"

// failing is an engine whose updates can be made to fail, as if the process had been killed.
type failing struct {
	store.Engine
	left atomic.Int64 // updates that succeed; negative: all do
}

func (f *failing) Update(ctx context.Context, fn func(store.EngineTx) error) error {
	if f.left.Load() >= 0 && f.left.Add(-1) < 0 {
		f.left.Store(0)
		return errCrash
	}
	return f.Engine.Update(ctx, fn)
}

func openDB(t interface {
	TempDir() string
	Fatal(...any)
}, ctx context.Context,
) *store.DB {
	return openOn(t, ctx, mem.New())
}

func openOn(t interface {
	TempDir() string
	Fatal(...any)
}, ctx context.Context, e store.Engine,
) *store.DB {
	kek, err := vault.CreateFileKEK(filepath.Join(t.TempDir(), "k", "kek"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(ctx, e, kek, store.Options{Environment: "simulated", Schema: 1})
	if err == nil {
		err = db.EnsureTenant(ctx, books)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// model is the simplest correct ledger: rows in a slice.
type model struct {
	items map[string][]*modelRow
}

type modelRow struct {
	txn.Raw
	gone bool
}

func (m *model) find(item, id string) *modelRow {
	for _, r := range m.items[item] {
		if r.PlaidTransactionID == id {
			return r
		}
	}
	return nil
}

func (m *model) apply(item string, u txn.Update) {
	for _, list := range [][]txn.Raw{u.Added, u.Modified} {
		for _, r := range list {
			known := m.find(item, r.PlaidTransactionID)
			if known == nil && r.PendingTransactionID != "" {
				known = m.find(item, r.PendingTransactionID)
			}
			if known == nil {
				known = &modelRow{}
				m.items[item] = append(m.items[item], known)
			}
			if r.PendingTransactionID == "" {
				r.PendingTransactionID = known.PendingTransactionID
			}
			known.Raw, known.gone = r, false
		}
	}
	for _, r := range u.Removed {
		if known := m.find(item, r.ID); known != nil {
			known.gone = true
		}
	}
}

func (m *model) selected(visible []string, q txn.Query) []txn.Raw {
	var out []txn.Raw
	for item, rows := range m.items {
		if !slices.Contains(visible, item) {
			continue
		}
		for _, r := range rows {
			name := strings.ToLower(r.Name + "\x00" + r.MerchantName)
			if r.gone || q.DateFrom != "" && r.Date < q.DateFrom || q.DateTo != "" && r.Date > q.DateTo || q.Pending != nil && *q.Pending != r.Pending ||
				q.AccountID != "" && r.AccountID != q.AccountID || q.Currency != "" && r.Amount.Currency != q.Currency ||
				q.MinCents != nil && r.Amount.Minor < *q.MinCents || q.MaxCents != nil && r.Amount.Minor > *q.MaxCents ||
				q.Text != "" && !strings.Contains(name, strings.ToLower(q.Text)) {
				continue
			}
			out = append(out, r.Raw)
		}
	}
	return out
}

var (
	itemNames = []string{"item-a", "item-b", "item-c"}
	words     = []string{"Uber", "McDonald's", `Say "hi" \ back`, "Ünïcode ☕", "ACH Electronic CreditGUSTO PAY 123456", ""}
)

func genRaw(t *rapid.T, id string) txn.Raw {
	r := txn.Raw{AccountID: rapid.SampledFrom([]string{"acc1", "acc2"}).Draw(t, "account"), Date: txn.Date(int32(20400 + rapid.IntRange(0, 40).Draw(t, "day"))), Amount: money.Amount{Minor: rapid.Int64Range(-100000, 100000).Draw(t, "minor"), Currency: rapid.SampledFrom([]string{"USD", "USD", "USD", "EUR"}).Draw(t, "currency")}, Details: txn.Details{PlaidTransactionID: id, Name: rapid.SampledFrom(words).Draw(t, "name")}}
	r.MerchantName = rapid.SampledFrom(words).Draw(t, "merchant")
	r.Pending = rapid.IntRange(0, 3).Draw(t, "pending") == 0
	r.Category = rapid.SampledFrom([]string{"", "FOOD", "TRAVEL"}).Draw(t, "category")
	return r
}

func genUpdate(t *rapid.T, n *int, to string) txn.Update {
	u := txn.Update{To: to}
	known := func() string { return fmt.Sprintf("txn%d", rapid.IntRange(0, max(0, *n)).Draw(t, "known")) }
	for range rapid.IntRange(0, rapid.SampledFrom([]int{3, 3, 90}).Draw(t, "size")).Draw(t, "adds") {
		*n++
		r := genRaw(t, fmt.Sprintf("txn%d", *n))
		if rapid.IntRange(0, 4).Draw(t, "posts") == 0 {
			r.PendingTransactionID, r.Pending = known(), false
			if r.PendingTransactionID == r.PlaidTransactionID {
				r.PendingTransactionID = ""
			}
		}
		u.Added = append(u.Added, r)
	}
	for range rapid.IntRange(0, 3).Draw(t, "modifies") {
		u.Modified = append(u.Modified, genRaw(t, known()))
	}
	for range rapid.IntRange(0, 3).Draw(t, "removes") {
		u.Removed = append(u.Removed, txn.Removed{ID: known(), AccountID: "acc1"})
	}
	return u
}

func genQuery(t *rapid.T) txn.Query {
	q := txn.Query{Request: page.Request{Page: 1, Limit: rapid.IntRange(1, 30).Draw(t, "limit")}}
	maybe := func(name string) bool { return rapid.IntRange(0, 2).Draw(t, name) == 0 }
	if maybe("from") {
		q.DateFrom = txn.Date(int32(20400 + rapid.IntRange(0, 40).Draw(t, "fromDay")))
	}
	if maybe("to") {
		q.DateTo = txn.Date(int32(20400 + rapid.IntRange(0, 40).Draw(t, "toDay")))
	}
	if maybe("isPending") {
		v := rapid.Bool().Draw(t, "pendingValue")
		q.Pending = &v
	}
	if maybe("oneAccount") {
		q.AccountID = "acc1"
	}
	if maybe("oneCurrency") {
		q.Currency = "USD"
	}
	if maybe("least") {
		v := rapid.Int64Range(-100000, 100000).Draw(t, "leastValue")
		q.MinCents = &v
	}
	if maybe("words") {
		q.Text = rapid.SampledFrom([]string{"uber", "say \"", "ünï", "x"}).Draw(t, "text")
	}
	return q
}

var errCrash = errors.New("the commit did not come through")

// Random sequences of updates, replays, failed commits and restarts: every list, page, total and sum equals the
// model's. -rapid.checks raises the default of 100 sequences.
func TestAgainstTheModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		ctx := t.Context()
		e := &failing{Engine: mem.New()}
		e.left.Store(-1)
		db := openOn(t, ctx, e)
		l, err := ledger.Open(ctx, db, []string{books})
		if err != nil {
			rt.Fatal(err)
		}
		m := &model{items: map[string][]*modelRow{}}
		counters := map[string]*int{"item-a": new(int), "item-b": new(int), "item-c": new(int)}
		var last txn.Update
		lastItem := ""
		steps := rapid.IntRange(1, 8).Draw(rt, "steps")
		for step := range steps {
			item := rapid.SampledFrom(itemNames).Draw(rt, "item")
			u := genUpdate(rt, counters[item], fmt.Sprintf("cursor%d", step))
			switch rapid.IntRange(0, 14).Draw(rt, "kind") {
			case 0: // the commit fails: nothing happened
				if err := commit(ctx, db, l, item, u, errCrash); !errors.Is(err, errCrash) {
					rt.Fatal(err)
				}
				continue
			case 1: // the same update again
				if lastItem != "" {
					item, u = lastItem, last
				}
			case 2: // restart
				if l, err = ledger.Open(ctx, db, []string{books}); err != nil {
					rt.Fatal(err)
				}
			case 3, 4, 5, 6: // by stages
				if err := commitStaged(rt, ctx, db, l, item, u); err != nil {
					rt.Fatal(err)
				}
				m.apply(item, u)
				last, lastItem = u, item
				continue
			case 7: // by stages, and given up
				s, err := l.Stage(ctx, books, item, false, time.Now())
				if err != nil {
					rt.Fatal(err)
				}
				if err := errors.Join(s.Add(ctx, u), s.Abort(ctx)); err != nil {
					rt.Fatal(err)
				}
				continue
			case 8, 9: // by stages, and killed: all of it is there after the restart, or nothing
				e.left.Store(int64(rapid.IntRange(0, 8).Draw(rt, "updates")))
				err := commitStaged(rt, ctx, db, l, item, u)
				e.left.Store(-1)
				if rapid.Bool().Draw(rt, "restarts") {
					if l, err = reopened(ctx, db, err); err != nil {
						rt.Fatal(err)
					}
				}
				if l.State(books, item).Cursor == u.To {
					m.apply(item, u)
					last, lastItem = u, item
				}
				continue
			}
			if err := commit(ctx, db, l, item, u, nil); err != nil {
				rt.Fatal(err)
			}
			m.apply(item, u)
			last, lastItem = u, item
		}
		for range 4 {
			compare(rt, ctx, l, m, rapid.SliceOfDistinct(rapid.SampledFrom(itemNames), rapid.ID).Draw(rt, "visible"), genQuery(rt))
		}
		again, err := ledger.Open(ctx, db, []string{books})
		if err != nil {
			rt.Fatal(err)
		}
		compare(rt, ctx, again, m, itemNames, genQuery(rt))
		nothingStaged(rt, ctx, db)
	})
}

// nothingStaged checks that no segment lies where no head counts it.
func nothingStaged(t *rapid.T, ctx context.Context, db *store.DB) {
	type head struct {
		Segments int `json:"segments"`
	}
	counted, found, left := 0, 0, 0
	err := db.View(ctx, func(tx *store.Tx) error {
		counted, found, left = 0, 0, 0
		for rec, err := range store.NewCollection[head]("txn_items").Scan(tx, books, store.Range{}) {
			if err != nil {
				return err
			}
			counted += rec.Value.Segments
		}
		for _, err := range store.NewBlobs("txn_segments").Heads(tx, books, store.Range{}) {
			if err != nil {
				return err
			}
			found++
		}
		for _, err := range store.NewBlobs("txn_staged").Heads(tx, books, store.Range{}) {
			if err != nil {
				return err
			}
			left++
		}
		for _, err := range store.NewCollection[struct{}]("txn_stages").Scan(tx, books, store.Range{}) {
			if err != nil {
				return err
			}
			left++
		}
		return nil
	})
	if err != nil || counted != found || left != 0 {
		t.Fatalf("%d segments, %d counted, %d left over: %v", found, counted, left, err)
	}
}

// reopened opens the ledger anew, whatever came before.
func reopened(ctx context.Context, db *store.DB, _ error) (*ledger.Ledger, error) {
	return ledger.Open(ctx, db, []string{books})
}

// commitStaged takes an update in page by page.
func commitStaged(t *rapid.T, ctx context.Context, db *store.DB, l *ledger.Ledger, item string, u txn.Update) error {
	s, err := l.Stage(ctx, books, item, false, time.Now())
	if err != nil {
		return err
	}
	size := rapid.SampledFrom([]int{1, 2, 7, 40, 100}).Draw(t, "page")
	for part := range slices.Chunk(u.Added, size) {
		err = errors.Join(err, s.Add(ctx, txn.Update{Added: part}))
	}
	for part := range slices.Chunk(u.Modified, size) {
		err = errors.Join(err, s.Add(ctx, txn.Update{Modified: part}))
	}
	for part := range slices.Chunk(u.Removed, size) {
		err = errors.Join(err, s.Add(ctx, txn.Update{Removed: part}))
	}
	if err == nil {
		err = s.Commit(ctx, u.To, "HISTORICAL_UPDATE_COMPLETE", time.Now(), func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error {
			return db.Update(ctx, func(tx *store.Tx) error {
				_, err := apply(tx)
				return err
			})
		})
	}
	if err != nil {
		_ = s.Abort(ctx) // which fails like the rest: the next one sweeps
	}
	return err
}

func commit(ctx context.Context, db *store.DB, l *ledger.Ledger, item string, u txn.Update, fail error) error {
	return l.Apply(ctx, books, item, u, "HISTORICAL_UPDATE_COMPLETE", time.Now(), func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error {
		return db.Update(ctx, func(tx *store.Tx) error {
			if _, err := apply(tx); err != nil {
				return err
			}
			return fail
		})
	})
}

// key is a row as the API shows it, without the fields that the model lacks.
func key(t txn.Transaction) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d|%s|%v|%s|%s|%s", t.PlaidTransactionID, t.PlaidAccountID, t.Date, t.Name, t.Amount, t.Currency, t.Pending, t.PendingTransactionID, t.MerchantName, t.Category)
}

func rawKey(r txn.Raw) string {
	return fmt.Sprintf("%s|%s|%s|%s|%d|%s|%v|%s|%s|%s", r.PlaidTransactionID, r.AccountID, r.Date, r.Name, r.Amount.Minor, r.Amount.Currency, r.Pending, r.PendingTransactionID, r.MerchantName, r.Category)
}

func compare(t *rapid.T, ctx context.Context, l *ledger.Ledger, m *model, visible []string, q txn.Query) {
	want := m.selected(visible, q)
	var got, byCursor []txn.Transaction
	for q.Page = 1; ; q.Page++ {
		p, err := l.List(ctx, books, visible, q)
		if err != nil {
			t.Fatal(err)
		}
		if p.Info.Total != len(want) {
			q.Limit = 10000
			all, _ := l.List(ctx, books, visible, q)
			keys := map[string]int{}
			for _, r := range all.Rows {
				keys[key(r)]++
			}
			for _, r := range want {
				keys[rawKey(r)]--
			}
			maps.DeleteFunc(keys, func(_ string, n int) bool { return n == 0 })
			t.Fatalf("total %d, want %d; too many or too few: %v", p.Info.Total, len(want), keys)
		}
		got = append(got, p.Rows...)
		if q.Page >= p.Info.Pages {
			break
		}
	}
	q.Page = 1
	for cursor := ""; ; {
		q.Cursor = cursor
		p, err := l.List(ctx, books, visible, q)
		if err != nil {
			t.Fatal(err)
		}
		byCursor = append(byCursor, p.Rows...)
		if cursor = p.Next; cursor == "" {
			break
		}
	}
	if d := cmp.Diff(got, byCursor); d != "" {
		t.Fatalf("pages and cursors differ: %s", d)
	}
	wantKeys, gotKeys := map[string]int{}, map[string]int{}
	for _, r := range want {
		wantKeys[rawKey(r)]++
	}
	for i, r := range got {
		gotKeys[key(r)]++
		if i > 0 && got[i-1].Date < r.Date {
			t.Fatalf("row %d is newer than the one before", i)
		}
		one, err := l.Get(ctx, books, visible, r.ID)
		if err != nil || one.ID != r.ID {
			t.Fatalf("get by our id: %v", err)
		}
	}
	if d := cmp.Diff(wantKeys, gotKeys); d != "" {
		t.Fatal(d)
	}
	compareSums(t, ctx, l, want, visible, q)
}

func compareSums(t *rapid.T, ctx context.Context, l *ledger.Ledger, want []txn.Raw, visible []string, q txn.Query) {
	cells, months := map[string]txn.Cell{}, map[string]int64{}
	for _, r := range want {
		c := cells[r.Amount.Currency]
		if err := c.Add(r.Amount.Minor); err != nil {
			t.Fatal(err)
		}
		cells[r.Amount.Currency] = c
		months[r.Date[:7]+r.Amount.Currency] -= r.Amount.Minor
	}
	wantSum, err := txn.Summarize(cells, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []string{"", "day", "week", "month", "account", "category"} {
		got, err := l.Summarize(ctx, books, visible, q, true, by)
		if err != nil {
			t.Fatal(err)
		}
		var total int64
		gotMonths := map[string]int64{}
		for _, b := range got.By {
			total += b.Total
			gotMonths[b.Key+b.Currency] += b.Net
		}
		if by != "" && total != int64(len(want)) {
			t.Fatalf("by %s: %d of %d", by, total, len(want))
		}
		if by == "month" && !maps.Equal(gotMonths, months) {
			t.Fatalf("months %v, want %v", gotMonths, months)
		}
		got.By = nil
		if d := cmp.Diff(wantSum, got); d != "" {
			t.Fatal(d)
		}
	}
}

// The pending row's id finds the posted row, which keeps the public id and the time first seen. Made-up ids and other
// tenants' ids find nothing.
func TestIdentity(t *testing.T) {
	ctx := t.Context()
	db := openDB(t, ctx)
	l, err := ledger.Open(ctx, db, []string{books})
	if err != nil {
		t.Fatal(err)
	}
	raw := txn.Raw{AccountID: "a", Date: "2026-01-01", Pending: true, Amount: money.Amount{Minor: 100, Currency: "USD"}, Details: txn.Details{PlaidTransactionID: "p1", Name: "n"}}
	if err := commit(ctx, db, l, "item-a", txn.Update{Added: []txn.Raw{raw}, To: "c1"}, nil); err != nil {
		t.Fatal(err)
	}
	before, err := l.Get(ctx, books, itemNames, "p1")
	if err != nil || !before.Pending {
		t.Fatal(err)
	}
	raw.PlaidTransactionID, raw.PendingTransactionID, raw.Pending, raw.Amount.Minor = "x1", "p1", false, 120
	u := txn.Update{From: "c1", To: "c2", Added: []txn.Raw{raw}, Removed: []txn.Removed{{ID: "p1", AccountID: "a"}}}
	if err := commit(ctx, db, l, "item-a", u, nil); err != nil {
		t.Fatal(err)
	}
	if l, err = ledger.Open(ctx, db, []string{books}); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"p1", "x1", before.ID} {
		after, err := l.Get(ctx, books, itemNames, id)
		if err != nil || after.ID != before.ID || after.PlaidTransactionID != "x1" || after.Amount != 120 || !after.FirstSeen.Equal(before.FirstSeen) {
			t.Errorf("%s: %+v %v", id, after, err)
		}
	}
	for _, id := range []string{"nothing", strings.Repeat("0", 24), strings.Repeat("f", 24), before.ID[:23] + "0"} {
		if id == before.ID {
			continue
		}
		if _, err := l.Get(ctx, books, itemNames, id); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := l.Get(ctx, books, []string{"item-b"}, before.ID); !errors.Is(err, ledger.ErrNotFound) {
		t.Error("an id that may not be seen is found")
	}
	if s := l.State(books, "item-a"); s.Cursor != "c2" || s.Rows != 1 {
		t.Errorf("%+v", s)
	}
	// An update without a cursor leaves the stored cursor as it is.
	if err := commit(ctx, db, l, "item-a", txn.Update{}, nil); err != nil || l.State(books, "item-a").Cursor != "c2" {
		t.Errorf("%+v %v", l.State(books, "item-a"), err)
	}
}

var syncedAt = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
