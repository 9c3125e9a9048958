package socket

import (
	"fmt"
	"net"
	"strings"
)

// States that Notify reports to systemd.
const (
	Ready    = "READY=1"
	Stopping = "STOPPING=1"
)

// Working is the state of a start that takes long: systemd shows doing, and waits a minute more.
func Working(doing string) string { return "STATUS=" + doing + "\nEXTEND_TIMEOUT_USEC=60000000" }

// Notify tells systemd how the daemon does. Without systemd it does nothing.
func Notify(getenv func(string) string, state string) error {
	path := getenv("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if strings.HasPrefix(path, "@") { // an abstract name
		path = "\x00" + path[1:]
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write([]byte(state)); err != nil {
		return fmt.Errorf("notify systemd: %w", err)
	}
	return nil
}
