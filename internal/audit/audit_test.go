package audit_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/vault"
)

const tenant = "acme"

// Tests use these to change records directly, as someone with the store's key could.
var (
	rawRecords = store.NewCollection[audit.Record]("audit")
	rawHeads   = store.NewCollection[audit.Head]("audit_head")
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func newDB(t *testing.T) *store.DB {
	t.Helper()
	kek, err := vault.CreateFileKEK(filepath.Join(t.TempDir(), "kek"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), mem.New(), kek, store.Options{Environment: "simulated", Schema: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{tenant, "zeta"} {
		if err := db.EnsureTenant(t.Context(), name); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func update(t *testing.T, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func fill(t *testing.T, db *store.DB, n int) {
	t.Helper()
	uid := 1000
	for i := range n {
		update(t, db, func(tx *store.Tx) error {
			_, err := audit.Append(tx, tenant, audit.Record{
				Time: start.Add(time.Duration(i) * time.Minute), Action: []string{"link.start", "ach.add"}[i%2],
				Object: fmt.Sprintf("account:%d", i%3), Outcome: audit.OK, ClientID: fmt.Sprintf("c%d", i%5), UID: &uid,
				Details: map[string]string{"reason": "test", "a": "b"},
			})
			return err
		})
	}
}

func verify(t *testing.T, db *store.DB) audit.Report {
	t.Helper()
	report, err := audit.Verify(t.Context(), db, tenant)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func id(seq int) string { return fmt.Sprintf("%020d", seq) }

func TestVerifyWholeChain(t *testing.T) {
	db := newDB(t)
	if report := verify(t, db); !report.Intact || report.Records != 0 {
		t.Errorf("empty chain: %+v", report)
	}
	fill(t, db, 12)
	report := verify(t, db)
	if !report.Intact || report.Records != 12 || report.Head.Seq != 12 {
		t.Errorf("whole chain: %+v", report)
	}
	other, err := audit.Verify(t.Context(), db, "zeta")
	if err != nil || other.Records != 0 {
		t.Errorf("another tenant's chain: %+v %v", other, err)
	}
}

// Every kind of tampering at every record of a chain, by an attacker who can even
// write through the store.
func TestVerifyDetectsTampering(t *testing.T) {
	const n = 10
	get := func(tx *store.Tx, seq int) audit.Record {
		r, err := rawRecords.Get(tx, tenant, id(seq))
		if err != nil {
			panic(err)
		}
		return r
	}
	attacks := []struct {
		name  string
		apply func(tx *store.Tx, seq int) error
	}{
		{"delete", func(tx *store.Tx, seq int) error { return rawRecords.Delete(tx, tenant, id(seq)) }},
		{"alter", func(tx *store.Tx, seq int) error {
			r := get(tx, seq)
			r.Outcome = "forbidden"
			return rawRecords.Put(tx, tenant, id(seq), r)
		}},
		{"alter-details", func(tx *store.Tx, seq int) error {
			r := get(tx, seq)
			r.Details["reason"] = "other"
			return rawRecords.Put(tx, tenant, id(seq), r)
		}},
		{"swap-with-next", func(tx *store.Tx, seq int) error {
			other := seq%n + 1
			a, b := get(tx, seq), get(tx, other)
			if err := rawRecords.Put(tx, tenant, id(seq), b); err != nil {
				return err
			}
			return rawRecords.Put(tx, tenant, id(other), a)
		}},
		{"renumber-over-next", func(tx *store.Tx, seq int) error {
			r := get(tx, seq)
			r.Seq++
			return rawRecords.Put(tx, tenant, id(seq+1), r)
		}},
		{"truncate-from", func(tx *store.Tx, seq int) error {
			for s := seq; s <= n; s++ {
				if err := rawRecords.Delete(tx, tenant, id(s)); err != nil {
					return err
				}
			}
			return nil
		}},
		{"forge-head", func(tx *store.Tx, seq int) error {
			return rawHeads.Put(tx, tenant, "head", audit.Head{Seq: uint64(seq), Hash: "00"})
		}},
		{"delete-head", func(tx *store.Tx, seq int) error { return rawHeads.Delete(tx, tenant, "head") }},
	}
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			for seq := 1; seq <= n; seq++ {
				db := newDB(t)
				fill(t, db, n)
				update(t, db, func(tx *store.Tx) error { return a.apply(tx, seq) })
				if report := verify(t, db); report.Intact {
					t.Errorf("at record %d: not detected", seq)
				}
			}
		})
	}
}

func TestAppendIgnoresChainFieldsOfCaller(t *testing.T) {
	db := newDB(t)
	fill(t, db, 1)
	update(t, db, func(tx *store.Tx) error {
		_, err := audit.Append(tx, tenant, audit.Record{Seq: 77, Prev: "x", Hash: "y", Time: start.In(time.FixedZone("x", 3600)), Action: "a", Outcome: audit.OK})
		return err
	})
	if report := verify(t, db); !report.Intact || report.Head.Seq != 2 {
		t.Errorf("%+v", report)
	}
}

func TestAppendFailsWithItsTransaction(t *testing.T) {
	db := newDB(t)
	fill(t, db, 2)
	_ = db.Update(t.Context(), func(tx *store.Tx) error {
		if _, err := audit.Append(tx, tenant, audit.Record{Action: "a", Outcome: audit.OK}); err != nil {
			return err
		}
		return fmt.Errorf("refused")
	})
	if report := verify(t, db); !report.Intact || report.Head.Seq != 2 {
		t.Errorf("%+v", report)
	}
}

func TestList(t *testing.T) {
	db := newDB(t)
	fill(t, db, 60)
	tests := []struct {
		name string
		q    audit.Query
		want []uint64
	}{
		{"limit", audit.Query{Limit: 3}, []uint64{60, 59, 58}},
		{"before", audit.Query{Limit: 2, BeforeSeq: 5}, []uint64{4, 3}},
		{"action", audit.Query{Limit: 2, Action: "ach.add", BeforeSeq: 8}, []uint64{6, 4}},
		{"object", audit.Query{Object: "account:0", BeforeSeq: 8}, []uint64{7, 4, 1}},
		{"client", audit.Query{ClientID: "c4", BeforeSeq: 11}, []uint64{10, 5}},
		{"since", audit.Query{Since: start.Add(58 * time.Minute)}, []uint64{60, 59}},
		{"nothing", audit.Query{Action: "none"}, []uint64{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := []uint64{}
			err := db.View(t.Context(), func(tx *store.Tx) error {
				list, err := audit.List(tx, tenant, tt.q)
				for _, r := range list {
					got = append(got, r.Seq)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	err := db.View(t.Context(), func(tx *store.Tx) error {
		list, err := audit.List(tx, tenant, audit.Query{})
		if len(list) != audit.DefaultLimit {
			t.Errorf("default limit: %d", len(list))
		}
		all, err2 := audit.List(tx, tenant, audit.Query{Limit: -1})
		if len(all) != 60 || err2 != nil {
			t.Errorf("no limit: %d %v", len(all), err2)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Two lanes of one store have a chain each. A lane that is cut short, or put back and written anew, shows in the other's.
func TestLanes(t *testing.T) {
	kek, err := vault.CreateFileKEK(filepath.Join(t.TempDir(), "kek"))
	if err != nil {
		t.Fatal(err)
	}
	e := mem.New()
	lane := func(name string) *store.DB {
		db, err := store.Open(t.Context(), e, kek, store.Options{Environment: "simulated", Schema: 1, Lane: name})
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	first := lane("")
	if err := first.EnsureTenant(t.Context(), tenant); err != nil {
		t.Fatal(err)
	}
	fill(t, first, 2)
	a, b := lane("a"), lane("b")
	at := start.Add(time.Hour)
	add := func(db *store.DB, action string) {
		t.Helper()
		at = at.Add(time.Minute)
		update(t, db, func(tx *store.Tx) error {
			_, err := audit.Append(tx, tenant, audit.Record{Time: at, Action: action, Outcome: audit.OK})
			return err
		})
	}
	for i := range 3 {
		add(a, fmt.Sprint("a", i))
		add(b, fmt.Sprint("b", i))
	}
	if report := verify(t, a); !report.Intact || report.Records != 8 || report.Head.Seq != 2 {
		t.Errorf("%+v", report)
	}
	var actions []string
	view := func(fn func(tx *store.Tx) error) {
		t.Helper()
		if err := a.View(t.Context(), fn); err != nil {
			t.Fatal(err)
		}
	}
	view(func(tx *store.Tx) error {
		list, err := audit.List(tx, tenant, audit.Query{Limit: 7})
		for _, r := range list {
			actions = append(actions, r.Action)
		}
		return err
	})
	if diff := cmp.Diff([]string{"b2", "a2", "b1", "a1", "b0", "a0", "ach.add"}, actions); diff != "" {
		t.Error(diff)
	}
	// b loses its last record, then writes another in its place.
	var kept audit.Record
	view(func(tx *store.Tx) (err error) {
		kept, err = audit.Get(tx, tenant, audit.RecordID("b", 2))
		return err
	})
	add(a, "a3") // has seen b's third
	update(t, b, func(tx *store.Tx) error {
		if err := rawRecords.Delete(tx, tenant, audit.RecordID("b", 3)); err != nil {
			return err
		}
		return rawHeads.Put(tx, tenant, "head.b", audit.Head{Seq: kept.Seq, Hash: kept.Hash})
	})
	if report := verify(t, a); report.Intact || report.FirstBad != 3 {
		t.Errorf("cut short: %+v", report)
	}
	add(b, "other")
	if report := verify(t, a); report.Intact || report.FirstBad != 3 {
		t.Errorf("written anew: %+v", report)
	}
}
