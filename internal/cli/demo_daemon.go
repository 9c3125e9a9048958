package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// demoDaemon is a bankd on a temporary directory.
type demoDaemon struct {
	dir, socket string
	process     *exec.Cmd
	ended       chan struct{}
}

// Limits on bankd's start and end.
const (
	startPatience = 20 * time.Second
	drainPatience = 10 * time.Second
)

// findBankd looks beside this program, then in PATH.
func (a *app) findBankd() (string, error) {
	if self, err := a.Executable(); err == nil {
		if resolved, err := filepath.EvalSymlinks(self); err == nil {
			self = resolved
		}
		beside := filepath.Join(filepath.Dir(self), "bankd")
		if info, err := os.Stat(beside); err == nil && !info.IsDir() {
			return beside, nil
		}
	}
	path, err := exec.LookPath("bankd")
	if err != nil {
		return "", fault.New(fault.Unavailable, "there is no bankd beside bankctl or in PATH").WithHint("`make build` puts both into bin/")
	}
	return path, nil
}

func startDemoDaemon(ctx context.Context, bankd, path string) (*demoDaemon, error) {
	dir, err := makeShortDir()
	if err != nil {
		return nil, err
	}
	d := &demoDaemon{dir: dir, socket: filepath.Join(dir, "run", "bankd.sock"), ended: make(chan struct{})}
	if err := d.start(ctx, bankd, path); err != nil {
		return nil, errors.Join(err, d.remove())
	}
	return d, nil
}

// makeShortDir makes a 0700 directory whose path leaves room for a socket's name: the system allows about 100 bytes.
func makeShortDir() (string, error) {
	base := os.TempDir()
	if len(base) > 60 {
		base = "/tmp"
	}
	dir, err := os.MkdirTemp(base, "bankctl-demo-")
	if err != nil {
		return "", fmt.Errorf("make demo directory: %w", err)
	}
	return dir, nil
}

func (d *demoDaemon) start(ctx context.Context, bankd, path string) error {
	log, err := os.OpenFile(d.logPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("start bankd: %w", err)
	}
	defer log.Close()
	d.process = exec.Command(bankd, "--plaid", "simulated", "--log-format", "text", "--simulator-listen", "127.0.0.1:0",
		"--data-dir", filepath.Join(d.dir, "data"), "--key-file", filepath.Join(d.dir, "keys", "kek"), "--socket", d.socket)
	// bankd gets none of the user's settings, and none of the terminal's signals: after an interrupt the demo ends it.
	d.process.Env = []string{"HOME=" + d.dir, "PATH=" + path, "TMPDIR=" + d.dir}
	d.process.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	d.process.Stderr = log
	out, err := d.process.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start bankd: %w", err)
	}
	if err := d.process.Start(); err != nil {
		d.process = nil
		return fmt.Errorf("start bankd: %w", err)
	}
	first := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(out).ReadString('\n') // at the end of file the line is empty
		first <- line
		_ = d.process.Wait()
		close(d.ended)
	}()
	return d.awaitReady(ctx, first)
}

func (d *demoDaemon) awaitReady(ctx context.Context, first <-chan string) error {
	select {
	case line := <-first:
		if strings.HasPrefix(line, "bankd: ready") {
			return nil
		}
		return fault.New(fault.Unavailable, "bankd did not start").WithHint("%s", d.lastLogLine())
	case <-time.After(startPatience):
		return fault.New(fault.Unavailable, "bankd was not ready in %s", startPatience).WithHint("%s", d.lastLogLine())
	case <-ctx.Done():
		return errInterrupted
	}
}

func (d *demoDaemon) logPath() string    { return filepath.Join(d.dir, "bankd.log") }
func (d *demoDaemon) configHome() string { return filepath.Join(d.dir, "config") }
func (d *demoDaemon) pid() int           { return d.process.Process.Pid }

// lastLogLine gives the last line of the daemon's log.
func (d *demoDaemon) lastLogLine() string {
	b, err := os.ReadFile(d.logPath())
	if err != nil {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	return lines[len(lines)-1]
}

// remove ends the daemon, in order if it can, and deletes its directory.
func (d *demoDaemon) remove() error {
	if d.process != nil {
		_ = d.process.Process.Signal(syscall.SIGTERM) // fails if the process has ended
		select {
		case <-d.ended:
		case <-time.After(drainPatience):
			_ = d.process.Process.Kill()
			<-d.ended
		}
	}
	if err := os.RemoveAll(d.dir); err != nil {
		return fmt.Errorf("remove demo directory: %w", err)
	}
	return nil
}

// release leaves the daemon running when bankctl ends.
func (d *demoDaemon) release() error { return d.process.Process.Release() }
