package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/vault"
)

// makeFile writes a closed database of n records in each of two tenants.
func makeFile(t testing.TB, kek vault.KEK, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bankd.db")
	e, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	db := openDB(t, e, kek, "acme", "zeta")
	putNotes(t, db, "acme", n)
	putNotes(t, db, "zeta", n)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	trim(t, path)
	return path
}

// trim cuts off the space that the file has reserved for growth.
func trim(t testing.TB, path string) {
	t.Helper()
	used := len(bytes.TrimRight(readAll(t, path), "\x00"))
	page := os.Getpagesize()
	if err := os.Truncate(path, int64((used+page-1)/page*page)); err != nil {
		t.Fatal(err)
	}
}

// examine opens a file and scrubs it; nil means that all is right.
func examine(t testing.TB, path string, kek vault.KEK, o store.Options) error {
	t.Helper()
	e, err := bolt.Open(path)
	if err != nil {
		return err
	}
	defer e.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	db, err := store.Open(ctx, e, kek, o)
	if err != nil {
		return err
	}
	report, err := db.Scrub(ctx, nil)
	if err != nil {
		return err
	}
	if len(report.Problems) > 0 {
		return fmt.Errorf("scrub: %v", report.Problems)
	}
	return nil
}

func readAll(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A refusal names its kind, explains itself and leaves the store as it was.
func TestOpenRefusals(t *testing.T) {
	t.Parallel()
	kek, other := newKEK(t), newKEK(t)
	path := makeFile(t, kek, 5)
	before := readAll(t, path)
	tests := []struct {
		name string
		kek  vault.KEK
		o    store.Options
		kind error
		says []string
	}{
		{"wrong-key", other, simulated, store.ErrWrongKey, []string{kek.ID(), other.ID(), "nothing was changed"}},
		{"newer-schema", kek, store.Options{Environment: "simulated", Schema: 0}, store.ErrNewerSchema, []string{"schema 1", "nothing was changed"}},
		{"older-schema", kek, store.Options{Environment: "simulated", Schema: 2}, store.ErrOlderSchema, []string{"schema 1"}},
		{"other-environment", kek, store.Options{Environment: "production", Schema: 1}, store.ErrOtherEnvironment, []string{"simulated", "production"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := examine(t, path, tt.kek, tt.o)
			var open *store.OpenError
			if !errors.Is(err, tt.kind) || !errors.As(err, &open) {
				t.Fatalf("kind: %v", err)
			}
			for _, word := range tt.says {
				if !bytes.Contains([]byte(err.Error()), []byte(word)) {
					t.Errorf("error does not say %q: %v", word, err)
				}
			}
			if !bytes.Equal(before, readAll(t, path)) {
				t.Error("the file was changed")
			}
		})
	}
	if err := examine(t, path, kek, simulated); err != nil {
		t.Errorf("the right key, schema and environment: %v", err)
	}
}

// edit changes a file behind the store's back.
func edit(t testing.TB, path string, fn func(b *bbolt.Bucket) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error { return fn(tx.Bucket([]byte("bankd"))) })
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
}

func copyOf(t testing.TB, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(to, readAll(t, path), 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// valuesOf returns the stored bytes of every key.
func valuesOf(t testing.TB, path string) map[string][]byte {
	t.Helper()
	values := map[string][]byte{}
	edit(t, path, func(b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			values[string(k)] = bytes.Clone(v)
			return nil
		})
	})
	return values
}

