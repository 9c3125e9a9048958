package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/tenant"
)

// process is a separate program that has reported that it is ready.
type process struct {
	cmd   *exec.Cmd
	line  string // its ready line
	ready time.Duration
	log   *os.File
}

// start runs a program until its first line on stdout. Its stderr goes to a file, as a service's log does.
func start(log string, program string, args ...string) (*process, error) {
	f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(program, args...), log: f}
	p.cmd.Stderr = f
	p.cmd.Env = []string{"HOME=" + filepath.Dir(log)} // without anyone's own settings
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	r := bufio.NewReader(out)
	p.line, err = r.ReadString('\n')
	p.ready = time.Since(began)
	if err != nil {
		said, _ := os.ReadFile(log)
		return nil, errors.Join(fmt.Errorf("%s did not become ready: %s", filepath.Base(program), said), p.stop())
	}
	go func() { _, _ = io.Copy(io.Discard, r) }()
	return p, nil
}

func (p *process) stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait() // a program told to end may exit with an error
	return p.log.Close()
}

// field returns the value of name=value on the ready line.
func (p *process) field(name string) string {
	for w := range strings.FieldsSeq(p.line) {
		if v, ok := strings.CutPrefix(w, name+"="); ok {
			return v
		}
	}
	return ""
}

// cpu is the process's own CPU time, in steps of 10 ms.
func (p *process) cpu() (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
	user, err1 := strconv.Atoi(fields[11])
	system, err2 := strconv.Atoi(fields[12])
	return time.Duration(user+system) * 10 * time.Millisecond, errors.Join(err1, err2)
}

// settle waits until the process is idle, with its check of all data and its garbage collection done.
func (p *process) settle() error {
	for quiet, before := 0, time.Duration(-1); quiet < 4; time.Sleep(250 * time.Millisecond) {
		now, err := p.cpu()
		if err != nil {
			return err
		}
		if quiet++; now > before+10*time.Millisecond {
			quiet = 0
		}
		before = now
	}
	return nil
}

func (p *process) memory() (float64, error) {
	return rssAnon(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
}

// programs are the binaries, built once from the folder above or given by path.
type programs struct{ dir, bankd string }

func buildPrograms(dir, given string) (programs, error) {
	if given != "" {
		return programs{dir, given}, nil
	}
	p := programs{dir, filepath.Join(dir, "bankd")}
	out, err := exec.Command("go", "-C", "..", "build", "-trimpath", "-ldflags", "-s -w", "-o", p.bankd, "./cmd/bankd").CombinedOutput()
	if err != nil {
		return p, fmt.Errorf("build bankd: %w: %s", err, out)
	}
	return p, nil
}

// simulator starts the simulator as a process, without limits, with all history available at once.
func (p programs) simulator() (*process, error) {
	return start(filepath.Join(p.dir, "simulator.log"), p.bankd, "plaid-sim", "--limits", "off", "--ready", "initial=0s,history=0s")
}

func socketPath(dir string) string { return filepath.Join(dir, "b.sock") }

// daemon starts bankd on a folder's store, with its log in a file. plaid is the simulator's address.
func (p programs) daemon(dir, plaid string) (*process, error) {
	return start(filepath.Join(dir, "log"), p.bankd, "--data-dir", dataDir(dir), "--key-file", keyPath(dir), "--socket", socketPath(dir),
		"--log-format", "json", "--plaid", "simulated", "--plaid-url", plaid)
}

// admin creates a client of a running bankd.
func admin(ctx context.Context, dir string) (*client.Client, error) {
	owner := client.New(socketPath(dir))
	defer owner.Close()
	m, err := owner.AddClient(ctx, tenant.ClientParams{Name: "bench", Role: tenant.Admin, Employers: tenant.Everything, Carriers: tenant.Everything, Companies: tenant.Everything})
	if err != nil {
		return nil, err
	}
	c := client.New(socketPath(dir))
	c.ClientID, c.Secret = m.ID, m.Secret
	return c, nil
}
