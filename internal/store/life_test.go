package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/vault"
)

// A reopened store has its header, tenants and records; old fingerprints and tokens are still valid.
func TestReopen(t *testing.T) {
	t.Parallel()
	kek := newKEK(t)
	path := filepath.Join(t.TempDir(), "bankd.db")
	var header store.Header
	var print, token string
	for round := range 3 {
		e, err := bolt.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		db := openDB(t, e, kek, "acme")
		if round == 0 {
			header = db.Header()
			if print, err = db.Fingerprint("acme", "p", []byte("x")); err != nil {
				t.Fatal(err)
			}
			if token, err = db.SealToken("acme", "p", "b", []byte("x")); err != nil {
				t.Fatal(err)
			}
			putNotes(t, db, "acme", 3)
		}
		if diff := cmp.Diff(header, db.Header()); diff != "" || header.ID == "" || header.KEK != kek.ID() {
			t.Errorf("header: %s", diff)
		}
		if got, err := db.Fingerprint("acme", "p", []byte("x")); got != print || err != nil {
			t.Errorf("fingerprint: %v", err)
		}
		if got, err := db.OpenToken("acme", "p", "b", token); string(got) != "x" || err != nil {
			t.Errorf("token: %v", err)
		}
		if report := mustScrub(t, db); report.Records != 3 || len(report.Problems) != 0 {
			t.Errorf("%+v", report)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// countingKEK counts KEK calls made inside a transaction.
type countingKEK struct {
	vault.KEK
	inTx   *atomic.Int32
	inside atomic.Int32
}

func (k *countingKEK) Wrap(ctx context.Context, dek, aad []byte) ([]byte, error) {
	k.inside.Add(k.inTx.Load())
	return k.KEK.Wrap(ctx, dek, aad)
}

func (k *countingKEK) Unwrap(ctx context.Context, blob, aad []byte) ([]byte, error) {
	k.inside.Add(k.inTx.Load())
	return k.KEK.Unwrap(ctx, blob, aad)
}

// watchedEngine counts the open transactions.
type watchedEngine struct {
	store.Engine
	open atomic.Int32
}

func (e *watchedEngine) View(ctx context.Context, fn func(store.EngineTx) error) error {
	e.open.Add(1)
	defer e.open.Add(-1)
	return e.Engine.View(ctx, fn)
}

func (e *watchedEngine) Update(ctx context.Context, fn func(store.EngineTx) error) error {
	e.open.Add(1)
	defer e.open.Add(-1)
	return e.Engine.Update(ctx, fn)
}

// The KEK may be a network service: it is never called inside a transaction.
func TestKEKIsCalledOutsideTransactions(t *testing.T) {
	t.Parallel()
	e := &watchedEngine{Engine: mem.New()}
	kek := &countingKEK{KEK: newKEK(t), inTx: &e.open}
	openDB(t, e, kek, "acme", "zeta")
	openDB(t, e, kek)
	if n := kek.inside.Load(); n != 0 {
		t.Errorf("%d calls inside a transaction", n)
	}
}

func TestEnsureTenantConcurrently(t *testing.T) {
	t.Parallel()
	db := openDB(t, mem.New(), newKEK(t))
	var group sync.WaitGroup
	for i := range 24 {
		group.Go(func() {
			tenant := fmt.Sprintf("t%d", i%3)
			if err := db.EnsureTenant(t.Context(), tenant); err != nil {
				t.Error(err)
			}
			err := db.Update(t.Context(), func(tx *store.Tx) error {
				return notes.Put(tx, tenant, fmt.Sprintf("id-%d", i), note{N: i})
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if report := mustScrub(t, db); report.Records != 24 || report.Tenants != 3 || len(report.Problems) != 0 {
		t.Errorf("%+v", report)
	}
}

// stuckEngine has an endless scan, as a damaged file can cause.
type stuckEngine struct {
	store.Engine
	stuck atomic.Bool
	free  chan struct{}
}

func (e *stuckEngine) View(ctx context.Context, fn func(store.EngineTx) error) error {
	if e.stuck.Load() {
		<-e.free
	}
	return e.Engine.View(ctx, fn)
}

func TestScrubEndsWithItsContext(t *testing.T) {
	t.Parallel()
	e := &stuckEngine{Engine: mem.New(), free: make(chan struct{})}
	defer close(e.free)
	db := openDB(t, e, newKEK(t), "acme")
	e.stuck.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := db.Scrub(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// brokenEngine panics, as bbolt does on a damaged page.
type brokenEngine struct {
	store.Engine
	broken atomic.Bool
}

func (e *brokenEngine) View(ctx context.Context, fn func(store.EngineTx) error) error {
	if e.broken.Load() {
		panic("page 7 already freed")
	}
	return e.Engine.View(ctx, fn)
}

func TestScrubSurvivesPanic(t *testing.T) {
	t.Parallel()
	e := &brokenEngine{Engine: mem.New()}
	db := openDB(t, e, newKEK(t), "acme")
	e.broken.Store(true)
	if _, err := db.Scrub(t.Context(), nil); !errors.Is(err, store.ErrDamaged) {
		t.Error(err)
	}
}

// After random writes to several collections and tenants, all manifests are right.
func TestManifestsFollowWrites(t *testing.T) {
	t.Parallel()
	other := store.NewCollection[string]("other")
	kek := newKEK(t)
	rapid.Check(t, func(rt *rapid.T) {
		db := openDB(t, mem.New(), kek, "acme", "zeta")
		model := map[string]bool{}
		ids := rapid.SampledFrom([]string{"a", "b", "c", "d"})
		for range rapid.IntRange(1, 8).Draw(rt, "updates") {
			type op struct {
				tenant, id string
				other, del bool
			}
			ops := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) op {
				return op{
					rapid.SampledFrom([]string{"acme", "zeta"}).Draw(t, "tenant"), ids.Draw(t, "id"),
					rapid.Bool().Draw(t, "other"), rapid.Bool().Draw(t, "del"),
				}
			}), 1, 6).Draw(rt, "ops")
			update(t, db, func(tx *store.Tx) error {
				for _, o := range ops {
					var err error
					switch {
					case o.other && o.del:
						err = other.Delete(tx, o.tenant, o.id)
					case o.other:
						err = other.Put(tx, o.tenant, o.id, "v")
					case o.del:
						err = notes.Delete(tx, o.tenant, o.id)
					default:
						err = notes.Put(tx, o.tenant, o.id, note{})
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
			for _, o := range ops {
				key := fmt.Sprint(o.tenant, o.other, o.id)
				if delete(model, key); !o.del {
					model[key] = true
				}
			}
		}
		report := mustScrub(t, db)
		if report.Records != len(model) || len(report.Problems) != 0 {
			rt.Fatalf("%d records expected: %+v", len(model), report)
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	e, err := bolt.Open(filepath.Join(b.TempDir(), "bankd.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	db := openDB(b, e, newKEK(b), "acme")
	for _, parallel := range []int{1, 32} {
		b.Run(fmt.Sprintf("writers-%d", parallel), func(b *testing.B) {
			var n atomic.Int64
			b.SetParallelism(parallel)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					id := fmt.Sprintf("id-%d", n.Add(1))
					err := db.Update(b.Context(), func(tx *store.Tx) error { return notes.Put(tx, "acme", id, note{"text", 1}) })
					if err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
}
