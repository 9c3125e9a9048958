package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

const patience = 20 * time.Second // no start and no call takes that long

// world is one bankd on a simulated Plaid, both of this run alone.
type world struct {
	bankdPath, ctlPath string
	dir                string // everything of the run is below it
	sim, bankd         *process
	simAddr            string
	socket             string
	http               *http.Client
	admin              client // made by `bankctl init`
	lie                func(reply) reply

	mu    sync.Mutex
	heard bytes.Buffer // every reply and everything that bankctl printed
	calls int
	ids   int
	// typed are the full numbers and tokens that no reply, log or file may show.
	typed  []string
	cached map[string]any
}

// process is a program of ours that runs beside the checks.
type process struct {
	cmd  *exec.Cmd
	log  *os.File
	done chan error
}

// client is one caller's credentials. The zero client sends none.
type client struct{ ID, Secret string }

func start(bankd, bankctl string) (*world, error) {
	dir, err := os.MkdirTemp("", "acceptance")
	if err != nil {
		return nil, err
	}
	w := &world{dir: dir, cached: map[string]any{}}
	for path, at := range map[string]*string{bankd: &w.bankdPath, bankctl: &w.ctlPath} {
		if *at, err = filepath.Abs(path); err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); err != nil {
			return nil, fmt.Errorf("%w: `make build` builds it", err)
		}
	}
	for _, d := range []string{"home", "run", "cold"} {
		if err := os.Mkdir(w.path(d), 0o700); err != nil {
			return nil, err
		}
	}
	w.socket = w.path("run/bankd/bankd.sock")
	w.http = &http.Client{Timeout: patience, Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", w.socket)
	}}}
	err = errors.Join(w.startSim("127.0.0.1:0"))
	if err == nil {
		err = w.startBankd()
	}
	if err == nil {
		if out, _, code := w.ctl("init", "-o", "json"); code != 0 {
			err = fmt.Errorf("bankctl init: exit %d: %s", code, out)
		}
	}
	if err == nil {
		w.admin, err = w.ctlClient("--name", "auditor", "--role", "admin", "--employers", "*", "--carriers", "*", "--companies", "*", "--act-as-employee")
	}
	if err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

func (w *world) path(below string) string { return filepath.Join(w.dir, below) }

func (w *world) env(home, run string) []string {
	return []string{"HOME=" + w.path(home), "XDG_RUNTIME_DIR=" + w.path(run), "PATH=" + os.Getenv("PATH"), "TERM=dumb"}
}

// spawn starts a program and waits for its first line, which tells that it is ready.
func (w *world) spawn(name string, env []string, args ...string) (*process, string, error) {
	log, err := os.OpenFile(w.path(name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, "", err
	}
	cmd := exec.Command(w.bankdPath, args...)
	cmd.Env, cmd.Stderr, cmd.Dir = env, log, w.dir
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := cmd.Start(); err != nil {
		return nil, "", err
	}
	p := &process{cmd: cmd, log: log, done: make(chan error, 1)}
	ready := make(chan string, 1)
	go func() {
		lines := bufio.NewReader(stdout)
		line, _ := lines.ReadString('\n')
		ready <- line
		_, _ = io.Copy(log, lines)
		p.done <- cmd.Wait()
	}()
	select {
	case line := <-ready:
		if !strings.Contains(line, "ready") {
			text, _ := os.ReadFile(w.path(name + ".log"))
			return nil, "", fmt.Errorf("%s does not become ready: %s%s", name, line, text)
		}
		return p, line, nil
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		return nil, "", fmt.Errorf("%s is not ready after %s", name, patience)
	}
}

func (p *process) end() error {
	if p == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	defer p.log.Close()
	select {
	case err := <-p.done:
		return err
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		return errors.New("did not end on SIGTERM")
	}
}

func (w *world) startSim(addr string) error {
	p, line, err := w.spawn("sim", w.env("home", "run"), "plaid-sim", "--listen", addr, "--state", w.path("sim.state"), "--ready", "initial=0s,history=0s", "--limits", "off")
	if err != nil {
		return err
	}
	_, url, _ := strings.Cut(line, "url=")
	w.sim, w.simAddr = p, strings.TrimPrefix(strings.TrimSpace(url), "http://")
	return nil
}

func (w *world) startBankd() error {
	p, _, err := w.spawn("bankd", w.env("home", "run"), "--plaid-url", "http://"+w.simAddr, "--log-level", "debug")
	w.bankd = p
	return err
}

// restart ends bankd and starts it again on the same files.
func (w *world) restart() error {
	if err := w.bankd.end(); err != nil {
		return err
	}
	return w.startBankd()
}

// outage runs f while Plaid does not answer.
func (w *world) outage(f func()) error {
	if err := w.sim.end(); err != nil {
		return err
	}
	func() {
		defer func() {
			if e := recover(); e != nil {
				_ = w.startSim(w.simAddr)
				panic(e)
			}
		}()
		f()
	}()
	return w.startSim(w.simAddr)
}

func (w *world) stop() {
	_ = w.bankd.end()
	_ = w.sim.end()
	_ = os.RemoveAll(w.dir)
}

// hear keeps what bankd and bankctl said, to search it for numbers and tokens.
func (w *world) hear(b []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard.Write(b)
	w.heard.WriteByte('\n')
}

// ctl runs bankctl and returns its output, its errors and its exit code.
func (w *world) ctl(args ...string) (stdout, stderr string, code int) {
	return w.ctlIn("", args...)
}

// ctlIn is ctl with text on stdin.
func (w *world) ctlIn(stdin string, args ...string) (stdout, stderr string, code int) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, w.ctlPath, args...)
	var out, errs bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.Stdin = w.env("home", "run"), &out, &errs, strings.NewReader(stdin)
	err := cmd.Run()
	w.hear(out.Bytes())
	w.hear(errs.Bytes())
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		code, errs = -1, *bytes.NewBufferString(err.Error())
	}
	return out.String(), errs.String(), code
}

