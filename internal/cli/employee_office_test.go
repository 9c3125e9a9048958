package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httputil"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/cli"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/plaidsim"
)

// office is a bankd behind a proxy that records each call, in the order of their arrival.
type office struct {
	*banktest.Bank
	t      *testing.T
	socket string

	mu    sync.Mutex
	calls []string
}

func newOffice(t *testing.T, opts ...banktest.Option) *office {
	t.Helper()
	o := &office{Bank: banktest.Start(t, opts...), t: t}
	o.socket = filepath.Join(o.Dir, "p.sock")
	listener, err := net.Listen("unix", o.socket)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = "http", "bankd", r.In.Host
		},
		Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", o.Config.Socket)
		}},
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		o.mu.Lock()
		o.calls = append(o.calls, r.Method+" "+r.URL.Path)
		o.mu.Unlock()
		proxy.ServeHTTP(w, r)
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	if code, _, stderr := o.run("", "company", "enable", "c1", "PLAID_VERIFY"); code != 0 {
		t.Fatal(stderr)
	}
	o.forget()
	return o
}

func (o *office) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.calls = nil
}

// bankctl is one run of it, without a terminal.
type bankctl struct {
	stdout, stderr textBuffer
	code           chan int
}

// textBuffer may be read while it is written.
type textBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *textBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *textBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func (o *office) start(stdin string, args ...string) *bankctl {
	run := &bankctl{code: make(chan int, 1)}
	home := o.t.TempDir()
	settings := map[string]string{
		"HOME": home, "BANKD_SOCKET": o.socket, "BANKCTL_CLIENT_ID": o.Client.ClientID, "BANKCTL_CLIENT_SECRET": o.Client.Secret,
	}
	env := cli.Env{
		Stdin: strings.NewReader(stdin), Stdout: &run.stdout, Stderr: &run.stderr, Context: o.t.Context(),
		Getenv: func(name string) string { return settings[name] }, Now: time.Now, Width: func() int { return 0 },
	}
	go func() { run.code <- cli.Main(args, env) }()
	return run
}

func (o *office) run(stdin string, args ...string) (code int, stdout, stderr string) {
	run := o.start(stdin, args...)
	return <-run.code, run.stdout.String(), run.stderr.String()
}

var whose = []string{"--company-id", "c1", "--employee-id", "e1"}

func of(command, account string, more ...string) []string {
	return append(append([]string{"employee", command}, whose...), append([]string{"--account-id", account}, more...)...)
}

// add adds the account with Plaid's published numbers that ends so.
func (o *office) add(last4 string, more ...string) string {
	o.t.Helper()
	args := append([]string{"employee", "add", "--holder-name", "Alberta Bobbeth Charleson", "--routing-number", "011401533",
		"--type", "checking", "--account-number-stdin", "-o", "name"}, append(whose, more...)...)
	code, id, stderr := o.run("1111 2222-3333 "+last4+"\n", args...)
	if code != 0 {
		o.t.Fatal(stderr)
	}
	return strings.TrimSpace(id)
}

// headless verifies without a browser; the account comes back as JSON.
func (o *office) headless(command, account string, more ...string) (int, employee.BankAccount, string) {
	o.t.Helper()
	code, out, stderr := o.run("", of(command, account, append([]string{"--institution", "ins_109508", "--no-browser", "-o", "json"}, more...)...)...)
	return code, read(o.t, out), stderr
}

func read(t *testing.T, out string) (a employee.BankAccount) {
	t.Helper()
	if out == "" {
		return a
	}
	if err := json.Unmarshal([]byte(out), &a); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return a
}

var sessionCalls = regexp.MustCompile(`/link-sessions/`)

// wantCalls compares the calls made, but for those of the link session, with the document's.
func (o *office) wantCalls(account string, want ...string) {
	o.t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	var got []string
	for _, c := range o.calls {
		c = strings.Replace(c, "/api/v1/companies/c1/employees/e1", "", 1)
		if !sessionCalls.MatchString(c) {
			got = append(got, strings.ReplaceAll(c, account, "ID"))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		o.t.Errorf("calls (-document +made):\n%s", diff)
	}
}

const (
	create = "POST /bankaccounts"
	token  = "GET /plaid/ID/token"
	link   = "POST /plaid/ID/link"
	reload = "GET /bankaccounts/ID"
)

var hosted = regexp.MustCompile(`http://127\.0\.0\.1:\d+/hl/\w+`)

// walk waits until bankctl has printed the page's address, and goes through it as the employee.
func (o *office) walk(run *bankctl, how connection.CompleteParams) {
	o.t.Helper()
	if !banktest.Eventually(func() bool { return hosted.FindString(run.stderr.String()) != "" }) {
		o.t.Fatalf("no address: %s", run.stderr.String())
	}
	if err := o.Walk(hosted.FindString(run.stderr.String()), how); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) faults(text string) {
	o.t.Helper()
	if text == "" {
		o.Daemon.Simulator().SetFaults(nil)
		return
	}
	faults, err := plaidsim.ParseFaults(text)
	if err != nil {
		o.t.Fatal(err)
	}
	o.Daemon.Simulator().SetFaults(faults)
}
