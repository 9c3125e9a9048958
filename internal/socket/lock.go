package socket

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// ErrLocked reports that another daemon uses the data directory.
var ErrLocked = errors.New("the data directory is in use")

// Lock keeps a data directory to one daemon for as long as it is held.
type Lock struct{ f *os.File }

// AcquireLock locks a data directory, which it makes private if it is missing.
func AcquireLock(dataDir string) (*Lock, error) {
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	path := filepath.Join(dataDir, "bankd.lock")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	if err := flock(f, syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		defer f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w: %s serves %s; stop it or choose another --data-dir", ErrLocked, holder(f), dataDir)
		}
		return nil, fmt.Errorf("lock data directory: %w", err)
	}
	_ = writePID(f) // for the message above alone: on a full disk bankd starts without, and serves reads
	return &Lock{f}, nil
}

// Release unlocks the directory. It keeps the file: after a removal two daemons could hold locks on two files of one
// name.
func (l *Lock) Release() error { return l.f.Close() }

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func holder(f *os.File) string {
	text, _ := io.ReadAll(io.LimitReader(f, 32))
	if pid, err := strconv.Atoi(strings.TrimSpace(string(text))); err == nil {
		return fmt.Sprintf("bankd with pid %d", pid)
	}
	return "another bankd"
}
