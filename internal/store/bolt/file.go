package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"

	"github.com/bankctl/bankctl/internal/store"
)

// file is the open database file, as it was found at its path.
type file struct {
	path   string
	opened os.FileInfo
	size   atomic.Int64 // as seen last; the file never shrinks
}

// open opens the file for bbolt and notes which one it is.
func (f *file) open(path string, flag int, mode os.FileMode) (*os.File, error) {
	opened, err := os.OpenFile(path, flag, mode)
	if err != nil {
		return nil, err
	}
	if f.opened, err = opened.Stat(); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	f.size.Store(f.opened.Size())
	return opened, nil
}

// check checks that the file is still the one at its path: what is written to any other is lost at the next start.
func (f *file) check() error {
	info, err := os.Lstat(f.path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("the database at %s is gone: %w", f.path, store.ErrReplaced)
	case err != nil:
		return f.refused(err)
	case !os.SameFile(info, f.opened):
		return fmt.Errorf("the database at %s is another file: %w", f.path, store.ErrReplaced)
	case info.Size() < f.size.Load():
		return fmt.Errorf("the database at %s was cut short: %w", f.path, store.ErrReplaced)
	}
	f.size.Store(info.Size())
	return nil
}

// refused names the disk and the cause of a failed commit. bbolt passes some causes on as text alone.
func (f *file) refused(err error) *store.DiskError {
	dir := filepath.Dir(f.path)
	for _, errno := range []syscall.Errno{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EROFS, syscall.EIO} {
		if errors.Is(err, errno) || strings.HasSuffix(err.Error(), errno.Error()) {
			return &store.DiskError{Dir: dir, Err: errno}
		}
	}
	return &store.DiskError{Dir: dir, Err: err}
}
