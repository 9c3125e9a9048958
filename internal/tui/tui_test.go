package tui

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	tea "github.com/charmbracelet/bubbletea"
	"github.com/creack/pty"
	"golang.org/x/term"

	_ "github.com/bankctl/bankctl/internal/aaterm"
)

var three = []Choice{
	{ID: "a", Name: "Plaid Checking", Mask: "0000", Detail: "checking", Chosen: true},
	{ID: "b", Name: "Plaid Saving", Mask: "1111", Detail: "savings"},
	{ID: "c", Name: "Plaid Cash Management", Mask: "9002", Detail: "cash management"},
}

// TestMain makes the test binary the program of the screen that TUI_SCREEN names.
func TestMain(m *testing.M) {
	t := Terminal{In: os.Stdin, Out: os.Stderr}
	switch os.Getenv("TUI_SCREEN") {
	case "pick":
		chosen, primary, err := Pick(context.Background(), t, "Choose accounts", three)
		fmt.Printf("chosen=%s primary=%s err=%v\n", strings.Join(chosen, ","), primary, err)
		os.Exit(0)
	case "wait":
		err := Wait(context.Background(), t, Waiting{Title: "Finish at your bank", URL: "https://secure.plaid.com/hl/abc", Expires: time.Now().Add(time.Hour), Now: time.Now},
			func(ctx context.Context) (bool, string, error) {
				<-ctx.Done()
				return false, "", ctx.Err()
			})
		fmt.Printf("err=%v\n", err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// screen is a program on a pty of its own, whose terminal answers nothing.
type screen struct {
	t      *testing.T
	tty    *os.File
	cmd    *exec.Cmd
	before *term.State
	mu     sync.Mutex
	seen   bytes.Buffer
	done   chan struct{}
}

func open(t *testing.T, name string, rows, cols uint16) *screen {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TUI_SCREEN="+name, "TERM=xterm-256color")
	tty, slave, err := pty.Open()
	if err == nil {
		err = pty.Setsize(tty, &pty.Winsize{Rows: rows, Cols: cols})
	}
	if err != nil {
		t.Fatal(err)
	}
	// The modes are noted before the program can change them.
	before, err := term.GetState(int(slave.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = slave, slave, slave
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	slave.Close()
	s := &screen{t: t, tty: tty, cmd: cmd, before: before, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		b := make([]byte, 4096)
		for {
			n, err := tty.Read(b)
			s.mu.Lock()
			s.seen.Write(b[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = cmd.Process.Kill(); tty.Close() })
	return s
}

func (s *screen) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.String()
}

// until waits for something to be drawn after what was seen so far, and forgets that.
func (s *screen) until(want string) {
	s.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if strings.Contains(s.text(), want) {
			return
		}
		select {
		case <-s.done:
		case <-time.After(5 * time.Millisecond):
		}
	}
	s.t.Fatalf("%q is not drawn; seen: %q", want, s.text())
}

func (s *screen) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.Reset()
}

func (s *screen) press(keys ...string) {
	s.t.Helper()
	for _, k := range keys {
		if _, err := io.WriteString(s.tty, k); err != nil {
			s.t.Fatal(err)
		}
	}
}

// end waits for the program and checks that the terminal is as it was.
func (s *screen) end(want string) {
	s.t.Helper()
	s.until(want)
	_ = s.cmd.Wait()
	text := s.text()
	for on, off := range map[string]string{"\x1b[?25l": "\x1b[?25h", "\x1b[?1049h": "\x1b[?1049l", "\x1b[?2004h": "\x1b[?2004l"} {
		if strings.LastIndex(text, on) > strings.LastIndex(text, off) {
			s.t.Errorf("%q is not taken back", on)
		}
	}
	after, err := term.GetState(int(s.tty.Fd()))
	if err != nil {
		s.t.Fatal(err)
	}
	if fmt.Sprint(*s.before) != fmt.Sprint(*after) {
		s.t.Error("the terminal's modes are not restored")
	}
}

func TestPickInATerminal(t *testing.T) {
	t.Parallel()
	s := open(t, "pick", 24, 80)
	s.until("1 of 3 chosen")
	s.press("/", "s", "a", "v") // filter as you type: Saving alone
	s.until("/ sav")
	s.forget()
	s.press("\r", " ") // keep the filter, choose what is left
	s.until("2 of 3 chosen")
	s.forget()
	if err := pty.Setsize(s.tty, &pty.Winsize{Rows: 20, Cols: 60}); err != nil {
		t.Fatal(err)
	}
	s.press("\x1b") // the filter goes
	s.until("Cash Management")
	for _, line := range strings.Split(s.text(), "\r\n") {
		if n := len([]rune(stripANSI(line))); n > 60 {
			t.Errorf("a line of %d cells on a screen of 60: %q", n, line)
		}
	}
	s.press("\r")
	s.end("chosen=a,b primary= err=<nil>")
}

func TestInterruptLeavesTheTerminalIntact(t *testing.T) {
	t.Parallel()
	for name, ready := range map[string]string{"pick": "of 3 chosen", "wait": "left"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, name, 24, 80)
			s.until(ready)
			s.press("\x03")
			s.end("err=interrupted")
		})
	}
}

func TestWaitingScreen(t *testing.T) {
	t.Parallel()
	s := open(t, "wait", 40, 80)
	s.until("https://secure.plaid.com/hl/abc")
	s.until("waiting for you")
	if !strings.Contains(s.text(), "▀") {
		t.Error("there is no QR code")
	}
	s.press("c")
	s.until("\x1b]52;c;") // the terminal is asked to copy
	s.until("address copied")
	s.press("o")
	s.until("no browser here")
	s.press("q")
	s.until("err=the user left")
}

func stripANSI(s string) string {
	var b strings.Builder
	in := false
	for _, r := range s {
		switch {
		case r == '\x1b':
			in = true
		case in && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'):
			in = false
		case !in && r >= ' ':
			b.WriteRune(r)
		}
	}
	return b.String()
}

// The reducers, without a terminal.
func TestPickModel(t *testing.T) {
	t.Parallel()
	locked := append([]Choice{{ID: "l", Name: "Credit Card", Mask: "3333", Locked: "not a deposit account"}}, three...)
	press := func(m tea.Model, keys ...string) pickModel {
		for _, k := range keys {
			msg := tea.KeyMsg{Type: tea.KeyRunes, Runes: []rune(k)}
			switch k {
			case "enter":
				msg = tea.KeyMsg{Type: tea.KeyEnter}
			case "down":
				msg = tea.KeyMsg{Type: tea.KeyDown}
			case " ":
				msg = tea.KeyMsg{Type: tea.KeySpace, Runes: []rune{' '}}
			}
			m, _ = m.Update(msg)
		}
		return m.(pickModel)
	}
	fresh := func() pickModel { return newPickModel(Terminal{Out: io.Discard}, "t", locked) }
	if m := press(fresh(), " "); m.chosen["l"] || m.note == "" {
		t.Error("a locked account can be chosen")
	}
	if m := press(fresh(), "a"); m.count() != 3 || m.chosen["l"] {
		t.Errorf("all are %d", m.count())
	}
	if m := press(fresh(), "a", "a", "enter"); m.over || m.note == "" {
		t.Error("nothing chosen was saved")
	}
	if m := press(fresh(), "down", "down", "p"); m.primary != "b" || !m.chosen["b"] {
		t.Errorf("primary %q", m.primary)
	}
	if m := press(fresh(), "down", "down", "p", " "); m.primary != "" {
		t.Error("an account that is not chosen stays primary")
	}
	if m := press(fresh(), "q"); !errors.Is(m.err, ErrQuit) {
		t.Error("q does not leave")
	}
	many := make([]Choice, 500)
	for i := range many {
		many[i] = Choice{ID: fmt.Sprint(i), Name: fmt.Sprintf("Account %d", i)}
	}
	m := newPickModel(Terminal{Out: io.Discard}, "t", many)
	last := press(m, "G")
	if !strings.Contains(last.View(), "> [ ] Account 499") || strings.Count(last.View(), "\n") >= 24 {
		t.Error("the end of a long list is not on the screen")
	}
}
