package enginetest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/store"
)

// A view does not see commits made while it runs.
func testSnapshot(t *testing.T, e store.Engine) {
	update(t, e, put("a", "1"))
	view(t, e, func(tx store.EngineTx) error {
		update(t, e, put("a", "2", "b", "2"))
		got, err := pairs(tx, nil, nil, false)
		if diff := cmp.Diff([]string{"a=1"}, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	if diff := cmp.Diff([]string{"a=2", "b=2"}, all(t, e)); diff != "" {
		t.Error(diff)
	}
}

const writers, rounds = 16, 20

// increment adds one to a counter.
func increment(tx store.EngineTx, key string) error {
	n, err := counter(tx, key)
	if err != nil {
		return err
	}
	return tx.Put([]byte(key), []byte(strconv.Itoa(n+1)))
}

func counter(tx store.EngineTx, key string) (int, error) {
	v, err := tx.Get([]byte(key))
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(v))
}

// Two counters raised in one update are always equal, and no raise is lost.
func testWriters(t *testing.T, e store.Engine) {
	stop := make(chan struct{})
	var readers, group sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := e.View(t.Context(), func(tx store.EngineTx) error {
					a, err := counter(tx, "a")
					b, err2 := counter(tx, "b")
					if a != b {
						t.Errorf("half an update is visible: %d and %d", a, b)
					}
					return errors.Join(err, err2)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range writers {
		group.Go(func() {
			for range rounds {
				err := e.Update(t.Context(), func(tx store.EngineTx) error {
					return errors.Join(increment(tx, "a"), increment(tx, "b"))
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	close(stop)
	readers.Wait()
	view(t, e, func(tx store.EngineTx) error {
		n, err := counter(tx, "a")
		if n != writers*rounds {
			t.Errorf("%d of %d raises are there", n, writers*rounds)
		}
		return err
	})
}

// Members of a group that fail, in whatever way, leave nothing behind and do not disturb the others.
func testFailingMembers(t *testing.T, e store.Engine) {
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for range rounds {
				own := fmt.Sprintf("own-%02d", w)
				err := e.Update(t.Context(), func(tx store.EngineTx) error {
					if err := errors.Join(increment(tx, "sum"), increment(tx, own)); err != nil {
						return err
					}
					switch w % 4 {
					case 1:
						return errors.Join(mess(tx), errRefused)
					case 2:
						_ = mess(tx)
						panic("refused")
					}
					return nil
				})
				var p *store.PanicError
				switch w % 4 {
				case 1:
					if !errors.Is(err, errRefused) {
						t.Errorf("failing member: %v", err)
					}
				case 2:
					if !errors.As(err, &p) {
						t.Errorf("panicking member: %v", err)
					}
				default:
					if err != nil {
						t.Errorf("good member: %v", err)
					}
				}
			}
		})
	}
	group.Wait()
	want := []string{}
	for w := range writers {
		if w%4 != 1 && w%4 != 2 {
			want = append(want, fmt.Sprintf("own-%02d=%d", w, rounds))
		}
	}
	want = append(want, fmt.Sprintf("sum=%d", writers/2*rounds))
	if diff := cmp.Diff(want, all(t, e)); diff != "" {
		t.Error(diff)
	}
}

// An update whose caller gives up before it starts does not run.
func testAbandoned(t *testing.T, e store.Engine) {
	started, proceed := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var group sync.WaitGroup
	group.Go(func() {
		err := e.Update(t.Context(), func(tx store.EngineTx) error {
			once.Do(func() { close(started) })
			<-proceed
			return put("a", "1")(tx)
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	group.Go(func() {
		err := e.Update(ctx, func(tx store.EngineTx) error { return put("b", "1")(tx) })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("abandoned update: %v", err)
		}
	})
	cancel()
	close(proceed)
	group.Wait()
	update(t, e, put("c", "1"))
	if diff := cmp.Diff([]string{"a=1", "c=1"}, all(t, e)); diff != "" {
		t.Error(diff)
	}
}
