package enginetest

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/store"
)

func testScanOrder(t *testing.T, e store.Engine) {
	update(t, e, put("b", "", "a", "", "c/2", "", "c/1", "", "\x00", "", "\xff", "", "c", ""))
	tests := []struct {
		name     string
		from, to string
		toEnd    bool
		want     []string
	}{
		{"everything", "", "", true, []string{"\x00=", "a=", "b=", "c=", "c/1=", "c/2=", "\xff="}},
		{"half-open", "a", "c", false, []string{"a=", "b="}},
		{"between-keys", "aa", "c/11", false, []string{"b=", "c=", "c/1="}},
		{"from-to-end", "c/2", "", true, []string{"c/2=", "\xff="}},
		{"start-to", "", "b", false, []string{"\x00=", "a="}},
		{"empty-range", "b", "b", false, []string{}},
		{"backward-range", "c", "a", false, []string{}},
		{"beyond", "\xff\xff", "", true, []string{}},
		{"prefix", "c/", "c0", false, []string{"c/1=", "c/2="}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			to := []byte(tt.to)
			if tt.toEnd {
				to = nil
			}
			check := func(tx store.EngineTx) error {
				for _, reverse := range []bool{false, true} {
					want := slices.Clone(tt.want)
					if reverse {
						slices.Reverse(want)
					}
					got, err := pairs(tx, []byte(tt.from), to, reverse)
					if diff := cmp.Diff(want, got); diff != "" || err != nil {
						t.Errorf("reverse %v: %v %s", reverse, err, diff)
					}
				}
				return nil
			}
			view(t, e, check)
			update(t, e, check)
		})
	}
	t.Run("broken-off", func(t *testing.T) {
		view(t, e, func(tx store.EngineTx) error {
			n := 0
			for range tx.Scan(nil, nil, false) {
				if n++; n == 2 {
					break
				}
			}
			if n != 2 {
				t.Errorf("%d entries", n)
			}
			return nil
		})
	})
}

// A scan continues after the last key it yielded, whatever is written during it.
func testScanWhileWriting(t *testing.T, e store.Engine) {
	update(t, e, put("b", "1", "d", "1", "f", "1", "h", "1"))
	tests := []struct {
		name    string
		reverse bool
		write   func(tx store.EngineTx, at string) error
		want    []string
	}{
		{"delete-current", false, func(tx store.EngineTx, at string) error { return tx.Delete([]byte(at)) }, []string{"b", "d", "f", "h"}},
		{"delete-current-reverse", true, func(tx store.EngineTx, at string) error { return tx.Delete([]byte(at)) }, []string{"h", "f", "d", "b"}},
		{"delete-next", false, func(tx store.EngineTx, at string) error { return tx.Delete([]byte{at[0] + 2}) }, []string{"b", "f"}},
		{"delete-next-reverse", true, func(tx store.EngineTx, at string) error { return tx.Delete([]byte{at[0] - 2}) }, []string{"h", "d"}},
		{"insert-ahead", false, func(tx store.EngineTx, at string) error {
			if len(at) == 1 {
				return put(at+"x", "")(tx)
			}
			return nil
		}, []string{"b", "bx", "d", "dx", "f", "fx", "h", "hx"}},
		{"insert-behind", false, func(tx store.EngineTx, at string) error { return put("a"+at, "")(tx) }, []string{"b", "d", "f", "h"}},
		{"insert-behind-reverse", true, func(tx store.EngineTx, at string) error { return put(at+"x", "")(tx) }, []string{"h", "f", "d", "b"}},
		{"overwrite", false, func(tx store.EngineTx, at string) error { return put("b", "2", "d", "2", "f", "2", "h", "2")(tx) }, []string{"b", "d", "f", "h"}},
		{"delete-all", false, func(tx store.EngineTx, at string) error {
			for _, k := range []string{"b", "d", "f", "h"} {
				if err := tx.Delete([]byte(k)); err != nil {
					return err
				}
			}
			return nil
		}, []string{"b"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := e.Update(t.Context(), func(tx store.EngineTx) error {
				var got []string
				for entry, err := range tx.Scan([]byte("b"), []byte("z"), tt.reverse) {
					if err != nil {
						return err
					}
					got = append(got, string(entry.Key))
					if err := tt.write(tx, string(entry.Key)); err != nil {
						return err
					}
				}
				if diff := cmp.Diff(tt.want, got); diff != "" {
					t.Error(diff)
				}
				return errRefused
			})
			if !errors.Is(err, errRefused) {
				t.Error(err)
			}
		})
	}
}
