package socket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"
)

// dialPatience bounds how long Dial retries while the daemon's queue of connections is full.
const dialPatience = 5 * time.Second

// ErrForeignServer reports that another user's process answers on the socket.
var ErrForeignServer = errors.New("the socket is served by another user")

// Dial connects to the daemon. It retries while the daemon's queue of connections is full, until ctx ends or dialPatience
// has passed.
func Dial(ctx context.Context, path string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialPatience)
	defer cancel()
	var d net.Dialer
	for wait := 2 * time.Millisecond; ; wait = min(2*wait, 100*time.Millisecond) {
		conn, err := d.DialContext(ctx, "unix", path)
		if err == nil {
			return conn, nil
		}
		if !errors.Is(err, syscall.EAGAIN) {
			return nil, fmt.Errorf("connect to bankd: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("connect to bankd: too many callers wait: %w", err)
		case <-time.After(wait):
		}
	}
}

// CheckServer checks that the server's uid is ours or root's. Clients call it before they send a secret, unless their user
// named the socket.
func CheckServer(conn net.Conn) error {
	uid, err := PeerUID(conn)
	if err != nil {
		return fmt.Errorf("check server: %w", err)
	}
	return checkServerUID(uid, os.Geteuid())
}

func checkServerUID(server, own int) error {
	if server != own && server != 0 {
		return fmt.Errorf("%w (uid %d)", ErrForeignServer, server)
	}
	return nil
}

// PeerUID returns the user at the other end, as the kernel knows it.
func PeerUID(conn net.Conn) (int, error) {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return 0, errors.New("read peer: not a socket")
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, fmt.Errorf("read peer: %w", err)
	}
	uid := 0
	var inner error
	if err := raw.Control(func(fd uintptr) { uid, inner = peerUID(int(fd)) }); err != nil {
		return 0, fmt.Errorf("read peer: %w", err)
	}
	if inner != nil {
		return 0, fmt.Errorf("read peer: %w", inner)
	}
	return uid, nil
}