// ctlClient makes a client with `bankctl client create`.
func (w *world) ctlClient(args ...string) (client, error) {
	out, errs, code := w.ctl(append([]string{"client", "create", "-o", "json"}, args...)...)
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != 0 || made.Secret == "" {
		return client{}, fmt.Errorf("bankctl client create: exit %d: %s", code, errs)
	}
	return client(made), nil
}

type clientSpec struct {
	Name      string
	Role      string
	Employers string // "*", or ids between commas
	Carriers  string
	Companies string
	ActAs     bool
	Company   string // bound to this employee
	Employee  string
}

// client makes a client of the default tenant over the socket.
func (w *world) client(s clientSpec) client {
	body := map[string]any{"name": s.Name, "role": s.Role, "act_as_employee": s.ActAs}
	for key, scope := range map[string]string{"employers": s.Employers, "carriers": s.Carriers, "companies": s.Companies} {
		switch scope {
		case "":
		case "*":
			body[key] = "*"
		default:
			body[key] = strings.Split(scope, ",")
		}
	}
	if s.Company != "" {
		body["bind_company"], body["bind_employee"] = s.Company, s.Employee
	}
	r := w.honest(func() reply { return w.post(w.admin, "/api/v1/admin/clients", body) })
	c := client{r.text("data.client_id"), r.text("data.client_secret")}
	if c.Secret == "" {
		panic("no client is made: " + r.String())
	}
	return c
}

// honest runs a call whose reply is not falsified.
func (w *world) honest(f func() reply) reply {
	lie := w.lie
	w.lie = nil
	defer func() { w.lie = lie }()
	return f()
}

// id returns a new name that is no id of anything yet.
func (w *world) id(prefix string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	return fmt.Sprintf("%s-%d", prefix, w.ids)
}

// number returns a new account number, which is searched for afterwards.
func (w *world) number() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	n := strconv.FormatUint(784_519_306_217+uint64(w.ids)*104_729, 10)
	w.typed = append(w.typed, n)
	return n
}

// routing returns a new valid routing number, which is searched for afterwards.
func (w *world) routing() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ids++
	n := fmt.Sprintf("1210%04d", 1000+w.ids)
	sum := 0
	for i, d := range n {
		sum += int(d-'0') * []int{3, 7, 1}[i%3]
	}
	n += strconv.Itoa((10 - sum%10) % 10)
	w.typed = append(w.typed, n)
	return n
}

func (w *world) hide(secrets ...string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.typed = append(w.typed, secrets...)
}
