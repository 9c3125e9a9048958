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

// office is a bankd whose socket is reached through a recorder of each call, in the order of their arrival.
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

var whose = []string{"--company", "c1", "--employee", "e1"}

func of(command, account string, more ...string) []string {
	return append(append([]string{"employee", command}, whose...), append([]string{"--account", account}, more...)...)
}

// add adds the account with Plaid's published numbers that ends so.
func (o *office) add(last4 string, more ...string) string {
	o.t.Helper()
	args := append([]string{"employee", "add", "--holder-name", "Alberta Bobbeth Charleson", "--routing-number", "011401533",
		"--account-type", "checking", "--account-number-stdin", "-o", "name"}, append(whose, more...)...)
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

// wantCalls holds what was called, what concerns the link session apart, against the document's words.
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
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for hosted.FindString(run.stderr.String()) == "" {
		select {
		case <-tick.C:
		case <-deadline:
			o.t.Fatalf("no address: %s", run.stderr.String())
		}
	}
	if err := o.Walk(hosted.FindString(run.stderr.String()), how); err != nil {
		o.t.Fatal(err)
	}
}

// R152: a new account. R118-R151 in order.
func TestEmployeeScenarioA(t *testing.T) {
	o := newOffice(t)
	id := o.add("0000")
	run := o.start("", of("verify", id, "--mask", "0000", "-o", "json")...)
	o.walk(run, connection.CompleteParams{InstitutionID: "ins_109508"})
	if code := <-run.code; code != 0 {
		t.Fatalf("exit code %d: %s", code, run.stderr.String())
	}
	a := read(t, run.stdout.String())
	if !a.IsVerified || a.AccountID != id || a.VerificationType != employee.ByPlaid || a.Evidence.Strength != employee.Strong {
		t.Errorf("%+v", a)
	}
	o.wantCalls(id, create, token, link, reload)
}

