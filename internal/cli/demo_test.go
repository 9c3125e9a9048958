package cli_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// demoWorld holds the directories of a demo: one for its bankd, one for its files.
type demoWorld struct{ bin, tmp string }

func newDemoWorld(t *testing.T) demoWorld {
	t.Helper()
	dir, err := os.MkdirTemp("", "d") // short, for the socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	w := demoWorld{filepath.Join(dir, "bin"), filepath.Join(dir, "tmp")}
	for _, d := range []string{w.bin, w.tmp} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// demo is this test's own program under bankctl's name.
func (w demoWorld) demo(t *testing.T) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return &exec.Cmd{
		Path: self, Args: []string{"bankctl", "demo"}, Stderr: os.Stderr,
		Env: []string{"HOME=" + w.tmp, "TMPDIR=" + w.tmp, "PATH=" + w.bin + ":/usr/bin:/bin"},
	}
}

func (w demoWorld) checkEmpty(t *testing.T) {
	t.Helper()
	left, err := os.ReadDir(w.tmp)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v %v", left, err)
	}
}

// Interrupted while its daemon starts, the demo ends that daemon and leaves nothing. It runs alone: a program that another
// test starts while the script below is written would hold it open, and then it cannot be run.
func TestInterruptedDemo(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(sig.String(), func(t *testing.T) {
			w := newDemoWorld(t)
			fifo := filepath.Join(w.bin, "started")
			if err := syscall.Mkfifo(fifo, 0o600); err != nil {
				t.Fatal(err)
			}
			script := fmt.Sprintf("#!/bin/sh\necho $$ > %s\nexec sleep 60\n", fifo)
			if err := os.WriteFile(filepath.Join(w.bin, "bankd"), []byte(script), 0o700); err != nil {
				t.Fatal(err)
			}
			cmd := w.demo(t)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(fifo)
			if err != nil {
				t.Fatal(err)
			}
			daemon, err := strconv.Atoi(strings.TrimSpace(string(text)))
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Process.Signal(sig); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // its exit code is looked at below
			if code := cmd.ProcessState.ExitCode(); code != 130 {
				t.Errorf("exit code %d, want 130", code)
			}
			if err := syscall.Kill(daemon, 0); err != syscall.ESRCH {
				t.Errorf("the daemon still lives: %v", err)
			}
			w.checkEmpty(t)
		})
	}
}

// A reader that has seen enough (`| head -1`) does not make it leave a daemon behind.
func TestDemoIntoClosedPipe(t *testing.T) {
	t.Parallel()
	w := newDemoWorld(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(w.bin, "bankd")); err != nil {
		t.Fatal(err)
	}
	cmd := w.demo(t)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	out.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
	w.checkEmpty(t)
}
