package store_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/store"
)

var parts = store.NewBlobs("parts")

func TestBlobs(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, e store.Engine) {
		db := openDB(t, e, newKEK(t), "acme", "zeta")
		body := bytes.Repeat([]byte("body"), 5000)
		update(t, db, func(tx *store.Tx) error {
			return errors.Join(parts.Put(tx, "acme", "a", []byte("old"), nil), parts.Put(tx, "acme", "a", []byte("head"), body), parts.Put(tx, "acme", "b", nil, nil),
				parts.Put(tx, "acme", "c", []byte("x"), nil), parts.Delete(tx, "acme", "c"), parts.Delete(tx, "acme", "never"))
		})
		err := db.View(t.Context(), func(tx *store.Tx) error {
			var b store.Blob
			if err := parts.Get(tx, "acme", "a", &b); err != nil {
				return err
			}
			head, err1 := b.Head(nil)
			got, err2 := b.Body(nil)
			if both, err := b.Body([]byte("before ")); err != nil || string(both) != "before "+string(body) {
				t.Errorf("behind other bytes: %d bytes, %v", len(both), err)
			}
			if string(head) != "head" || !bytes.Equal(got, body) {
				t.Errorf("%q and %d bytes", head, len(got))
			}
			for _, tenant := range []string{"acme", "zeta"} {
				if err := parts.Get(tx, tenant, "c", &b); !errors.Is(err, store.ErrNotFound) {
					t.Errorf("%s: %v", tenant, err)
				}
			}
			if err := parts.Get(tx, "nobody", "a", &b); !errors.Is(err, store.ErrUnknownTenant) {
				t.Errorf("%v", err)
			}
			ids := []string{}
			for rec, err := range parts.Heads(tx, "acme", store.Range{}) {
				if err != nil {
					return err
				}
				ids = append(ids, rec.ID+"="+string(rec.Value))
			}
			if d := cmp.Diff([]string{"a=head", "b="}, ids); d != "" {
				t.Error(d)
			}
			return errors.Join(err1, err2)
		})
		if err != nil {
			t.Fatal(err)
		}
		if r := mustScrub(t, db); r.Records != 2 || len(r.Problems) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

// Flipping any bit of a stored blob makes opening it and a scrub fail.
func TestFlippedBitsOfBlobs(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, e store.Engine) {
		db := openDB(t, e, newKEK(t), "acme")
		update(t, db, func(tx *store.Tx) error { return parts.Put(tx, "acme", "a", []byte("head"), []byte("body")) })
		key := []byte("acme/parts/a")
		var whole []byte
		if err := e.View(t.Context(), func(tx store.EngineTx) (err error) { whole, err = tx.Get(key); return err }); err != nil {
			t.Fatal(err)
		}
		for at := range whole {
			changed := bytes.Clone(whole)
			changed[at] ^= 1 << (at % 8)
			if err := e.Update(t.Context(), func(tx store.EngineTx) error { return tx.Put(key, changed) }); err != nil {
				t.Fatal(err)
			}
			err := db.View(t.Context(), func(tx *store.Tx) error {
				var b store.Blob
				if err := parts.Get(tx, "acme", "a", &b); err != nil {
					return err
				}
				_, err1 := b.Head(nil)
				_, err2 := b.Body(nil)
				return errors.Join(err1, err2)
			})
			if !errors.Is(err, store.ErrDamaged) {
				t.Fatalf("byte %d: %v", at, err)
			}
			if r := mustScrub(t, db); len(r.Problems) == 0 {
				t.Fatalf("byte %d: a scrub passes", at)
			}
		}
	})
}
