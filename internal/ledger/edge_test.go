package ledger_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/txn"
	"github.com/bankctl/bankctl/internal/vault"
)

// tampered is a store with a way for the test to change its bytes.
type tampered struct {
	*testing.T
	engine *mem.Engine
	db     *store.DB
	ledger *ledger.Ledger
}

func newTampered(t *testing.T, tenants ...string) *tampered {
	t.Helper()
	kek, err := vault.CreateFileKEK(filepath.Join(t.TempDir(), "kek"))
	if err != nil {
		t.Fatal(err)
	}
	x := &tampered{T: t, engine: mem.New()}
	if x.db, err = store.Open(t.Context(), x.engine, kek, store.Options{Environment: "simulated", Schema: 1}); err != nil {
		t.Fatal(err)
	}
	for _, name := range append(tenants, books) {
		if err := x.db.EnsureTenant(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.reopen(); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x *tampered) reopen() error {
	l, err := ledger.Open(x.Context(), x.db, []string{books})
	if err == nil {
		x.ledger = l
	}
	return err
}

func (x *tampered) commit(item string, u txn.Update) {
	x.Helper()
	if err := commit(x.Context(), x.db, x.ledger, item, u, nil); err != nil {
		x.Fatal(err)
	}
}

func (x *tampered) list(q txn.Query) (ledger.Listing, error) {
	if q.Limit == 0 {
		q.Request = page.Request{Page: 1, Limit: 200}
	}
	return x.ledger.List(x.Context(), books, itemNames, q)
}

// write changes stored segments behind the store's back; change gets them in order.
func (x *tampered) write(change func(stored [][]byte)) {
	x.Helper()
	err := x.engine.Update(x.Context(), func(tx store.EngineTx) error {
		var keys, values [][]byte
		for e, err := range tx.Scan([]byte(books+"/txn_segments/"), []byte(books+"/txn_segments0"), false) {
			if err != nil {
				return err
			}
			keys, values = append(keys, e.Key), append(values, e.Value)
		}
		change(values)
		for i, k := range keys {
			if err := tx.Put(k, values[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		x.Fatal(err)
	}
}

func rowsOn(day, n int, id string) txn.Update {
	u := txn.Update{To: "c"}
	for i := range n {
		u.Added = append(u.Added, txn.Raw{AccountID: "acc1", Date: txn.Date(int32(day)), Amount: money.Amount{Minor: int64(i + 1), Currency: "USD"}, Details: txn.Details{PlaidTransactionID: fmt.Sprintf("%s%04d", id, i), Name: fmt.Sprint("row ", i)}})
	}
	return u
}

// A flipped bit in a segment, or two segments swapped, are refused at the start or when the segment is read.
func TestTamperedSegments(t *testing.T) {
	x := newTampered(t)
	x.commit("item-a", rowsOn(20400, 130, "a"))
	var size int
	x.write(func(s [][]byte) { size = len(s[0]) })
	refused := func(what string) {
		t.Helper()
		err := x.reopen()
		if err == nil {
			_, err = x.list(txn.Query{})
		}
		if !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for at := 0; at < size; at += 97 {
		flip := func(s [][]byte) { s[0][at] ^= 0x10 }
		x.write(flip)
		refused(fmt.Sprint("bit of byte ", at))
		x.write(flip)
	}
	swap := func(s [][]byte) { s[0], s[1] = s[1], s[0] }
	x.write(swap)
	refused("swapped segments")
	x.write(swap)
	x.write(func(s [][]byte) { s[2] = s[2][:len(s[2])-1] })
	refused("a segment cut short")
}

// The head of one write is refused with the body of another, even in the same place.
func TestHeadAndBodyBelongTogether(t *testing.T) {
	x := newTampered(t)
	x.commit("item-a", rowsOn(20400, 10, "a"))
	var before []byte
	x.write(func(s [][]byte) { before = bytes.Clone(s[0]) })
	u := rowsOn(20400, 10, "a")
	for i := range u.Added {
		u.Added[i].Name = "wor " + fmt.Sprint(i)
	}
	x.commit("item-a", txn.Update{Modified: u.Added, To: "c2"})
	if err := x.reopen(); err != nil {
		t.Fatal(err)
	}
	x.write(func(s [][]byte) {
		if len(s[0]) != len(before) {
			t.Fatal("the two differ in length")
		}
		headEnd := 5 + int(before[1])<<24 + int(before[2])<<16 + int(before[3])<<8 + int(before[4])
		s[0] = append(bytes.Clone(before[:headEnd]), s[0][headEnd:]...)
	})
	if err := x.reopen(); err != nil {
		t.Fatal(err)
	}
	if _, err := x.list(txn.Query{}); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("an old head with a new body: %v", err)
	}
}

// A missing last segment is noticed at the start.
func TestMissingSegment(t *testing.T) {
	x := newTampered(t)
	x.commit("item-a", rowsOn(20400, 130, "a"))
	err := x.engine.Update(t.Context(), func(tx store.EngineTx) error {
		return tx.Delete([]byte(books + "/txn_segments/00000001.00000002"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if x.reopen() == nil {
		t.Error("a ledger with a segment missing opens")
	}
}

// Days of many segments: pages that start within one day and end in another, by number and by cursor.
func TestLongDays(t *testing.T) {
	x := newTampered(t)
	for d, n := range []int{70, 1, 300, 64, 129} {
		x.commit(itemNames[d%2], rowsOn(20400+d, n, fmt.Sprint("d", d, "-")))
		x.commit(itemNames[2], rowsOn(20400+d, n/2, fmt.Sprint("e", d, "-")))
	}
	all, err := x.list(txn.Query{Request: page.Request{Page: 1, Limit: 5000}})
	if err != nil || len(all.Rows) != 564+281 || all.Info.Total != len(all.Rows) {
		t.Fatalf("%d rows of %d, %v", len(all.Rows), all.Info.Total, err)
	}
	for _, limit := range []int{1, 7, 64, 200} {
		for n := 1; n <= len(all.Rows)/limit+1; n += 1 + n/3 {
			got, err := x.list(txn.Query{Request: page.Request{Page: n, Limit: limit}})
			want := all.Rows[min((n-1)*limit, len(all.Rows)):min(n*limit, len(all.Rows))]
			if d := cmp.Diff(want, got.Rows); d != "" || err != nil {
				t.Fatalf("page %d of %d: %v %s", n, limit, err, d)
			}
		}
		if got, err := x.list(txn.Query{Request: page.Request{Page: 100000, Limit: limit}}); err != nil || len(got.Rows) != 0 || got.Next != "" {
			t.Errorf("beyond the end: %d rows, %v", len(got.Rows), err)
		}
	}
}

// Rows moved to days far away make segments span and overlap: every page is still right, also after a restart.
func TestRedatedRows(t *testing.T) {
	x := newTampered(t)
	for d := range 30 {
		x.commit("item-a", rowsOn(20400+d, 20, fmt.Sprint("d", d, "-")))
	}
	moved := txn.Update{To: "c2"}
	for d := range 30 {
		r := rowsOn(20400+d, 20, fmt.Sprint("d", d, "-")).Added[d%20]
		r.Date = txn.Date(int32(20400 + (d*7)%30 + 200*(d%3)))
		moved.Modified = append(moved.Modified, r)
	}
	x.commit("item-a", moved)
	for range 2 {
		all, err := x.list(txn.Query{Request: page.Request{Page: 1, Limit: 1000}})
		if err != nil || len(all.Rows) != 600 {
			t.Fatalf("%d rows, %v", len(all.Rows), err)
		}
		for i := 1; i < len(all.Rows); i++ {
			if all.Rows[i].Date > all.Rows[i-1].Date {
				t.Fatalf("row %d is newer than the one before", i)
			}
		}
		cursor, walked := "", []txn.Transaction{}
		for {
			p, err := x.list(txn.Query{Request: page.Request{Page: 1, Limit: 17}, Cursor: cursor})
			if err != nil {
				t.Fatal(err)
			}
			walked = append(walked, p.Rows...)
			if cursor = p.Next; cursor == "" {
				break
			}
		}
		if d := cmp.Diff(all.Rows, walked); d != "" {
			t.Fatal(d)
		}
		if err := x.reopen(); err != nil {
			t.Fatal(err)
		}
	}
}

// A sum that does not fit is an error, never another number; a row that would overflow its day is set aside, and the
// rest of its update is stored.
func TestSumsOutOfRange(t *testing.T) {
	x := newTampered(t)
	huge := rowsOn(20400, 1, "a")
	huge.Added[0].Amount.Minor = math.MaxInt64
	x.commit("item-a", huge)
	for _, tt := range []struct {
		name  string
		minor int64
	}{{"sum", 1}, {"amount", math.MinInt64}} {
		t.Run(tt.name, func(t *testing.T) {
			u := rowsOn(20400, 1, "b")
			u.Added[0].Amount.Minor = tt.minor
			before := x.ledger.State(books, "item-a")
			x.commit("item-a", u)
			if got, err := x.list(txn.Query{}); err != nil || len(got.Rows) != 1 {
				t.Errorf("%d rows, %v", len(got.Rows), err)
			}
			if s := x.ledger.State(books, "item-a"); s.SetAside != before.SetAside && s.SetAside != 1 || s.SetAside == 0 {
				t.Errorf("%d rows are set aside", s.SetAside)
			}
		})
	}
	x.commit("item-a", rowsOn(20401, 1, "c"))
	if _, err := x.ledger.Summarize(t.Context(), books, itemNames, txn.Query{}, false, ""); !errors.Is(err, txn.ErrOverflow) {
		t.Errorf("%v", err)
	}
	s, err := x.ledger.Summarize(t.Context(), books, itemNames, txn.Query{DateTo: txn.Date(20400)}, false, "")
	if err != nil || s.Debits != math.MaxInt64 || s.Net != -math.MaxInt64 {
		t.Errorf("%+v %v", s, err)
	}
}

// An id of one tenant finds nothing in another, though both have a row in the same place.
func TestOtherTenantsIDs(t *testing.T) {
	x := newTampered(t, "t2")
	x.commit("item-a", rowsOn(20400, 1, "a"))
	err := x.ledger.Apply(t.Context(), "t2", "item-a", rowsOn(20400, 1, "z"), "", syncedAt, func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error {
		return x.db.Update(ctx, func(tx *store.Tx) error {
			_, err := apply(tx)
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	mine, err := x.list(txn.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{mine.Rows[0].ID, "a0000"} {
		if _, err := x.ledger.Get(t.Context(), "t2", itemNames, id); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
	q := txn.Query{Request: page.Request{Page: 1, Limit: 1}, Cursor: mine.Rows[0].ID + "00000000"}
	if _, err := x.ledger.List(t.Context(), "t2", itemNames, q); !errors.Is(err, ledger.ErrCursor) {
		t.Errorf("a cursor of another tenant: %v", err)
	}
}
