package bolt

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/bankctl/bankctl/internal/store"
)

func openAt(t *testing.T) (*Engine, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "db")
	e, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	return e, path
}

func putValue(t *testing.T, e *Engine, key string, value []byte) {
	t.Helper()
	if err := e.Update(t.Context(), func(tx store.EngineTx) error { return tx.Put([]byte(key), value) }); err != nil {
		t.Fatal(err)
	}
}

func contains(t *testing.T, path string, what []byte) bool {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Contains(b, what)
}

// A deleted value stays in the file until a wipe, and is nowhere in it after one. Values of one page and of many.
func TestWipe(t *testing.T) {
	t.Parallel()
	e, path := openAt(t)
	small, large := []byte("a canary of few bytes"), bytes.Repeat([]byte("a canary of many pages "), 3000)
	for i := range 200 {
		putValue(t, e, fmt.Sprintf("other-%03d", i), bytes.Repeat([]byte{byte(i)}, 300))
	}
	putValue(t, e, "small", small)
	putValue(t, e, "large", large)
	if err := e.Update(t.Context(), func(tx store.EngineTx) error {
		if err := tx.Delete([]byte("small")); err != nil {
			return err
		}
		return tx.Delete([]byte("large"))
	}); err != nil {
		t.Fatal(err)
	}
	if !contains(t, path, small) || !contains(t, path, large[:100]) {
		t.Fatal("nothing is left to wipe")
	}
	pages, again, err := e.Wipe(t.Context())
	if err != nil || again || pages == 0 {
		t.Fatalf("%d pages, again %v, %v", pages, again, err)
	}
	if contains(t, path, small) || contains(t, path, large[:40]) {
		t.Error("deleted values are left in the file")
	}
	if pages, again, err := e.Wipe(t.Context()); pages != 0 || again || err != nil {
		t.Errorf("a second wipe: %d pages, %v %v", pages, again, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	n := 0
	if err := e.View(t.Context(), func(tx store.EngineTx) error {
		for entry, err := range tx.Scan(nil, nil, false) {
			if err != nil || len(entry.Value) != 300 {
				return fmt.Errorf("%s: %d bytes, %w", entry.Key, len(entry.Value), err)
			}
			n++
		}
		return nil
	}); err != nil || n != 200 {
		t.Errorf("%d values, %v", n, err)
	}
}

// A reader of an older snapshot keeps its values, and a wipe then asks to be called again.
func TestWipeLeavesSnapshots(t *testing.T) {
	t.Parallel()
	e, path := openAt(t)
	canary := []byte("a canary that a snapshot needs")
	putValue(t, e, "canary", canary)
	err := e.View(t.Context(), func(tx store.EngineTx) error {
		if err := e.Update(t.Context(), func(tx store.EngineTx) error { return tx.Delete([]byte("canary")) }); err != nil {
			return err
		}
		putValue(t, e, "more", []byte("x"))
		for range 4 {
			if pages, again, err := e.Wipe(t.Context()); !again || err != nil || pages > 0 {
				t.Errorf("wiped %d pages under a reader, %v %v", pages, again, err)
			}
		}
		got, err := tx.Get([]byte("canary"))
		if err != nil || !bytes.Equal(got, canary) {
			t.Errorf("the snapshot lost its value: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, again, err := e.Wipe(t.Context()); again || err != nil || contains(t, path, canary) {
		t.Errorf("after the reader left: %v %v", again, err)
	}
}

// Wipes beside readers and writers harm neither: each reader sees the values of one commit.
func TestWipeUnderLoad(t *testing.T) {
	t.Parallel()
	e, _ := openAt(t)
	const keys = 50
	write := func(n int) error {
		return e.Update(context.Background(), func(tx store.EngineTx) error {
			for k := range keys {
				if err := tx.Put(fmt.Appendf(nil, "k%02d", k), bytes.Repeat(fmt.Appendf(nil, "%08d", n), 200)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := write(0); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				err := e.View(context.Background(), func(tx store.EngineTx) error {
					var first []byte
					for entry, err := range tx.Scan(nil, nil, false) {
						if err != nil {
							return err
						}
						if first == nil {
							first = entry.Value
						}
						if len(entry.Value) != 1600 || !bytes.Equal(entry.Value, first) {
							return fmt.Errorf("%s has another commit's value, or none", entry.Key)
						}
					}
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wiped := 0
	for n := range 120 {
		if err := write(n); err != nil {
			t.Fatal(err)
		}
		pages, _, err := e.Wipe(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		wiped += pages
	}
	close(done)
	group.Wait()
	if wiped == 0 {
		t.Error("nothing was wiped")
	}
	t.Logf("%d pages wiped in 120 commits beside 3 readers", wiped)
}
