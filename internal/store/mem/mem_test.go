package mem_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/enginetest"
	"github.com/bankctl/bankctl/internal/store/mem"
)

func TestEngine(t *testing.T) {
	t.Parallel()
	enginetest.Run(t, func(testing.TB) store.Engine { return mem.Exact() })
}

// A closure that is run again shows its outside effects twice and stores once.
func TestUpdateRunsTwice(t *testing.T) {
	t.Parallel()
	e := mem.New()
	runs := 0
	err := e.Update(t.Context(), func(tx store.EngineTx) error {
		runs++
		if _, err := tx.Get([]byte("a")); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("run %d sees the run before: %v", runs, err)
		}
		return tx.Put([]byte("a"), []byte{byte(runs)})
	})
	if err != nil {
		t.Fatal(err)
	}
	err = e.View(t.Context(), func(tx store.EngineTx) error {
		got, err := tx.Get([]byte("a"))
		if diff := cmp.Diff([]byte{2}, got); diff != "" {
			t.Error(diff)
		}
		return err
	})
	if err != nil || runs != 2 {
		t.Errorf("%d runs, %v", runs, err)
	}
}

// An update runs on states that came before the last writes too, and its last run alone counts.
func TestUpdateRunsOnEarlierStates(t *testing.T) {
	t.Parallel()
	e := mem.New()
	for i := range 10 {
		if err := e.Update(t.Context(), func(tx store.EngineTx) error { return tx.Put([]byte("a"), []byte{byte('0' + i)}) }); err != nil {
			t.Fatal(err)
		}
	}
	saw := ""
	err := e.Update(t.Context(), func(tx store.EngineTx) error {
		got, err := tx.Get([]byte("a"))
		saw += string(got)
		return errors.Join(err, tx.Put([]byte("b"), got))
	})
	if err != nil || saw != "3789" {
		t.Errorf("it ran on %s: %v", saw, err)
	}
}

// The second run sees the writes between the two, and it alone counts.
func TestUpdateRunsAgainOnChangedState(t *testing.T) {
	t.Parallel()
	e := mem.New()
	once := true
	e.Between(func() {
		if once {
			once = false
			if err := e.Update(t.Context(), func(tx store.EngineTx) error { return tx.Put([]byte("a"), []byte("theirs")) }); err != nil {
				t.Error(err)
			}
		}
	})
	var saw []string
	err := e.Update(t.Context(), func(tx store.EngineTx) error {
		got, err := tx.Get([]byte("a"))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		saw = append(saw, string(got))
		return tx.Put([]byte("b"), got)
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"", "theirs"}, saw); diff != "" {
		t.Error(diff)
	}
}
