package socket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"
)

// maxPath is the longest path that every system accepts; Linux accepts a few bytes more.
const maxPath = 104

// ErrInUse reports that a daemon already listens on the socket.
var ErrInUse = errors.New("another bankd listens there")

// ErrReplaced reports that the socket is no longer the file at its path, so that no caller finds it.
var ErrReplaced = errors.New("it was replaced or removed while bankd ran")

// Listener listens on a socket and knows which file that is.
type Listener struct {
	*net.UnixListener
	path   string
	file   os.FileInfo
	closed atomic.Bool
}

// Check checks that the socket is still the file at its path.
func (l *Listener) Check() error {
	if l.closed.Load() {
		return nil // it has removed the file itself
	}
	info, err := os.Lstat(l.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
		return nil // it cannot be told, and the callers that are connected go on
	}
	if err != nil || !os.SameFile(info, l.file) {
		return fmt.Errorf("the socket at %s is gone: %w", l.path, ErrReplaced)
	}
	return nil
}

// Close stops listening, and removes the socket unless another one stands at its path by now.
func (l *Listener) Close() error {
	if l.closed.Swap(true) {
		return l.UnixListener.Close()
	}
	if info, err := os.Lstat(l.path); err == nil && os.SameFile(info, l.file) {
		_ = os.Remove(l.path)
	}
	return l.UnixListener.Close()
}

// Listen makes the socket at path, mode 0600. Its directory must be private; Listen makes a missing one. It replaces a
// socket on which nobody listens; any other file there is an error.
func Listen(path string) (*Listener, error) {
	l, err := listen(path)
	if err != nil {
		return nil, fmt.Errorf("listen on socket %s: %w", path, err)
	}
	return l, nil
}

func listen(path string) (*Listener, error) {
	if len(path) > maxPath {
		return nil, fmt.Errorf("the path has %d bytes, at most %d fit: choose a shorter one with --socket", len(path), maxPath)
	}
	dir, err := openPrivateDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close() // and with it the lock
	if err := flock(dir, syscall.LOCK_EX); err != nil {
		return nil, fmt.Errorf("lock its directory: %w", err)
	}
	if err := removeStale(path); err != nil {
		return nil, err
	}
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	// Nobody else reaches it before its mode is set: the directory is ours alone. The umask would be the whole process's.
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	file, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.SetUnlinkOnClose(false)
	return &Listener{UnixListener: l, path: path, file: file}, nil
}

// openPrivateDir opens a directory that belongs to us alone, so that nobody else can replace our socket.
func openPrivateDir(path string) (*os.File, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	dir, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, syscall.ELOOP) || errors.Is(err, syscall.ENOTDIR) {
		return nil, fmt.Errorf("%s is not a directory, or a symbolic link to one: name the directory itself", path)
	}
	if err != nil {
		return nil, err
	}
	if err := checkPrivate(dir, path); err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return dir, nil
}

func checkPrivate(dir *os.File, path string) error {
	info, err := dir.Stat()
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("the directory %s belongs to another user: choose another with --socket", path)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("the directory %s has mode %04o, others can enter it: choose another with --socket, or run `chmod 700 %s`", path, info.Mode().Perm(), path)
	}
	return nil
}

// removeStale removes a socket only if nobody answers on it.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("something that is not a socket stands there: move it away or choose another path with --socket")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", path)
	if err == nil {
		return errors.Join(ErrInUse, conn.Close())
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("%w: it did not refuse a connection: %w", ErrInUse, err)
	}
	return os.Remove(path)
}
