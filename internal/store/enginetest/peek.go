package enginetest

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/store"
)

// Peek and PeekRange return the same as Get and Scan, over pages of values of every size.
func testPeek(t *testing.T, e store.Engine) {
	update(t, e, put("a", "", "b", "small", "c/1", strings.Repeat("x", 100_000), "c/2", "y", "d", strings.Repeat("z", 5000)))
	check := func(tx store.EngineTx) error {
		for _, bounds := range [][2]string{{"", ""}, {"b", "d"}, {"c", ""}, {"bb", "c/2"}, {"x", ""}, {"c", "b"}} {
			var to []byte
			if bounds[1] != "" {
				to = []byte(bounds[1])
			}
			want, err := pairs(tx, []byte(bounds[0]), to, false)
			if err != nil {
				return err
			}
			got := []string{}
			for e, err := range tx.PeekRange([]byte(bounds[0]), to) {
				if err != nil {
					return err
				}
				got = append(got, string(e.Key)+"="+string(e.Value))
				if v, err := tx.Peek(e.Key); err != nil || string(v) != string(e.Value) {
					t.Errorf("%s looks different alone: %v", e.Key, err)
				}
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%q: %s", bounds, d)
			}
		}
		if _, err := tx.Peek([]byte("nothing")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("a missing key: %v", err)
		}
		if _, err := tx.Peek(nil); !errors.Is(err, store.ErrEmptyKey) {
			t.Errorf("an empty key: %v", err)
		}
		n := 0
		for range tx.PeekRange(nil, nil) {
			if n++; n == 2 {
				break
			}
		}
		if n != 2 {
			t.Errorf("broken off after %d", n)
		}
		return nil
	}
	view(t, e, check)
	update(t, e, check)
	var over store.EngineTx
	view(t, e, func(tx store.EngineTx) error { over = tx; return nil })
	if _, err := over.Peek([]byte("a")); !errors.Is(err, store.ErrTxDone) {
		t.Errorf("after the end: %v", err)
	}
	for _, err := range over.PeekRange(nil, nil) {
		if !errors.Is(err, store.ErrTxDone) {
			t.Errorf("after the end: %v", err)
		}
	}
}
