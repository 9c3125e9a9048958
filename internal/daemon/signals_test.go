package daemon_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
)

// quickly is the longest that a stop may take that waits for nothing but peers who do nothing.
const quickly = 6 * time.Second

// SIGTERM ends bankd with 0 and quickly, whatever hangs about: half a header, half a body, a reply that nobody reads, a
// long poll, idle connections. A call that is worked on is finished.
func TestSIGTERMDrains(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hooks := free.Addr().String()
	free.Close()
	p := h.start("--webhook-listen", hooks, "--log-level", "info")
	c := h.client()
	link, err := c.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e", HostedLink: true})
	if err != nil {
		t.Fatal(err)
	}
	head := fmt.Sprintf("Host: bankd\r\nX-Client-ID: %s\r\nX-Client-Secret: %s\r\n", c.ClientID, c.Secret)
	send := func(text string) net.Conn {
		conn, err := net.Dial("unix", h.socket())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		if _, err := io.WriteString(conn, text); err != nil {
			t.Fatal(err)
		}
		return conn
	}
	// answered reads the first bytes of a reply, so that the connection is known to be in its next state.
	answered := func(conn net.Conn) {
		if _, err := io.ReadFull(conn, make([]byte, 12)); err != nil {
			t.Fatal(err)
		}
	}
	send("")
	send("GET /api/v1/sta")
	send("POST /api/v1/bank-accounts HTTP/1.1\r\n" + head + "Content-Length: 100\r\n\r\n{\"user_id\"")
	idle := send("GET /healthz HTTP/1.1\r\nHost: bankd\r\n\r\n")
	answered(idle)
	again := send("GET /healthz HTTP/1.1\r\nHost: bankd\r\n\r\nGET /healthz HT")
	answered(again)
	slow := send(strings.Repeat("GET /openapi.json HTTP/1.1\r\nHost: bankd\r\n\r\n", 40)) // far more than a socket holds
	answered(slow)
	polled := make(chan error, 1)
	go func() {
		_, err := c.GetSession(t.Context(), link.SessionID, 25*time.Second)
		polled <- err
	}()
	// A later call has been answered, so the earlier ones are most likely with their handlers.
	if _, err := c.GetStatus(t.Context()); err != nil {
		t.Fatal(err)
	}
	hook, err := net.Dial("tcp", hooks)
	if err != nil {
		t.Fatal(err)
	}
	defer hook.Close()
	if _, err := io.WriteString(hook, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Fatal("it hangs")
	}
	if took := time.Since(began); took > quickly {
		t.Errorf("the stop took %s", took)
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("SIGTERM ends with %d: %s", code, p.said)
	}
	<-polled
}

// SIGTERM before bankd is ready is a clean end too.
func TestSIGTERMDuringStart(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.start()
	p.stop()
	cmd := exec.Command(h.bin)
	cmd.Env = append(os.Environ(), h.env()...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaitFile(t, filepath.Join(h.data(), "bankd.lock"))
	for range 50 { // at whatever moment it comes
		_ = cmd.Process.Signal(syscall.SIGTERM)
		break
	}
	_ = cmd.Wait()
	if state := cmd.ProcessState; !state.Exited() && state.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM || state.Exited() && state.ExitCode() != 0 {
		t.Errorf("%s", state)
	}
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if _, err := os.Stat(path); err == nil {
			return
		}
	}
	t.Fatalf("there is no %s", filepath.Base(path))
}

// logged collects a process's stderr, for tests that wait for a line.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// await waits until a text was logged count times.
func (l *logged) await(t *testing.T, text string, count int) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if strings.Count(l.String(), text) >= count {
			return
		}
	}
	t.Fatalf("never logged %d times: %s\n%s", count, text, l.String())
}

