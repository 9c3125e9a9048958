package socket_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/socket"
)

// newDir is short, for the length of a socket's path is limited.
func newDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "s")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func listen(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := socket.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

func mode(t *testing.T, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode().Perm()
}

func TestListenMakesPrivateSocketAndDirectory(t *testing.T) {
	path := filepath.Join(newDir(t), "run", "bankd", "b.sock")
	listen(t, path)
	if got := mode(t, path); got != 0o600 {
		t.Errorf("socket has mode %04o", got)
	}
	if got := mode(t, filepath.Dir(path)); got != 0o700 {
		t.Errorf("directory has mode %04o", got)
	}
	f, err := os.OpenFile(filepath.Join(newDir(t), "f"), os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := mode(t, f.Name()); got != 0o644 {
		t.Errorf("the umask was not put back: a new file has mode %04o", got)
	}
}

// leaveStale leaves a socket on which nobody listens, as a killed daemon does.
func leaveStale(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	_ = l.Close()
}

func TestListenReplacesStaleSocketOnly(t *testing.T) {
	dir := newDir(t)
	path := filepath.Join(dir, "b.sock")
	leaveStale(t, path)
	listen(t, path)

	if _, err := socket.Listen(path); !errors.Is(err, socket.ErrInUse) {
		t.Errorf("a live socket: %v", err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("keep"), 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{file, link} {
		if _, err := socket.Listen(p); err == nil {
			t.Errorf("listened over %s", filepath.Base(p))
		}
		if _, err := os.Lstat(p); err != nil {
			t.Errorf("%s was removed", filepath.Base(p))
		}
	}
}

func TestListenRefusesUnsafePlaces(t *testing.T) {
	dir := newDir(t)
	open := filepath.Join(dir, "open")
	private := filepath.Join(dir, "private")
	for path, perm := range map[string]os.FileMode{open: 0o755, private: 0o700} {
		if err := os.Mkdir(path, perm); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, perm); err != nil {
			t.Fatal(err)
		}
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(private, link); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, path, want string }{
		{"open-directory", filepath.Join(open, "b.sock"), "chmod 700"},
		{"linked-directory", filepath.Join(link, "b.sock"), "symbolic link"},
		{"file-as-directory", filepath.Join(file, "b.sock"), "not a directory"},
		{"long-path", filepath.Join(private, strings.Repeat("x", 120)), "shorter"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, err := socket.Listen(tt.path)
			if err == nil {
				_ = l.Close()
				t.Fatal("listened")
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error does not say %q: %v", tt.want, err)
			}
		})
	}
}

func TestListenRefusesForeignDirectory(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make another user's directory")
	}
	dir := newDir(t)
	if err := os.Chown(dir, 65534, 65534); err != nil {
		t.Fatal(err)
	}
	if _, err := socket.Listen(filepath.Join(dir, "b.sock")); err == nil || !strings.Contains(err.Error(), "another user") {
		t.Errorf("another user's directory: %v", err)
	}
}

// Of many that race for one stale socket exactly one gets it, every time.
func TestListenRace(t *testing.T) {
	for range 50 {
		path := filepath.Join(newDir(t), "b.sock")
		leaveStale(t, path)
		var won atomic.Int32
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				l, err := socket.Listen(path)
				if err == nil {
					won.Add(1)
					t.Cleanup(func() { _ = l.Close() })
				} else if !errors.Is(err, socket.ErrInUse) {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 {
			t.Fatalf("%d listeners on one path", won.Load())
		}
	}
}

func TestDialAndPeer(t *testing.T) {
	path := filepath.Join(newDir(t), "b.sock")
	l := listen(t, path)
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	conn, err := socket.Dial(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	server := <-accepted
	defer server.Close()
	if err := socket.CheckServer(conn); err != nil {
		t.Error(err)
	}
	if uid, err := socket.PeerUID(server); uid != os.Geteuid() || err != nil {
		t.Errorf("peer uid %d, %v", uid, err)
	}
}

func TestPeerUIDRefusesOtherConnections(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if _, err := socket.PeerUID(a); err == nil {
		t.Error("a pipe has a peer")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := socket.PeerUID(conn); err == nil {
		t.Error("a TCP connection has a peer uid")
	}
}

func TestDialAbsentDaemon(t *testing.T) {
	_, err := socket.Dial(t.Context(), filepath.Join(newDir(t), "none.sock"))
	if !errors.Is(err, syscall.ENOENT) {
		t.Error(err)
	}
}

// A full queue of connections makes the kernel say EAGAIN: Dial goes on until
// there is room.
func TestDialWaitsForRoom(t *testing.T) {
	path := filepath.Join(newDir(t), "b.sock")
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(fd)
	if err := syscall.Bind(fd, &syscall.SockaddrUnix{Name: path}); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Listen(fd, 1); err != nil {
		t.Fatal(err)
	}
	for { // fill the queue
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		conn, err := socket.Dial(ctx, path)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) { // a busy machine did not come to try it
			continue
		}
		if err != nil {
			if !errors.Is(err, syscall.EAGAIN) {
				t.Fatalf("with a full queue: %v", err)
			}
			break
		}
		defer conn.Close()
	}
	connected := make(chan error, 1)
	go func() {
		conn, err := socket.Dial(t.Context(), path)
		if err == nil {
			_ = conn.Close()
		}
		connected <- err
	}()
	taken, _, err := syscall.Accept(fd)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(taken)
	if err := <-connected; err != nil {
		t.Errorf("when there was room again: %v", err)
	}
}

func TestLock(t *testing.T) {
	dir := filepath.Join(newDir(t), "data")
	lock, err := socket.AcquireLock(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := mode(t, dir); got != 0o700 {
		t.Errorf("data directory has mode %04o", got)
	}
	_, err = socket.AcquireLock(dir)
	if !errors.Is(err, socket.ErrLocked) || !strings.Contains(err.Error(), "pid") || !strings.Contains(err.Error(), "--data-dir") {
		t.Errorf("second lock: %v", err)
	}
	if err := lock.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := socket.AcquireLock(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	_ = again.Release()
}

func TestNotify(t *testing.T) {
	path := filepath.Join(newDir(t), "n")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	env := func(string) string { return path }
	if err := socket.Notify(env, socket.Ready); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 32)
	n, err := l.Read(buf)
	if string(buf[:n]) != "READY=1" || err != nil {
		t.Errorf("%q %v", buf[:n], err)
	}
	if err := socket.Notify(func(string) string { return "" }, socket.Ready); err != nil {
		t.Errorf("without systemd: %v", err)
	}
}

func TestDefaultPaths(t *testing.T) {
	tests := []struct {
		name         string
		env          map[string]string
		socket, data string
	}{
		{"systemd", map[string]string{"RUNTIME_DIRECTORY": "/run/bankd:/run/x", "STATE_DIRECTORY": "/var/lib/bankd", "XDG_RUNTIME_DIR": "/run/user/1", "HOME": "/h"}, "/run/bankd/bankd.sock", "/var/lib/bankd/sandbox"},
		{"xdg", map[string]string{"XDG_RUNTIME_DIR": "/run/user/1", "XDG_STATE_HOME": "/s", "HOME": "/h"}, "/run/user/1/bankd/bankd.sock", "/s/bankd/sandbox"},
		{"home", map[string]string{"HOME": "/h"}, "/h/.local/state/bankd/sandbox/bankd.sock", "/h/.local/state/bankd/sandbox"},
		{"relative-is-ignored", map[string]string{"XDG_RUNTIME_DIR": "x", "XDG_STATE_HOME": "y", "HOME": "/h"}, "/h/.local/state/bankd/sandbox/bankd.sock", "/h/.local/state/bankd/sandbox"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			getenv := func(k string) string { return tt.env[k] }
			data := socket.DefaultDataDir(getenv, "sandbox")
			if data != tt.data {
				t.Errorf("data directory %s", data)
			}
			if got := socket.DefaultPath(getenv, data); got != tt.socket {
				t.Errorf("socket %s", got)
			}
		})
	}
}

// Another user cannot even reach the socket.
func TestOtherUserIsKeptOut(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to act as another user")
	}
	dir := newDir(t)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "p", "b.sock")
	listen(t, path)
	exe := filepath.Join(dir, "test")
	if err := copyFile(os.Args[0], exe); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe, "-test.run=^TestDialAsOther$")
	cmd.Env = []string{"BANKD_TEST_DIAL=" + path}
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "permission denied") {
		t.Errorf("another user's dial: %v\n%s", err, out)
	}
}

// TestDialAsOther is the other user's process.
func TestDialAsOther(t *testing.T) {
	path := os.Getenv("BANKD_TEST_DIAL")
	if path == "" {
		t.Skip("runs as a child of TestOtherUserIsKeptOut")
	}
	_, err := socket.Dial(t.Context(), path)
	_, _ = os.Stdout.WriteString(err.Error() + "\n")
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o755)
}