// The same without anybody: simulated and sandbox alone.
func TestEmployeeScenarioAHeadless(t *testing.T) {
	o := newOffice(t)
	id := o.add("0000")
	code, a, stderr := o.headless("verify", id, "--mask", "0000")
	if code != 0 || !a.IsVerified {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	o.wantCalls(id, create, token, link, reload)
}

// R153, R154, R159-R161: the employee leaves, and retries with the same account.
func TestEmployeeScenarioB(t *testing.T) {
	o := newOffice(t)
	id := o.add("0000")
	o.forget()
	run := o.start("", of("verify", id)...)
	o.walk(run, connection.CompleteParams{Exit: true})
	if code := <-run.code; code != 12 || run.stdout.String() != "" || !strings.Contains(run.stderr.String(), "`bankctl employee retry") {
		t.Fatalf("exit code %d: %s", code, run.stderr.String())
	}
	o.wantCalls(id, token) // Link did not succeed: nothing is saved
	_, out, _ := o.run("", of("status", id, "-o", "json")...)
	if a := read(t, out); a.IsVerified || a.VerificationReason != employee.Exited {
		t.Errorf("%s", a.VerificationReason)
	}
	o.forget()
	code, a, stderr := o.headless("retry", id, "--mask", "0000")
	if code != 0 || !a.IsVerified || a.AccountID != id {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	o.wantCalls(id, token, link, reload)
	if _, out, _ := o.run("", append([]string{"employee", "list", "-o", "name"}, whose...)...); strings.TrimSpace(out) != id {
		t.Errorf("the accounts are %q", out)
	}
}

// R155: no Plaid.
func TestEmployeeScenarioC(t *testing.T) {
	o := newOffice(t)
	id := o.add("0000", "--verification-type", "manual")
	o.wantCalls(id, create, reload)
	code, _, stderr := o.headless("verify", id)
	if code != 6 || !strings.Contains(stderr, "Manual") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if n := o.Daemon.Simulator().Counts()["/link/token/create"]; n != 0 {
		t.Errorf("Plaid was asked for %d tokens", n)
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

// R130, R156-R158: without a token Link is not opened, the error is shown, a retry works.
func TestEmployeeTokenFails(t *testing.T) {
	o := newOffice(t)
	id := o.add("0000")
	o.faults("/link/token/create:500:20")
	o.forget()
	code, _, stderr := o.headless("verify", id, "--mask", "0000")
	if code != 8 || !strings.Contains(stderr, `"code":"plaid_error"`) {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	o.wantCalls(id, token)
	for _, c := range o.calls {
		if sessionCalls.MatchString(c) {
			t.Errorf("Link was opened: %s", c)
		}
	}
	o.faults("")
	if code, a, stderr := o.headless("retry", id, "--mask", "0000"); code != 0 || !a.IsVerified {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// R162-R164, A44: the save fails; nothing is assumed, and the same session is saved again without a second Item.
func TestEmployeeSaveFails(t *testing.T) {
	o := newOffice(t)
	id := o.add("0000")
	o.faults("/item/public_token/exchange:500:20")
	o.forget()
	code, a, stderr := o.headless("verify", id, "--mask", "0000")
	if code != 8 || a.IsVerified {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	o.wantCalls(id, token, link)
	_, out, _ := o.run("", of("status", id, "-o", "json")...)
	if read(t, out).IsVerified {
		t.Error("a failed save counts as verified")
	}
	o.faults("")
	code, out, stderr = o.run("", of("wait", id, "--mask", "0000", "-o", "json")...)
	if a := read(t, out); code != 0 || !a.IsVerified || a.AccountID != id {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if n := o.Daemon.Simulator().Counts()["items"]; n != 1 {
		t.Errorf("%d Items", n)
	}
	if code, _, stderr := o.run("", of("wait", id)...); code != 0 { // once more: it is saved already
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// R165, R166: Link's success is no verified account.
func TestEmployeeSuccessIsNotVerified(t *testing.T) {
	o := newOffice(t)
	id := o.add("1111")
	o.forget()
	code, a, stderr := o.headless("verify", id, "--mask", "0000")
	if code != 11 || a.IsVerified || a.VerificationReason != employee.NumberMismatch || a.NextStep == "" {
		t.Fatalf("exit code %d: %+v", code, a)
	}
	if !strings.Contains(stderr, `"code":"not_verified"`) || !strings.Contains(stderr, "employee retry") {
		t.Error(stderr)
	}
	o.wantCalls(id, token, link, reload)
}

// A42, A36: a verified account signs in again; an update session names no account, so the joined one is read first.
func TestEmployeeRetryOfAVerifiedAccount(t *testing.T) {
	o := newOffice(t)
	id := o.add("0000")
	if code, _, stderr := o.headless("verify", id, "--mask", "0000"); code != 0 {
		t.Fatal(stderr)
	}
	o.forget()
	if code, a, stderr := o.headless("retry", id); code != 0 || !a.IsVerified {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	o.wantCalls(id, token, reload, link, reload)
}

// Several accounts are shared and nobody can be asked which: the mask is wanted, and the session is not lost.
func TestEmployeeWhichAccount(t *testing.T) {
	o := newOffice(t)
	id := o.add("1111")
	code, _, stderr := o.headless("verify", id)
	if code != 2 || !strings.Contains(stderr, "--mask is missing") || !strings.Contains(stderr, "0000, 1111") {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	if code, _, stderr := o.run("", of("wait", id, "--mask", "7777")...); code != 3 || !strings.Contains(stderr, "0000, 1111") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, out, stderr := o.run("", of("wait", id, "--mask", "1111", "-o", "json")...); code != 0 || !read(t, out).IsVerified {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Two steps: sent to the employee, finished by somebody else.
func TestEmployeeSendAndWait(t *testing.T) {
	o := newOffice(t)
	id := o.add("0000")
	o.forget()
	code, out, stderr := o.run("", of("verify", id, "--send")...)
	url := hosted.FindString(out)
	if code != 0 || url == "" || !strings.Contains(out, "expires") || !strings.Contains(out, "session") {
		t.Fatalf("exit code %d: %s %s", code, out, stderr)
	}
	o.wantCalls(id, token)
	run := o.start("", of("wait", id[:20], "--mask", "0000", "-o", "json")...)
	o.walk(run, connection.CompleteParams{InstitutionID: "ins_109508"})
	if code := <-run.code; code != 0 || !read(t, run.stdout.String()).IsVerified {
		t.Fatalf("exit code %d: %s", code, run.stderr.String())
	}
	other := o.add("1111")
	session := regexp.MustCompile(`session\t(\w+)`).FindStringSubmatch(out)[1]
	if code, _, stderr := o.run("", of("wait", other, session)...); code != 2 || !strings.Contains(stderr, "not this account's") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, _, stderr := o.run("", of("wait", other)...); code != 2 || !strings.Contains(stderr, "no link was ever started") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
