package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/store"
)

var errRefused = errors.New("refused")

func testGetPutDelete(t *testing.T, e store.Engine) {
	update(t, e, put("a", "1", "b", "2"))
	update(t, e, func(tx store.EngineTx) error {
		if err := put("a", "3")(tx); err != nil {
			return err
		}
		if v, err := tx.Get([]byte("a")); string(v) != "3" || err != nil {
			t.Errorf("own write: %q %v", v, err)
		}
		if err := tx.Delete([]byte("b")); err != nil {
			return err
		}
		if _, err := tx.Get([]byte("b")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("own delete: %v", err)
		}
		return tx.Delete([]byte("absent"))
	})
	if diff := cmp.Diff([]string{"a=3"}, all(t, e)); diff != "" {
		t.Error(diff)
	}
}

func testEmptyValue(t *testing.T, e store.Engine) {
	check := func(tx store.EngineTx) error {
		for _, key := range []string{"empty", "nil"} {
			if v, err := tx.Get([]byte(key)); len(v) != 0 || err != nil {
				t.Errorf("%s: %q %v", key, v, err)
			}
		}
		return nil
	}
	update(t, e, func(tx store.EngineTx) error {
		if err := tx.Put([]byte("empty"), []byte{}); err != nil {
			return err
		}
		if err := tx.Put([]byte("nil"), nil); err != nil {
			return err
		}
		return check(tx)
	})
	view(t, e, check)
	if diff := cmp.Diff([]string{"empty=", "nil="}, all(t, e)); diff != "" {
		t.Error(diff)
	}
}

// mess writes, overwrites and deletes keys, for a transaction that will be undone.
func mess(tx store.EngineTx) error {
	return errors.Join(put("a", "x", "new", "y", "a", "z", "new", "w")(tx), tx.Delete([]byte("b")), tx.Delete([]byte("new")), put("b", "q")(tx))
}

func testRollback(t *testing.T, e store.Engine) {
	update(t, e, put("a", "1", "b", "2"))
	err := e.Update(t.Context(), func(tx store.EngineTx) error { return errors.Join(mess(tx), errRefused) })
	if !errors.Is(err, errRefused) {
		t.Errorf("error of the function: %v", err)
	}
	if diff := cmp.Diff([]string{"a=1", "b=2"}, all(t, e)); diff != "" {
		t.Error(diff)
	}
}

func testPanic(t *testing.T, e store.Engine) {
	update(t, e, put("a", "1", "b", "2"))
	err := e.Update(t.Context(), func(tx store.EngineTx) error {
		_ = mess(tx)
		panic("canary")
	})
	var p *store.PanicError
	if !errors.As(err, &p) || p.Value != "canary" || len(p.Stack) == 0 {
		t.Errorf("panic is not reported: %v", err)
	}
	if err != nil && bytes.Contains([]byte(err.Error()), []byte("canary")) {
		t.Error("the error's text shows what was passed to panic")
	}
	update(t, e, put("c", "3"))
	if diff := cmp.Diff([]string{"a=1", "b=2", "c=3"}, all(t, e)); diff != "" {
		t.Error(diff)
	}
}

func testGoexit(t *testing.T, e store.Engine) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		_ = e.Update(context.Background(), func(tx store.EngineTx) error {
			_ = mess(tx)
			runtime.Goexit()
			return nil
		})
	}()
	<-over
	update(t, e, put("c", "3"))
	if diff := cmp.Diff([]string{"c=3"}, all(t, e)); diff != "" {
		t.Error(diff)
	}
}

func testCopies(t *testing.T, e store.Engine) {
	key, value := []byte("key"), []byte("value")
	update(t, e, func(tx store.EngineTx) error {
		k, v := bytes.Clone(key), bytes.Clone(value)
		err := tx.Put(k, v)
		clear(k)
		clear(v)
		return err
	})
	var got []byte
	var entry store.Entry
	read := func(tx store.EngineTx) (err error) {
		if got, err = tx.Get(key); err != nil {
			return err
		}
		for found, err := range tx.Scan(nil, nil, false) {
			entry = found
			return err
		}
		return nil
	}
	view(t, e, read)
	update(t, e, put("key", "other"))
	if string(got) != "value" || string(entry.Key) != "key" || string(entry.Value) != "value" {
		t.Errorf("what was read changed afterwards: %q %q %q", got, entry.Key, entry.Value)
	}
	clear(got)
	clear(entry.Key)
	clear(entry.Value)
	if diff := cmp.Diff([]string{"key=other"}, all(t, e)); diff != "" {
		t.Error(diff)
	}
}

