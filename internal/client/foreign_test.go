package client_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/fault"
)

// TestMain has the test binary play two users: an impostor that listens on the socket, and one that runs bankctl.
func TestMain(m *testing.M) {
	path := os.Getenv("PLAY_SOCKET")
	switch os.Getenv("PLAY") {
	case "listener":
		l, err := net.Listen("unix", path)
		if err == nil {
			err = os.Chmod(path, 0o777)
		}
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println("listening")
		conn, err := l.Accept()
		if err != nil {
			os.Exit(1)
		}
		b, _ := io.ReadAll(conn)
		fmt.Printf("heard %d bytes\n", len(b))
	case "client":
		c := client.New(path)
		c.ClientID, c.Secret = "id", "the-secret"
		_, err := c.Raw(context.Background(), "GET", "/api/v1/status", nil, nil)
		fmt.Println(fault.Is(err, fault.Unavailable), err)
	default:
		os.Exit(m.Run())
	}
}

// The client sends nothing to a socket on which another user listens.
func TestNoSecretForAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can play two users")
	}
	dir, err := os.MkdirTemp("", "two")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	bin := filepath.Join(dir, "play")
	b, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(bin, b, 0o755)
	}
	if err == nil {
		err = os.Chmod(dir, 0o777)
	}
	if err != nil {
		t.Fatal(err)
	}
	play := func(what string, uid uint32) *exec.Cmd {
		cmd := exec.Command(bin)
		cmd.Env = append(os.Environ(), "PLAY="+what, "PLAY_SOCKET="+filepath.Join(dir, "s"))
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		return cmd
	}
	listener := play("listener", 65533)
	out, err := listener.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Process.Kill() }()
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "listening" {
		t.Fatalf("listener: %s", lines.Text())
	}
	said, err := play("client", 65534).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(said), "true another user answers") {
		t.Errorf("the client says %s %v", said, err)
	}
	if !lines.Scan() || lines.Text() != "heard 0 bytes" {
		t.Errorf("the listener %s", lines.Text())
	}
}
