package store_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	bbolt "go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/vault"
)

// form1 is a database that the last bankd with format 1 wrote, unpacked, with its key.
func form1(t testing.TB) (path string, kek vault.KEK) {
	t.Helper()
	from, dir := filepath.Join("..", "daemon", "testdata", "form1"), t.TempDir()
	packed, err := os.Open(filepath.Join(from, "bankd.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	unpacked, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "bankd.db")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "kek"), readAll(t, filepath.Join(from, "kek")), 0o600); err != nil {
		t.Fatal(err)
	}
	if kek, err = vault.OpenFileKEK(filepath.Join(dir, "kek")); err != nil {
		t.Fatal(err)
	}
	return path, kek
}

// A database of format 1 is backed up, then changed in one transaction, and only once.
func TestFormat1(t *testing.T) {
	t.Parallel()
	path, kek := form1(t)
	asked := 0
	o := simulated
	o.BeforeMigration = func(from store.Header) error {
		if asked++; from.Format != 1 {
			t.Errorf("format %d", from.Format)
		}
		return nil
	}
	for range 2 {
		if err := examine(t, path, kek, o); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 1 {
		t.Errorf("backed up %d times", asked)
	}
	after := valuesOf(t, path)
	if after["!root/0"] == nil || after["!root"] != nil || after["!manifest/0/system/clients"] == nil {
		t.Errorf("the migration left other keys (%d)", len(after))
	}
}

// A database of format 1 that was tampered with, or cannot be backed up, stays as it is.
func TestFormat1Refused(t *testing.T) {
	t.Parallel()
	path, kek := form1(t)
	refuse := func(name string, o store.Options, fn func(b *bbolt.Bucket) error) {
		t.Helper()
		tampered := copyOf(t, path)
		edit(t, tampered, fn)
		before := readAll(t, tampered)
		if err := examine(t, tampered, kek, o); err == nil {
			t.Errorf("%s: migrated", name)
		}
		if string(before) != string(readAll(t, tampered)) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	nothing := func(*bbolt.Bucket) error { return nil }
	full := simulated
	full.BeforeMigration = func(store.Header) error { return errors.New("no room") }
	refuse("no backup", full, nothing)
	newer := simulated
	newer.Schema = 2
	refuse("no way to the schema", newer, nothing)
	for key := range valuesOf(t, copyOf(t, path)) {
		if strings.HasPrefix(key, "system/clients/") || strings.HasPrefix(key, "!") {
			refuse("without "+key, simulated, func(b *bbolt.Bucket) error { return b.Delete([]byte(key)) })
		}
	}
}

// countedEngine fails every update after a number of them, as if the process had been killed.
type countedEngine struct {
	store.Engine
	left atomic.Int64
}

var errKilled = errors.New("killed")

func (e *countedEngine) Update(ctx context.Context, fn func(store.EngineTx) error) error {
	if e.left.Add(-1) < 0 {
		return errKilled
	}
	return e.Engine.Update(ctx, fn)
}

// upper is a migration that touches one record a transaction.
func upper(from int, mark string) store.Migration {
	return store.Migration{From: from, Step: func(tx *store.Tx, tenants []string, cursor string) (string, error) {
		tenant, id, _ := strings.Cut(cursor, "/")
		if cursor == "" {
			tenant = tenants[0]
		}
		for rec, err := range notes.Scan(tx, tenant, store.Range{From: id}) {
			if err != nil {
				return "", err
			}
			if rec.ID == id {
				continue
			}
			rec.Value.Text += mark
			return tenant + "/" + rec.ID, notes.Put(tx, tenant, rec.ID, rec.Value)
		}
		if at := slices.Index(tenants, tenant); at+1 < len(tenants) {
			return tenants[at+1] + "/", nil
		}
		return "", nil
	}}
}

// A migration that is killed after any of its transactions goes on where it stopped, changes each record once, and is
// touched by no older program meanwhile.
func TestMigrationResumes(t *testing.T) {
	t.Parallel()
	const records = 3 // in each of two tenants
	kek := newKEK(t)
	kills := 0
	for after := range int64(40) {
		e := &countedEngine{Engine: mem.New()}
		e.left.Store(1 << 20)
		db := openDB(t, e, kek, "acme", "zeta")
		putNotes(t, db, "acme", records)
		putNotes(t, db, "zeta", records)
		want := fmt.Sprint(allNotes(t, db, "-b-c"))

		o := simulated
		o.Schema, o.Migrations = 3, []store.Migration{upper(1, "-b"), upper(2, "-c")}
		e.left.Store(after)
		db, err := store.Open(t.Context(), e, kek, o)
		if err != nil {
			if kills++; !errors.Is(err, errKilled) {
				t.Fatal(err)
			}
			e.left.Store(1 << 20)
			if _, err := store.Open(t.Context(), e, kek, simulated); after > 0 && !errors.Is(err, store.ErrNewerSchema) {
				t.Errorf("after %d: an older program opens what is half migrated: %v", after, err)
			}
			if after == 0 {
				continue
			}
			if db, err = store.Open(t.Context(), e, kek, o); err != nil {
				t.Fatalf("after %d: %v", after, err)
			}
		}
		if got := fmt.Sprint(allNotes(t, db, "")); got != want {
			t.Errorf("after %d: %s, want %s", after, got, want)
		}
		if report := mustScrub(t, db); len(report.Problems) > 0 || db.Header().Schema != 3 {
			t.Errorf("after %d: %+v, schema %d", after, report, db.Header().Schema)
		}
	}
	if kills < 10 {
		t.Errorf("killed %d times: the test is void", kills)
	}
}

func allNotes(t testing.TB, db *store.DB, mark string) []string {
	t.Helper()
	var all []string
	err := db.View(t.Context(), func(tx *store.Tx) error {
		all = nil
		for _, tenant := range []string{"acme", "zeta"} {
			for rec, err := range notes.Scan(tx, tenant, store.Range{}) {
				if err != nil {
					return err
				}
				all = append(all, rec.ID+"="+rec.Value.Text+mark)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Two processes that write one store through lanes of their own leave sums that hold, whoever adds and whoever takes away.
func TestLanes(t *testing.T) {
	t.Parallel()
	e, kek := mem.New(), newKEK(t)
	lane := func(name string) *store.DB {
		t.Helper()
		o := simulated
		o.Lane = name
		db, err := store.Open(t.Context(), e, kek, o)
		if err != nil {
			t.Fatal(err)
		}
		return db
	}
	openDB(t, e, kek, "acme", "zeta")
	a, b := lane("a"), lane("b2")
	putNotes(t, a, "acme", 20)
	update(t, b, func(tx *store.Tx) error {
		for i := range 15 {
			if err := notes.Delete(tx, "acme", fmt.Sprintf("id-%03d", i)); err != nil {
				return err
			}
		}
		return notes.Put(tx, "acme", "id-016", note{Text: "b's"})
	})
	update(t, a, func(tx *store.Tx) error { return notes.Put(tx, "acme", "id-016", note{Text: "a's"}) })
	for _, db := range []*store.DB{a, b, lane("c")} {
		if report := mustScrub(t, db); report.Records != 5 || len(report.Problems) != 0 {
			t.Errorf("%+v", report)
		}
	}
	var commits map[string]uint64
	err := a.View(t.Context(), func(tx *store.Tx) (err error) {
		commits, err = tx.Commits()
		return err
	})
	if err != nil || commits["a"] < 2 || commits["b2"] != 1 || commits["0"] == 0 {
		t.Errorf("commits: %v, %v", commits, err)
	}
	for _, key := range []string{"!root/b2", "!manifest/b2/acme/notes", "!root/a"} {
		var old []byte
		change := func(fn func(tx store.EngineTx) error) {
			t.Helper()
			if err := e.Update(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		change(func(tx store.EngineTx) (err error) {
			old, err = tx.Get([]byte(key))
			return errors.Join(err, tx.Delete([]byte(key)))
		})
		if _, err := store.Open(t.Context(), e, kek, simulated); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("without %s: %v", key, err)
		}
		change(func(tx store.EngineTx) error { return tx.Put([]byte(key), old) })
	}
	if _, err := store.Open(t.Context(), e, kek, store.Options{Environment: "simulated", Schema: 1, Lane: "A/"}); !errors.Is(err, store.ErrBadName) {
		t.Errorf("a lane's name: %v", err)
	}
}

// Damage that a read meets ends all writes, and says so.
func TestDamageEndsWrites(t *testing.T) {
	t.Parallel()
	if !store.Sealed {
		t.Skip("this build does not seal")
	}
	e := mem.New()
	db := openDB(t, e, newKEK(t), "acme")
	putNotes(t, db, "acme", 2)
	err := e.Update(t.Context(), func(tx store.EngineTx) error {
		v, err := tx.Get([]byte("acme/notes/id-001"))
		if err != nil {
			return err
		}
		v[len(v)-1] ^= 1
		return tx.Put([]byte("acme/notes/id-001"), v)
	})
	if err != nil {
		t.Fatal(err)
	}
	put := func() error {
		return db.Update(t.Context(), func(tx *store.Tx) error { return notes.Put(tx, "acme", "id-009", note{}) })
	}
	if err := put(); err != nil || db.Damage() != nil {
		t.Fatalf("before anybody met it: %v, %v", err, db.Damage())
	}
	err = db.View(t.Context(), func(tx *store.Tx) error {
		_, err := notes.Get(tx, "acme", "id-001")
		return err
	})
	if !errors.Is(err, store.ErrDamaged) {
		t.Fatalf("read of a changed value: %v", err)
	}
	<-db.Damaged()
	if err := put(); !errors.Is(err, store.ErrDamaged) {
		t.Errorf("a write after it: %v", err)
	}
}