// SIGHUP takes over what can change, names what cannot, and a bad file changes nothing; bankd goes on in every case.
func TestSIGHUP(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	file := filepath.Join(h.dir, "bankd.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("log_level: info\n")
	log := &logged{}
	p := h.startLogged(log, "--config", file)
	c := h.client()
	users := 0
	products := func() []string {
		users++
		link, err := c.StartLink(t.Context(), connection.LinkParams{UserID: fmt.Sprintf("u%d", users), EmployerID: fmt.Sprintf("e%d", users), HostedLink: true, Exchange: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
		if err != nil {
			t.Fatal(err)
		}
		conn, err := c.GetConnection(t.Context(), s.ConnectionID)
		if err != nil {
			t.Fatal(err)
		}
		return conn.Products
	}
	before := products()

	hup(p)
	log.await(t, `"msg":"the configuration was read anew"`, 1)
	write("log_level: debug\nlink_products: {products: [transactions], required_if_supported_products: [], optional_products: []}\ndata_dir: " + h.dir + "/other\n")
	hup(p)
	log.await(t, `"changed":"log_level link_products"`, 1)
	log.await(t, `"msg":"these settings take effect at the next start alone","changed":"data_dir`, 1)
	if got := products(); len(got) != 1 || got[0] != "transactions" {
		t.Errorf("products before %v, after %v", before, got)
	}
	for i, bad := range []string{"log_level: loud\n", "no_such_key: 1\n", ":\n\t"} {
		write(bad)
		hup(p)
		log.await(t, `"msg":"the configuration was read anew and refused: nothing changed"`, i+1)
	}
	if got := products(); len(got) != 1 || got[0] != "transactions" {
		t.Errorf("a bad file changes the products to %v", got)
	}
	for range 20 {
		hup(p)
	}
	if _, err := c.GetStatus(t.Context()); err != nil {
		t.Error(err)
	}
	p.stop()
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("ends with %d", code)
	}
}

func hup(p *process) { _ = p.cmd.Process.Signal(syscall.SIGHUP) }

// startLogged is start with a log that the test reads meanwhile.
func (h home) startLogged(log io.Writer, args ...string) *process {
	h.t.Helper()
	cmd := exec.Command(h.bin, args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), h.env()...), log
	out, err := cmd.StdoutPipe()
	if err != nil {
		h.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	p := &process{cmd: cmd, done: make(chan struct{})}
	ready := make(chan bool, 1)
	go func() {
		n, _ := out.Read(make([]byte, 1000))
		ready <- n > 0
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait()
		close(p.done)
	}()
	h.t.Cleanup(p.stop)
	if !<-ready {
		h.t.Fatal("it did not start")
	}
	return p
}

// The log's reader goes away, or stands still: calls are answered, and the stop is clean.
func TestLogReaderGone(t *testing.T) {
	t.Parallel()
	for _, gone := range []bool{true, false} {
		t.Run(map[bool]string{true: "gone", false: "stands"}[gone], func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			r, w, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			cmd := exec.Command(h.bin, "--log-level", "debug")
			cmd.Env, cmd.Stderr, cmd.Stdout = append(os.Environ(), h.env()...), w, w
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cmd.Process.Kill() }()
			w.Close()
			awaitFile(t, h.socket())
			anybody := client.New(h.socket())
			defer anybody.Close()
			ready := func() bool { // the socket's file is there before anybody listens
				st, err := anybody.GetStatus(t.Context())
				return err == nil && st.Ready
			}
			if !banktest.Eventually(ready) {
				t.Fatal("it did not start")
			}
			c := h.client()
			if gone {
				r.Close()
			}
			for range 600 { // more lines than a pipe holds
				if _, err := c.GetStatus(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := c.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: "e"}); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Process.Signal(syscall.SIGTERM)
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			select {
			case err := <-ended:
				if err != nil {
					t.Errorf("it ends with %v", err)
				}
			case <-time.After(patience):
				t.Error("it does not end")
			}
		})
	}
}

// The database or the socket is no longer the file at its path: bankd ends by itself, without a call, and says why; no
// write is acknowledged after it.
func TestReplacedFilesEnd(t *testing.T) {
	t.Parallel()
	for name, replace := range map[string]func(h home) error{
		"database_removed": func(h home) error { return os.Remove(h.db()) },
		"database_copied": func(h home) error {
			b, err := os.ReadFile(h.db())
			if err != nil {
				return err
			}
			if err := os.WriteFile(h.db()+".x", b, 0o600); err != nil {
				return err
			}
			return os.Rename(h.db()+".x", h.db())
		},
		"socket_removed": func(h home) error { return os.Remove(h.socket()) },
		"socket_replaced": func(h home) error {
			if err := os.Remove(h.socket()); err != nil {
				return err
			}
			return os.WriteFile(h.socket(), []byte("not yours"), 0o600)
		},
		"directory_moved": func(h home) error { return os.Rename(h.data(), h.data()+".old") },
	} {
		for _, busy := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s_%v", name, busy), func(t *testing.T) {
				t.Parallel()
				h := newHome(t)
				p := h.start()
				c := h.client()
				add := func(c *client.Client) error {
					_, err := c.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: "e"})
					return err
				}
				if err := add(c); err != nil {
					t.Fatal(err)
				}
				if err := replace(h); err != nil {
					t.Fatal(err)
				}
				if busy {
					if err := add(c); err == nil { // over the connection that is open
						t.Error("a write was acknowledged")
					}
				}
				p.exits(t, patience)
				if !strings.Contains(p.said.String(), "replaced or removed while bankd ran") {
					t.Errorf("it says: %s", p.said)
				}
				if name == "socket_replaced" {
					if b, err := os.ReadFile(h.socket()); err != nil || string(b) != "not yours" {
						t.Errorf("somebody else's file at the socket's path: %q %v", b, err)
					}
				}
			})
		}
	}
}

// exits waits until the process has ended by itself, with an error that it explains.
func (p *process) exits(t *testing.T, within time.Duration) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(within):
		t.Errorf("bankd goes on")
		p.stop()
		return
	}
	if code := p.cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(p.said.String(), "bankd: error: ") || !strings.Contains(p.said.String(), `"msg":"bankd ends"`) {
		t.Errorf("bankd ends with %d and says: %s", code, p.said.String())
	}
}
