package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	_ "github.com/bankctl/bankctl/internal/aaterm" // this program is bankctl here
	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
)

// terminal is bankctl on a pseudo-terminal.
type terminal struct {
	t       *testing.T
	cmd     *exec.Cmd
	control *os.File
	before  unix.Termios

	mu     sync.Mutex
	seen   bytes.Buffer
	more   chan struct{} // a token after each read
	closed chan struct{}
}

// patience bounds every wait of a test that fails; a loaded machine comes nowhere near it.
const patience = time.Minute

// onTerminal runs this test's own program under bankctl's name, which TestMain answers to.
func onTerminal(t *testing.T, size *pty.Winsize, env []string, args ...string) *terminal {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return runOnTerminal(t, path, size, env, args...)
}

func runOnTerminal(t *testing.T, path string, size *pty.Winsize, env []string, args ...string) *terminal {
	t.Helper()
	control, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer tty.Close()
	if err := pty.Setsize(control, size); err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, control: control, more: make(chan struct{}, 1), closed: make(chan struct{})}
	x.before = x.termios()
	x.cmd = &exec.Cmd{Path: path, Args: append([]string{"bankctl"}, args...)}
	x.cmd.Env = append([]string{"HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH"), "TERM=xterm-256color"}, env...)
	x.cmd.Stdin, x.cmd.Stdout, x.cmd.Stderr = tty, tty, tty
	x.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true, Ctty: 0} // so that ctrl-c is a signal
	if err := x.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go x.read()
	t.Cleanup(func() {
		_ = x.cmd.Process.Kill() // ended already, unless the test failed
		control.Close()
	})
	return x
}

func (x *terminal) termios() unix.Termios {
	x.t.Helper()
	v, err := unix.IoctlGetTermios(int(x.control.Fd()), unix.TCGETS)
	if err != nil {
		x.t.Fatal(err)
	}
	return *v
}