func testLimits(t *testing.T, e store.Engine) {
	limits := e.Limits()
	if limits.MaxKey < 512 || limits.MaxValue < 1<<20 {
		t.Fatalf("limits too narrow: %+v", limits)
	}
	long := bytes.Repeat([]byte("k"), limits.MaxKey)
	large := make([]byte, limits.MaxValue+1)
	update(t, e, func(tx store.EngineTx) error {
		checks := []struct {
			name string
			got  error
			want error
		}{
			{"longest key", tx.Put(long, []byte("v")), nil},
			{"longer key", tx.Put(append(bytes.Clone(long), 'k'), nil), store.ErrTooLarge},
			{"large value", tx.Put([]byte("k"), large), store.ErrTooLarge},
			{"empty key", tx.Put(nil, nil), store.ErrEmptyKey},
			{"delete of empty key", tx.Delete(nil), store.ErrEmptyKey},
		}
		for _, c := range checks {
			if !errors.Is(c.got, c.want) {
				t.Errorf("%s: %v", c.name, c.got)
			}
		}
		return nil
	})
	if got := all(t, e); len(got) != 1 {
		t.Errorf("%d entries after refused writes", len(got))
	}
	update(t, e, func(tx store.EngineTx) error { return tx.Put([]byte("mb"), large[:1<<20]) })
}

func testReadOnly(t *testing.T, e store.Engine) {
	view(t, e, func(tx store.EngineTx) error {
		if err := tx.Put([]byte("a"), nil); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("put: %v", err)
		}
		if err := tx.Delete([]byte("a")); !errors.Is(err, store.ErrReadOnly) {
			t.Errorf("delete: %v", err)
		}
		return nil
	})
	if err := e.View(t.Context(), func(store.EngineTx) error { return errRefused }); !errors.Is(err, errRefused) {
		t.Errorf("error of the function: %v", err)
	}
}

func testTxOver(t *testing.T, e store.Engine) {
	update(t, e, put("a", "1"))
	use := func(tx store.EngineTx) error {
		var errs []error
		_, err := tx.Get([]byte("a"))
		errs = append(errs, err, tx.Put([]byte("b"), nil), tx.Delete([]byte("a")))
		_, err = pairs(tx, nil, nil, false)
		for i, err := range append(errs, err) {
			if !errors.Is(err, store.ErrTxDone) {
				return fmt.Errorf("use %d of a transaction that is over: %w", i, err)
			}
		}
		return nil
	}
	var kept store.EngineTx
	keep := func(tx store.EngineTx) error { kept = tx; return nil }
	view(t, e, keep)
	if err := use(kept); err != nil {
		t.Error(err)
	}
	update(t, e, keep)
	if err := use(kept); err != nil {
		t.Error(err)
	}
}

func testContext(t *testing.T, e store.Engine) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	never := func(store.EngineTx) error { t.Error("ran under a context that was over"); return nil }
	if err := e.Update(ctx, never); !errors.Is(err, context.Canceled) {
		t.Errorf("update: %v", err)
	}
	if err := e.View(ctx, never); !errors.Is(err, context.Canceled) {
		t.Errorf("view: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	err := e.Update(ctx, func(tx store.EngineTx) error {
		defer cancel()
		return put("a", "1")(tx)
	})
	if err != nil {
		t.Errorf("a context that ends after the start: %v", err)
	}
	if diff := cmp.Diff([]string{"a=1"}, all(t, e)); diff != "" {
		t.Error(diff)
	}
}

func testClose(t *testing.T, e store.Engine) {
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	never := func(store.EngineTx) error { t.Error("ran on a closed engine"); return nil }
	if err := e.Update(t.Context(), never); !errors.Is(err, store.ErrClosed) {
		t.Errorf("update: %v", err)
	}
	if err := e.View(t.Context(), never); !errors.Is(err, store.ErrClosed) {
		t.Errorf("view: %v", err)
	}
}
