package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/vault"
)

type note struct {
	Text string `json:"text"`
	N    int    `json:"n"`
}

var notes = store.NewCollection[note]("notes")

var simulated = store.Options{Environment: "simulated", Schema: 1}

func newKEK(t testing.TB) vault.KEK {
	t.Helper()
	kek, err := vault.CreateFileKEK(filepath.Join(t.TempDir(), "kek"))
	if err != nil {
		t.Fatal(err)
	}
	return kek
}

// engines runs a test on every engine.
func engines(t *testing.T, test func(t *testing.T, e store.Engine)) {
	t.Run("mem", func(t *testing.T) { test(t, mem.New()) })
	t.Run("bolt", func(t *testing.T) {
		e, err := bolt.Open(filepath.Join(t.TempDir(), "bankd.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = e.Close() })
		test(t, e)
	})
}

func openDB(t testing.TB, e store.Engine, kek vault.KEK, tenants ...string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), e, kek, simulated)
	if err != nil {
		t.Fatal(err)
	}
	for _, tenant := range tenants {
		if err := db.EnsureTenant(t.Context(), tenant); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

func update(t testing.TB, db *store.DB, fn func(*store.Tx) error) {
	t.Helper()
	if err := db.Update(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}

func putNotes(t testing.TB, db *store.DB, tenant string, n int) {
	t.Helper()
	update(t, db, func(tx *store.Tx) error {
		for i := range n {
			if err := notes.Put(tx, tenant, fmt.Sprintf("id-%03d", i), note{"text", i}); err != nil {
				return err
			}
		}
		return nil
	})
}

func mustScrub(t testing.TB, db *store.DB) store.ScrubReport {
	t.Helper()
	report, err := db.Scrub(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func scanIDs(tx *store.Tx, tenant string, r store.Range) ([]string, error) {
	ids := []string{}
	for rec, err := range notes.Scan(tx, tenant, r) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, rec.ID)
	}
	return ids, nil
}

func TestCollection(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, e store.Engine) {
		db := openDB(t, e, newKEK(t), "acme", "zeta")
		putNotes(t, db, "acme", 20)
		putNotes(t, db, "zeta", 3)
		update(t, db, func(tx *store.Tx) error {
			if err := notes.Delete(tx, "acme", "id-004"); err != nil {
				return err
			}
			if err := notes.Delete(tx, "acme", "absent"); err != nil {
				return err
			}
			return notes.Put(tx, "acme", "id-005", note{"other", 5})
		})
		err := db.View(t.Context(), func(tx *store.Tx) error {
			if _, err := notes.Get(tx, "acme", "id-004"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("deleted record: %v", err)
			}
			got, err := notes.Get(tx, "acme", "id-005")
			if diff := cmp.Diff(note{"other", 5}, got); diff != "" || err != nil {
				t.Errorf("replaced record: %v %s", err, diff)
			}
			if _, err := notes.Get(tx, "zeta", "id-010"); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("another tenant's record is visible: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		report := mustScrub(t, db)
		want := store.ScrubReport{Records: 22, Collections: 2, Tenants: 2}
		if diff := cmp.Diff(want, report); diff != "" {
			t.Error(diff)
		}
	})
}

func TestCollectionScanRanges(t *testing.T) {
	t.Parallel()
	db := openDB(t, mem.New(), newKEK(t), "acme")
	putNotes(t, db, "acme", 13)
	tests := []struct {
		name string
		r    store.Range
		want []string
	}{
		{"prefix", store.Range{Prefix: "id-01"}, []string{"id-010", "id-011", "id-012"}},
		{"prefix-reverse", store.Range{Prefix: "id-01", Reverse: true}, []string{"id-012", "id-011", "id-010"}},
		{"half-open", store.Range{From: "id-003", To: "id-005"}, []string{"id-003", "id-004"}},
		{"half-open-reverse", store.Range{From: "id-003", To: "id-005", Reverse: true}, []string{"id-004", "id-003"}},
		{"to-end", store.Range{From: "id-011"}, []string{"id-011", "id-012"}},
		{"from-below-prefix", store.Range{Prefix: "id-01", From: "id-00", To: "id-011"}, []string{"id-010"}},
		{"to-beyond-prefix", store.Range{Prefix: "id-01", From: "id-012", To: "zz"}, []string{"id-012"}},
		{"nothing", store.Range{From: "x"}, []string{}},
		{"empty-range", store.Range{From: "id-005", To: "id-003"}, []string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := db.View(t.Context(), func(tx *store.Tx) error {
				got, err := scanIDs(tx, "acme", tt.r)
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestNamesAreChecked(t *testing.T) {
	t.Parallel()
	db := openDB(t, mem.New(), newKEK(t), "acme")
	for _, tenant := range []string{"", "a/b", "!x", "a b", "ä"} {
		if err := db.EnsureTenant(t.Context(), tenant); !errors.Is(err, store.ErrBadName) {
			t.Errorf("tenant %q: %v", tenant, err)
		}
	}
	for _, id := range []string{"", "a/b", "a\x00", "id id"} {
		err := db.Update(t.Context(), func(tx *store.Tx) error { return notes.Put(tx, "acme", id, note{}) })
		if !errors.Is(err, store.ErrBadName) {
			t.Errorf("id %q: %v", id, err)
		}
	}
	err := db.Update(t.Context(), func(tx *store.Tx) error { return notes.Put(tx, "other", "id", note{}) })
	if !errors.Is(err, store.ErrUnknownTenant) {
		t.Errorf("tenant without keys: %v", err)
	}
}

func TestFailedUpdateLeavesNothing(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, e store.Engine) {
		db := openDB(t, e, newKEK(t), "acme")
		putNotes(t, db, "acme", 2)
		refused := errors.New("refused")
		err := db.Update(t.Context(), func(tx *store.Tx) error {
			return errors.Join(notes.Put(tx, "acme", "id-999", note{}), notes.Delete(tx, "acme", "id-000"), refused)
		})
		if !errors.Is(err, refused) {
			t.Fatal(err)
		}
		if report := mustScrub(t, db); report.Records != 2 || len(report.Problems) != 0 {
			t.Errorf("after a failed update: %+v", report)
		}
	})
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	db := openDB(t, mem.New(), newKEK(t), "acme", "zeta")
	sum := func(tenant, purpose string, parts ...string) string {
		t.Helper()
		var raw [][]byte
		for _, p := range parts {
			raw = append(raw, []byte(p))
		}
		got, err := db.Fingerprint(tenant, purpose, raw...)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	base := sum("acme", "ach", "ab", "c")
	if len(base) != 32 || base != sum("acme", "ach", "ab", "c") {
		t.Errorf("not 32 repeatable hex characters: %q", base)
	}
	for _, other := range []string{sum("zeta", "ach", "ab", "c"), sum("acme", "x", "ab", "c"), sum("acme", "ach", "a", "bc"), sum("acme", "ach", "abc")} {
		if other == base {
			t.Error("another tenant, purpose or split gives the same fingerprint")
		}
	}
}

func TestToken(t *testing.T) {
	t.Parallel()
	db := openDB(t, mem.New(), newKEK(t), "acme", "zeta")
	token, err := db.SealToken("acme", "access", "conn-1", []byte("canary"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := db.OpenToken("acme", "access", "conn-1", token)
	if string(got) != "canary" || err != nil {
		t.Fatalf("round trip: %v", err)
	}
	flipped := []byte(token)
	flipped[20] ^= 1
	wrong := [][4]string{
		{"zeta", "access", "conn-1", token}, {"acme", "other", "conn-1", token}, {"acme", "access", "conn-2", token},
		{"acme", "access", "conn-1", string(flipped)}, {"acme", "access", "conn-1", ""}, {"acme", "access", "conn-1", token + "="},
	}
	for i, w := range wrong {
		if _, err := db.OpenToken(w[0], w[1], w[2], w[3]); !errors.Is(err, store.ErrBadToken) {
			t.Errorf("case %d: %v", i, err)
		}
	}
}
