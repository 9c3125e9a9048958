package bolt

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/bankctl/bankctl/internal/store"
)

// Nothing is acknowledged into a file that the next start would not find, or that somebody else wrote into.
func TestReplacedFile(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(path string) error{
		"removed":    os.Remove,
		"moved":      func(path string) error { return os.Rename(path, path+".old") },
		"truncated":  func(path string) error { return os.Truncate(path, 0) },
		"cut":        func(path string) error { return os.Truncate(path, 4096) },
		"dir moved":  func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old") },
		"copied":     func(path string) error { return errors.Join(copyFile(path, path+".x"), os.Rename(path+".x", path)) },
		"linked":     func(path string) error { return errors.Join(os.Rename(path, path+".x"), os.Symlink(path+".x", path)) },
		"rolledback": func(path string) error { return copyFile(path+".before", path) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "data", "bankd.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			e := openTest(t, path)
			if err := e.Update(t.Context(), put("before")); err != nil {
				t.Fatal(err)
			}
			if err := copyFile(path, path+".before"); err != nil {
				t.Fatal(err)
			}
			if err := e.Update(t.Context(), put("between")); err != nil {
				t.Fatal(err)
			}
			if err := replace(path); err != nil {
				t.Fatal(err)
			}
			if err := e.Update(t.Context(), put("after")); !errors.Is(err, store.ErrReplaced) {
				t.Errorf("a write after it: %v", err)
			}
			<-e.Poisoned()
			if err := e.Failure(); !errors.Is(err, store.ErrReplaced) {
				t.Errorf("the reason: %v", err)
			}
		})
	}
}

// A write that is under way while the file goes is not acknowledged either.
func TestReplacedDuringCommit(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bankd.db")
	e := openTest(t, path)
	e.failCommit = func() error { return os.Remove(path) }
	if err := e.Update(t.Context(), put("k")); !errors.Is(err, store.ErrOutcomeUnknown) {
		t.Errorf("the write: %v", err)
	}
	<-e.Poisoned()
}

// What Guard adds ends the engine too, and only that.
func TestGuard(t *testing.T) {
	t.Parallel()
	e := openTest(t, filepath.Join(t.TempDir(), "bankd.db"))
	e.Guard(func() error { return errDisk })
	if err := e.Update(t.Context(), put("k")); !errors.Is(err, errDisk) {
		t.Errorf("refused by the guard: %v", err)
	}
	e.Guard(func() error { return nil })
	if err := e.Update(t.Context(), put("k")); err != nil {
		t.Errorf("let through by the guard: %v", err)
	}
	e.Guard(func() error { return store.ErrReplaced })
	if err := e.Check(); !errors.Is(err, store.ErrReplaced) {
		t.Errorf("check: %v", err)
	}
	<-e.Poisoned()
}

// copyFile copies into the file at to, which keeps its inode if it is there.
func copyFile(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, b, 0o600)
}
