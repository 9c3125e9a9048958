package internal_test

import (
	"bufio"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

var update = flag.Bool("update", false, "write the README's transcripts anew from what the programs say")

// fences of the README whose commands a test runs: ```console
var transcript = regexp.MustCompile("(?s)```console\n(.*?)```")

// Every ```console block of the README matches the answers of the programs in a fresh HOME with a running bankd.
func TestREADMETranscripts(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := transcript.FindAllStringSubmatchIndex(string(text), -1)
	if len(blocks) == 0 {
		t.Fatal("the README has no transcript")
	}
	sh := newShell(t)
	var out strings.Builder
	at := 0
	for _, b := range blocks {
		printed := string(text[b[2]:b[3]])
		got := sh.replay(t, printed)
		if plain(got) != plain(printed) && !*update {
			t.Errorf("the README says\n%s\nand the programs say\n%s", plain(printed), plain(got))
		}
		out.Write(text[at:b[2]])
		out.WriteString(got)
		at = b[3]
	}
	out.Write(text[at:])
	if *update {
		if err := os.WriteFile("../README.md", []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// differs lists the texts that change from run to run, each with the sign that stands for it.
var differs = []struct{ what, sign string }{
	{`[0-9a-f]{64}`, "HASH"}, {`[0-9a-f]{24}`, "ID"}, {`bankd_test_cli_\w{32}`, "CLIENT"},
	{`\d{4}-\d\d-\d\dT[0-9:.]+Z`, "TIME"}, {`127\.0\.0\.1:\d+`, "ADDR"}, {`(just now|\d+ ?(s|seconds?) ago)`, "AGO"},
	{`/\S*/home\d+`, "~"}, {`hl/\w+`, "hl/PAGE"}, {`[ \t]+\n`, "\n"},
	{`records +\d+`, "records N"}, // syncs in the background are audited whenever they happen
}

func plain(s string) string {
	for _, d := range differs {
		s = regexp.MustCompile(d.what).ReplaceAllString(s, d.sign)
	}
	return strings.TrimSpace(s)
}

// shell is a fresh HOME with both programs on its PATH and bankd running.
type shell struct {
	home string
	env  []string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	home, err := os.MkdirTemp("", "home")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	bin := filepath.Join(home, "bin")
	for _, name := range []string{"bankd", "bankctl"} {
		cmd := exec.Command("go", "build", "-ldflags", "-w", "-o", filepath.Join(bin, name), "../cmd/"+name)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	s := &shell{home: home, env: []string{"HOME=" + home, "PATH=" + bin + ":/usr/bin:/bin", "TERM=dumb", "NO_COLOR=1", "LANG=C.UTF-8"}}
	daemon := exec.Command(filepath.Join(bin, "bankd"))
	daemon.Env = s.env
	stdout, err := daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = daemon.Process.Signal(os.Interrupt)
		_ = daemon.Wait()
	})
	ready := make(chan bool, 1)
	go func() {
		s := bufio.NewScanner(stdout)
		ready <- s.Scan()
		for s.Scan() {
		}
	}()
	select {
	case ok := <-ready:
		if !ok {
			t.Fatal("bankd does not start")
		}
	case <-time.After(time.Minute):
		t.Fatal("bankd is not ready")
	}
	return s
}

// replay runs each "$ command" of a block and puts its answer, both streams, below it.
func (s *shell) replay(t *testing.T, block string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(block) {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		out.WriteString(line)
		cmd := exec.Command("sh", "-c", command)
		cmd.Dir, cmd.Env = s.home, s.env
		tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 40, Cols: 130}) // a reader has a terminal
		if err != nil {
			t.Fatal(err)
		}
		said, _ := io.ReadAll(tty) // a pty ends with EIO
		tty.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("$ %s%v\n%s", command, err, said)
		}
		out.WriteString(strings.NewReplacer(s.home, "~", "\r\n", "\n").Replace(string(said)))
	}
	return out.String()
}
