package bolt

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/bankctl/bankctl/internal/store"
)

var errDisk = errors.New("disk error")

func put(key string) func(store.EngineTx) error {
	return func(tx store.EngineTx) error { return tx.Put([]byte(key), []byte("v")) }
}

// After a failed commit its caller gets ErrOutcomeUnknown, and every later call is refused, reads too.
func TestFailedCommitPoisons(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bankd.db")
	e := openTest(t, path)
	if err := e.Update(t.Context(), put("before")); err != nil {
		t.Fatal(err)
	}
	e.failCommit = func() error { return errDisk }
	select {
	case <-e.Poisoned():
		t.Fatal("poisoned before anything failed")
	default:
	}
	if err := e.Update(t.Context(), put("in-doubt")); !errors.Is(err, store.ErrOutcomeUnknown) {
		t.Errorf("the failed commit's caller: %v", err)
	}
	<-e.Poisoned()
	never := func(store.EngineTx) error { t.Error("ran on a poisoned engine"); return nil }
	if err := e.Update(t.Context(), never); !errors.Is(err, store.ErrPoisoned) {
		t.Errorf("update: %v", err)
	}
	if err := e.View(t.Context(), never); !errors.Is(err, store.ErrPoisoned) {
		t.Errorf("view: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	again := openTest(t, path)
	err := again.View(t.Context(), func(tx store.EngineTx) error {
		_, err := tx.Get([]byte("before"))
		return err
	})
	if err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

// Each member of a group whose commit fails learns that its outcome is unknown or that it was not applied.
func TestFailedGroup(t *testing.T) {
	t.Parallel()
	e := openTest(t, filepath.Join(t.TempDir(), "bankd.db"))
	e.failCommit = func() error { return errDisk }
	var group sync.WaitGroup
	for w := range 16 {
		group.Go(func() {
			err := e.Update(t.Context(), func(tx store.EngineTx) error {
				if w%2 == 1 {
					return errDisk
				}
				return put("k")(tx)
			})
			if err == nil || w%2 == 1 && errors.Is(err, store.ErrOutcomeUnknown) {
				t.Errorf("member %d: %v", w, err)
			}
		})
	}
	group.Wait()
}

// A view that ends while the commit it reads from fails is refused.
func TestViewOfCommitInDoubt(t *testing.T) {
	t.Parallel()
	e := openTest(t, filepath.Join(t.TempDir(), "bankd.db"))
	visible, proceed := make(chan struct{}), make(chan struct{})
	e.failCommit = func() error {
		close(visible)
		<-proceed
		return errDisk
	}
	var group sync.WaitGroup
	group.Go(func() { _ = e.Update(t.Context(), put("in-doubt")) })
	<-visible
	err := e.View(t.Context(), func(tx store.EngineTx) error {
		_, err := tx.Get([]byte("in-doubt"))
		close(proceed)
		return err
	})
	if !errors.Is(err, store.ErrPoisoned) {
		t.Errorf("a write in doubt was shown: %v", err)
	}
	group.Wait()
}

// The file cannot grow: the write is refused and not applied, reads and smaller writes go on, and the same write
// succeeds once there is room.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	if os.Getenv("BANKD_TEST_FULL") == "" {
		out, err := child(t, "TestNoRoom", "BANKD_TEST_FULL="+t.TempDir()).CombinedOutput()
		if err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	path := filepath.Join(os.Getenv("BANKD_TEST_FULL"), "bankd.db")
	e := openTest(t, path)
	var unlimited syscall.Rlimit
	limit := func(to syscall.Rlimit) {
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &to); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &unlimited); err != nil {
		t.Fatal(err)
	}
	limit(syscall.Rlimit{Cur: 2 << 20, Max: unlimited.Max})
	large := func(tx store.EngineTx) error { return tx.Put([]byte("large"), make([]byte, 4<<20)) }
	for range 3 {
		err := e.Update(t.Context(), large)
		refused, ok := errors.AsType[*store.DiskError](err)
		if !ok || !refused.Full() || refused.Dir != filepath.Dir(path) {
			t.Fatalf("update beyond the limit: %v", err)
		}
		if err := e.Update(t.Context(), put("small")); err != nil {
			t.Fatalf("a write that fits: %v", err)
		}
		if err := e.View(t.Context(), func(tx store.EngineTx) error {
			if _, err := tx.Get([]byte("large")); !errors.Is(err, store.ErrNotFound) {
				t.Errorf("the refused write shows: %v", err)
			}
			_, err := tx.Get([]byte("small"))
			return err
		}); err != nil {
			t.Errorf("read: %v", err)
		}
	}
	limit(unlimited)
	if err := e.Update(t.Context(), large); err != nil {
		t.Errorf("with room again: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := openTest(t, path).View(t.Context(), func(tx store.EngineTx) error {
		_, err := tx.Get([]byte("large"))
		return err
	}); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}

func TestOpenRefusesOtherFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	empty, text, link := filepath.Join(dir, "empty"), filepath.Join(dir, "text"), filepath.Join(dir, "link")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(text, []byte("not a database, but long enough to be looked at for one"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "none"), link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{empty, text} {
		if _, err := Open(path); !errors.Is(err, store.ErrDamaged) {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	for _, path := range []string{link, dir} {
		if e, err := Open(path); err == nil {
			_ = e.Close()
			t.Errorf("opened %s", filepath.Base(path))
		}
	}
}

func TestOpenTwice(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bankd.db")
	openTest(t, path)
	if _, err := Open(path); !errors.Is(err, store.ErrInUse) {
		t.Errorf("a file that is open: %v", err)
	}
}

// The next creation replaces the temporary file of a killed one.
func TestOpenAfterKilledCreation(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bankd.db")
	if err := os.WriteFile(path+".new", []byte("half a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := openTest(t, path)
	if err := e.Update(t.Context(), put("k")); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(path + ".new"); err == nil {
		t.Error("the file aside is still there")
	}
}