func (x *terminal) read() {
	defer close(x.closed)
	buf := make([]byte, 4096)
	for {
		n, err := x.control.Read(buf)
		x.mu.Lock()
		x.seen.Write(buf[:n])
		x.mu.Unlock()
		select {
		case x.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen.String()
}

// expect waits until the terminal has shown a text after the place given, and gives the place after it.
func (x *terminal) expect(from int, text string) int {
	x.t.Helper()
	deadline := time.After(patience)
	for {
		all := x.text()
		if i := strings.Index(all[from:], text); i >= 0 {
			return from + i + len(text)
		}
		select {
		case <-x.more:
		case <-deadline:
			x.t.Fatalf("%q was never shown; the terminal has %q", text, all)
		}
	}
}

func (x *terminal) send(keys string) {
	x.t.Helper()
	if _, err := x.control.WriteString(keys); err != nil {
		x.t.Fatal(err)
	}
}

// end waits for the program's end, checks that it left the terminal as it found it, and gives the exit code.
func (x *terminal) end() int {
	x.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- x.cmd.Wait() }()
	select {
	case <-ended:
	case <-time.After(patience):
		x.t.Fatalf("it does not end; the terminal has %q", x.text())
	}
	select {
	case <-x.closed: // all that it wrote has been read
	case <-time.After(patience):
		x.t.Fatalf("its terminal stays open; it has %q", x.text())
	}
	if after := x.termios(); after != x.before {
		x.t.Errorf("the terminal's modes were not put back: %+v, before %+v", after, x.before)
	}
	select {
	case <-x.closed:
	case <-time.After(patience):
		x.t.Fatal("something else keeps the terminal open")
	}
	all := x.text()
	if strings.LastIndex(all, "\x1b[?25l") > strings.LastIndex(all, "\x1b[?25h") {
		x.t.Error("the cursor stays hidden")
	}
	if strings.LastIndex(all, "\x1b[?1049h") > strings.LastIndex(all, "\x1b[?1049l") {
		x.t.Error("the alternate screen was not left")
	}
	return x.cmd.ProcessState.ExitCode()
}

var usual = &pty.Winsize{Rows: 24, Cols: 100}

func credentialsOf(b *banktest.Bank) []string {
	return []string{"BANKD_SOCKET=" + b.Config.Socket, "BANKCTL_CLIENT_ID=" + b.Client.ClientID, "BANKCTL_CLIENT_SECRET=" + b.Client.Secret}
}

// A terminal that never answers is asked nothing: bubbletea, merely linked, would ask it for its colours and wait 5 s.
func TestSilentTerminal(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bankctl")
	if out, err := exec.Command("go", "build", "-ldflags", "-w", "-o", path, "../../cmd/bankctl").CombinedOutput(); err != nil {
		t.Fatalf("build: %v: %s", err, out)
	}
	for _, args := range [][]string{{"version"}, {"--help"}, {"connections", "lst"}} {
		x := runOnTerminal(t, path, usual, []string{"NO_COLOR=1"}, args...)
		x.end()
		if all := x.text(); strings.Contains(all, "\x1b") || all == "" {
			t.Errorf("%v wrote %q", args, all)
		}
	}
}

var hostedURL = regexp.MustCompile(`http://127\.0\.0\.1:\d+/hl/\w+`)

func TestLinkOnTerminal(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	x := onTerminal(t, usual, credentialsOf(b), "link", "--user-id", "u1", "--employer-id", "acme")
	at := x.expect(0, "waiting for you")
	url := hostedURL.FindString(x.text())
	if err := b.Walk(url, connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil {
		t.Fatal(err)
	}
	at = x.expect(at, "Which accounts")
	x.send(" ")
	at = x.expect(at, "1 of 3 chosen")
	if err := pty.Setsize(x.control, &pty.Winsize{Rows: 20, Cols: 60}); err != nil {
		t.Fatal(err)
	}
	x.send("\x1b[B p")
	x.expect(at, "2 of 3 chosen")
	resized := len(x.text())
	if err := pty.Setsize(x.control, usual); err != nil {
		t.Fatal(err)
	}
	at = x.expect(resized, "USD  primary") // 60 columns are too few for it
	x.send("\r")
	x.expect(at, "Linked First Platypus Bank")
	if code := x.end(); code != 0 {
		t.Fatalf("exit code %d: %q", code, x.text())
	}
	all, _, err := b.Client.ListACH(t.Context(), account.ACHQuery{}, page.Request{})
	if err != nil || len(all) != 2 {
		t.Fatalf("%d ACH accounts were made, want 2 (%v)", len(all), err)
	}
	for _, v := range all {
		if v.IsPrimary != (v.AccountLast4 == "1111") {
			t.Errorf("account %s: primary %v", v.AccountLast4, v.IsPrimary)
		}
	}
}

// The same bank again: on a terminal the way out is one key away.
func TestLinkedAlreadyOnTerminal(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	b.Link("acme")
	x := onTerminal(t, usual, credentialsOf(b), "link", "--user-id", "u1", "--employer-id", "acme")
	at := x.expect(0, "waiting for you")
	walk := func(from int) {
		t.Helper()
		all := hostedURL.FindAllString(x.text()[from:], -1)
		if err := b.Walk(all[len(all)-1], connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil {
			t.Fatal(err)
		}
	}
	walk(0)
	at = x.expect(at, "linked already")
	at = x.expect(at, "[y/N]")
	x.send("y\n")
	asked := at
	x.expect(at, "waiting for you")
	walk(asked)
	x.expect(at, "active")
	if code := x.end(); code != 0 {
		t.Fatalf("exit code %d: %q", code, x.text())
	}
}

func TestLeavingOnTerminal(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for _, c := range []struct {
		name, keys string
		code       int
		says       string
	}{{"quit", "q", 12, "link wait"}, {"ctrl_c", "\x03", 130, "interrupted"}} {
		t.Run(c.name, func(t *testing.T) {
			x := onTerminal(t, usual, credentialsOf(b), "link", "--user-id", "u1", "--employer-id", "acme")
			x.expect(0, "waiting for you")
			x.send(c.keys)
			x.expect(0, c.says)
			if code := x.end(); code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
		})
	}
}

const number = "1111222233330000"

func TestHiddenNumber(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	args := []string{"ach", "add", "--employer-id", "acme", "--type", "checking", "--routing-number", "021000021"}
	x := onTerminal(t, usual, credentialsOf(b), args...)
	at := x.expect(0, "Bank: ")
	x.send("Platypus\n")
	at = x.expect(at, "Account number: ")
	x.send(number + "\n")
	at = x.expect(at, "Again: ")
	x.send("1111-2222\n")
	at = x.expect(at, "not the same")
	at = x.expect(at, "Account number: ")
	x.send("1111 2222 3333 0000\n")
	at = x.expect(at, "Again: ")
	x.send(number + "\n")
	x.expect(at, "unverified")
	if code := x.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(x.text(), "3333") {
		t.Error("the number was shown")
	}
}

func TestInterruptedPrompts(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	args := []string{"ach", "add", "--employer-id", "acme", "--type", "checking", "--routing-number", "021000021"}
	for _, c := range []struct {
		name, prompt string
		args         []string
	}{{"line", "Bank: ", args}, {"hidden", "Account number: ", append(args, "--bank-name", "P")}} {
		t.Run(c.name, func(t *testing.T) {
			x := onTerminal(t, usual, credentialsOf(b), c.args...)
			x.expect(0, c.prompt)
			x.send("\x03")
			if code := x.end(); code != 130 {
				t.Errorf("exit code %d, want 130", code)
			}
		})
	}
}

func TestConfirmation(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("acme")
	for _, c := range []struct {
		answer string
		code   int
	}{{"\n", 2}, {"n\n", 2}, {"y\n", 0}} {
		x := onTerminal(t, usual, credentialsOf(b), "connections", "remove", conn.ID)
		x.expect(0, "Remove First Platypus Bank")
		x.send(c.answer)
		if code := x.end(); code != c.code {
			t.Errorf("answer %q: exit code %d, want %d", c.answer, code, c.code)
		}
	}
	x := onTerminal(t, usual, append(credentialsOf(b), "CI=true"), "connections", "remove", conn.ID)
	if code := x.end(); code != 2 || !strings.Contains(x.text(), "--yes") {
		t.Errorf("under CI: exit code %d, %q", code, x.text())
	}
}

// A table fits the terminal, and its ids are whole.
func TestTableFitsTerminal(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("acme")
	for _, cols := range []uint16{60, 80, 200} {
		x := onTerminal(t, &pty.Winsize{Rows: 20, Cols: cols}, append(credentialsOf(b), "NO_COLOR=1"), "accounts", "list")
		if code := x.end(); code != 0 {
			t.Fatalf("exit code %d: %q", code, x.text())
		}
		for line := range strings.Lines(x.text()) {
			if n := len([]rune(strings.TrimRight(line, "\r\n"))); n > int(cols) {
				t.Errorf("a line of %d on %d columns: %q", n, cols, line)
			}
		}
		for _, a := range conn.Accounts {
			if !strings.Contains(x.text(), a.ID) {
				t.Errorf("on %d columns the id %s is not whole", cols, a.ID)
			}
		}
	}
}