// Edits of the file without the key are detected: each key deleted, each
// value replaced by an older or another one.
func TestOfflineEditsAreDetected(t *testing.T) {
	t.Parallel()
	if !store.Sealed {
		t.Skip("without seals two equal values can change places")
	}
	kek := newKEK(t)
	path := makeFile(t, kek, 3)
	older := valuesOf(t, copyOf(t, path))
	e, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	db := openDB(t, e, kek, "acme", "zeta")
	update(t, db, func(tx *store.Tx) error { return notes.Put(tx, "acme", "id-001", note{"newer", 1}) })
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	values := valuesOf(t, copyOf(t, path))

	detect := func(name string, fn func(b *bbolt.Bucket) error) {
		t.Helper()
		tampered := copyOf(t, path)
		edit(t, tampered, fn)
		before := readAll(t, tampered)
		if err := examine(t, tampered, kek, simulated); err == nil {
			t.Errorf("%s: not detected", name)
		}
		if !bytes.Equal(before, readAll(t, tampered)) {
			t.Errorf("%s: the file was changed", name)
		}
	}
	edits := 0
	for key, value := range values {
		detect("delete "+key, func(b *bbolt.Bucket) error { return b.Delete([]byte(key)) })
		detect("rename "+key, func(b *bbolt.Bucket) error {
			return errors.Join(b.Delete([]byte(key)), b.Put([]byte(key+"x"), value))
		})
		detect("double "+key, func(b *bbolt.Bucket) error { return b.Put([]byte(key+"x"), value) })
		if !bytes.Equal(older[key], value) && older[key] != nil {
			detect("put back "+key, func(b *bbolt.Bucket) error { return b.Put([]byte(key), older[key]) })
			edits++
		}
		for other, otherValue := range values {
			if other > key {
				detect("swap "+key+" "+other, func(b *bbolt.Bucket) error {
					return errors.Join(b.Put([]byte(key), otherValue), b.Put([]byte(other), value))
				})
				edits++
			}
		}
		edits += 3
	}
	t.Logf("%d edits of %d keys", edits, len(values))
	detect("delete a collection with its manifest", func(b *bbolt.Bucket) error {
		for key := range values {
			if bytes.HasPrefix([]byte(key), []byte("zeta/")) || key == "!manifest/0/zeta/notes" {
				if err := b.Delete([]byte(key)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	detect("put an older record back with its manifest", func(b *bbolt.Bucket) error {
		return errors.Join(b.Put([]byte("acme/notes/id-001"), older["acme/notes/id-001"]), b.Put([]byte("!manifest/0/acme/notes"), older["!manifest/0/acme/notes"]))
	})
	detect("delete everything but the header", func(b *bbolt.Bucket) error {
		for key := range values {
			if key != "!header" {
				if err := b.Delete([]byte(key)); err != nil {
					return err
				}
			}
		}
		return nil
	})
	detect("add an unknown key", func(b *bbolt.Bucket) error { return b.Put([]byte("~"), []byte("x")) })
	detect("add an own key", func(b *bbolt.Bucket) error { return b.Put([]byte("!rootx"), []byte("x")) })
}

// One flipped bit, anywhere, is detected, or everything readable is as it was. BANKD_FLIPS is how many are tried.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	flips := 500
	if s := os.Getenv("BANKD_FLIPS"); s != "" {
		if _, err := fmt.Sscan(s, &flips); err != nil {
			t.Fatal(err)
		}
	}
	kek := newKEK(t)
	path := makeFile(t, kek, 60)
	whole := readAll(t, path)
	want := contents(t, path, kek)
	var mu sync.Mutex
	detected, harmless := 0, 0
	var next atomic.Int64
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			path := filepath.Join(t.TempDir(), "bankd.db")
			for i := int(next.Add(1)); i <= flips; i = int(next.Add(1)) {
				bit := i * (len(whole)*8/flips + 1) % (len(whole) * 8)
				if flips >= len(whole)*8 {
					bit = i % (len(whole) * 8)
				}
				found := flipped(t, path, whole, bit, kek, want)
				mu.Lock()
				if found {
					detected++
				} else {
					harmless++
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
	t.Logf("%d bytes, %d flips: %d detected, %d in unused bytes, 0 silent", len(whole), detected+harmless, detected, harmless)
	if detected < harmless/20 {
		t.Error("hardly anything was detected: the test is void")
	}
}

// flipped opens a file with one bit changed, and reports whether that was noticed.
func flipped(t *testing.T, path string, whole []byte, bit int, kek vault.KEK, want string) bool {
	t.Helper()
	bent := bytes.Clone(whole)
	bent[bit/8] ^= 1 << (bit % 8)
	if err := os.WriteFile(path, bent, 0o600); err != nil {
		t.Error(err)
		return false
	}
	found := examine(t, path, kek, simulated) != nil
	if !found && contents(t, path, kek) != want {
		t.Errorf("bit %d: a change went unseen", bit)
	}
	if !bytes.Equal(bent, readAll(t, path)) {
		t.Errorf("bit %d: the file was changed", bit)
	}
	return found
}

// contents returns all readable records as text.
func contents(t testing.TB, path string, kek vault.KEK) string {
	t.Helper()
	e, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	db := openDB(t, e, kek)
	var out string
	err = db.View(t.Context(), func(tx *store.Tx) error {
		out = ""
		for _, tenant := range []string{"acme", "zeta"} {
			for rec, err := range notes.Scan(tx, tenant, store.Range{}) {
				if err != nil {
					return err
				}
				out += fmt.Sprintf("%s/%s=%v\n", tenant, rec.ID, rec.Value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A file cut short at any length is refused or complete, and never crashes the process.
func TestTruncatedFile(t *testing.T) {
	t.Parallel()
	kek := newKEK(t)
	path := makeFile(t, kek, 60)
	whole := readAll(t, path)
	for size := 0; size < len(whole); size += 1021 {
		if err := os.WriteFile(path, whole[:size], 0o600); err != nil {
			t.Fatal(err)
		}
		if err := examine(t, path, kek, simulated); err == nil {
			t.Errorf("%d of %d bytes: opened", size, len(whole))
		}
		if got := readAll(t, path); !bytes.Equal(got, whole[:size]) {
			t.Fatalf("%d bytes: the file was changed", size)
		}
	}
}

// The file has no plain text, in keys or values.
func TestFileHoldsNoPlainText(t *testing.T) {
	t.Parallel()
	if !store.Sealed {
		t.Skip("this build does not seal")
	}
	const canary = "canary-011401533"
	kek := newKEK(t)
	path := makeFile(t, kek, 1)
	e, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	db := openDB(t, e, kek, "acme")
	update(t, db, func(tx *store.Tx) error { return notes.Put(tx, "acme", "id", note{Text: canary}) })
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(readAll(t, path), []byte(canary)) {
		t.Error("the file holds a value in plain text")
	}
}
