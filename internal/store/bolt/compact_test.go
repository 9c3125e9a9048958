package bolt_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
)

// A file of which most is free is written anew when it is opened, with all that it held; and many commits beside a reader
// that stays do not make it grow by a list of free pages each.
func TestMostlyFreeFileIsWrittenAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bankd.db")
	e, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	value := make([]byte, 64<<10)
	put := func(e store.Engine, from, to int, v []byte) {
		t.Helper()
		err := e.Update(t.Context(), func(tx store.EngineTx) error {
			for i := from; i < to; i++ {
				key := fmt.Appendf(nil, "k%06d", i)
				if v == nil {
					if err := tx.Delete(key); err != nil {
						return err
					}
				} else if err := tx.Put(key, v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for i := range 8 {
		put(e, i*200, (i+1)*200, value)
	}
	put(e, 10, 1600, nil)
	before := size(t, path)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if e, err = bolt.Open(path); err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	if after := size(t, path); before < 90<<20 || after > before/4 {
		t.Errorf("%d MB before, %d MB after", before>>20, after>>20)
	}
	n := 0
	err = e.View(t.Context(), func(tx store.EngineTx) error {
		n = 0
		for entry, err := range tx.PeekRange(nil, nil) {
			if err != nil {
				return err
			}
			if len(entry.Value) != len(value) {
				return fmt.Errorf("%s has %d bytes", entry.Key, len(entry.Value))
			}
			n++
		}
		return nil
	})
	if err != nil || n != 10 {
		t.Errorf("%d entries, %v", n, err)
	}
	put(e, 5000, 5001, []byte("x"))
}

func size(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
