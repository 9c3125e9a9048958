package cli_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/tenant"
)

// R105: an account number that a user types is in no argument, no environment, no output, no log and no file; neither is
// it on the screen.
func TestEmployeeNumberIsNowhere(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t, banktest.OnDisk)
	if _, err := b.Client.EnableCapability(t.Context(), "c1", employee.VerifyCapability, employee.CapabilityParams{}); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	env := append(credentialsOf(b), "HOME="+home, "XDG_CONFIG_HOME="+home)
	x := onTerminal(t, usual, env, "employee", "add", "--company-id", "c1", "--employee-id", "e1", "-v")
	at := x.expect(0, "holder's name: ")
	x.send("Alberta Bobbeth Charleson\n")
	at = x.expect(at, "Type (checking or savings): ")
	x.send("checking\n")
	at = x.expect(at, "Routing number: ")
	x.send("011401533\n")
	at = x.expect(at, "Account number: ")
	x.send("1111 2222 3333 0000\n")
	at = x.expect(at, "Again: ")
	process := fmt.Sprintf("/proc/%d/", x.cmd.Process.Pid)
	seen := map[string]string{}
	for _, name := range []string{"cmdline", "environ"} { // it has read the number once by now
		text, err := os.ReadFile(process + name)
		if err != nil {
			t.Fatal(err)
		}
		seen[name] = strings.ReplaceAll(string(text), "\x00", " ")
	}
	if !strings.Contains(seen["cmdline"], "employee add") {
		t.Fatalf("another process was looked at: %q", seen["cmdline"])
	}
	x.send("1111-2222-3333-0000\n")
	x.expect(at, "not started")
	if code := x.end(); code != 0 {
		t.Fatalf("exit code %d: %s", code, x.text())
	}
	seen["terminal"], seen["log"] = x.text(), b.Log()
	status, reply := b.Call(b.Client, "GET", "/companies/c1/bankaccounts", "")
	seen["reply"] = fmt.Sprint(status, reply)
	if !strings.Contains(seen["reply"], "accountLast4:0000") {
		t.Fatalf("nothing was stored: %s", seen["reply"])
	}
	for _, dir := range []string{b.Dir, home} {
		readAll(t, dir, seen)
	}
	if len(seen) < 8 {
		t.Fatalf("only %d places were looked at", len(seen))
	}
	for where, text := range seen {
		for _, form := range append(banktest.Forms("1111222233330000"), "1111 2222 3333 0000", "1111-2222-3333-0000") {
			if strings.Contains(text, form) {
				t.Errorf("the account number is in %s", where)
			}
		}
	}
}

func readAll(t *testing.T, dir string, into map[string]string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(path)
		into[path] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// deskOnTerminal opens the desk over two accounts that wait.
func deskOnTerminal(t *testing.T, size *pty.Winsize, more ...string) (*office, *terminal, string) {
	t.Helper()
	o := newOffice(t)
	o.add("1111")
	id := o.add("0000", "--employee-id", "ana")
	return o, onTerminal(t, size, append(credentialsOf(o.Bank), more...), "employee", "desk", "--company-id", "c1"), id
}

// Filter, mint, watch to the verdict while somebody else finishes the session, resize, leave.
func TestEmployeeDeskOnTerminal(t *testing.T) {
	t.Parallel()
	o, x, id := deskOnTerminal(t, &pty.Winsize{Rows: 24, Cols: 80})
	at := x.expect(0, "2 accounts at c1")
	x.send("/ana")
	at = x.expect(at, "1111")
	x.send("\r")
	at = x.expect(at, "1 of 2")
	x.send("l")
	at = x.expect(at, "Link for Alberta Bobbeth Charleson")
	x.expect(at, "/hl/")
	url := hostedURL.FindString(x.text()[at:])
	x.send("w")
	at = x.expect(at, "waiting for the employee")
	resized := len(x.text())
	if err := pty.Setsize(x.control, &pty.Winsize{Rows: 16, Cols: 60}); err != nil {
		t.Fatal(err)
	}
	x.expect(resized, "waiting for the employee")
	if err := o.Walk(url, connection.CompleteParams{InstitutionID: "ins_109508", Masks: []string{"0000"}}); err != nil {
		t.Fatal(err)
	}
	at = x.expect(at, "✓ VERIFIED")
	x.expect(at, "strong evidence")
	a, err := o.Client.GetEmployeeAccount(t.Context(), "c1", "ana", id)
	if err != nil || !a.IsVerified {
		t.Errorf("the screen says verified, bankd %v %v", a.VerificationReason, err)
	}
	x.send("\x1b")
	x.expect(at, "1 account at c1")
	x.send("q")
	if code := x.end(); code != 0 {
		t.Errorf("exit code %d: %s", code, x.text())
	}
}

// Without colour nothing is lost: no colour is sent, and the words are there.
func TestEmployeeDeskWithoutColour(t *testing.T) {
	t.Parallel()
	_, x, _ := deskOnTerminal(t, &pty.Winsize{Rows: 40, Cols: 120}, "NO_COLOR=1")
	x.expect(0, "no bank linked yet")
	x.send("\x03")
	if code := x.end(); code != 130 {
		t.Errorf("exit code %d", code)
	}
	if all := x.text(); strings.Contains(all, "\x1b[1;36m") || strings.Contains(all, "\x1b[31m") || strings.Contains(all, "\x1b[32m") {
		t.Error("colour was sent")
	}
}

// Without --company-id the desk takes the companies of the client's scope, where that is a list. A support client (A43) may
// mint a link and watch it there.
func TestEmployeeDeskCompanies(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.add("0000")
	x := onTerminal(t, usual, credentialsOf(o.Bank), "employee", "desk")
	x.expect(0, "your client may see every company")
	if code := x.end(); code != 2 {
		t.Errorf("exit code %d", code)
	}
	desk := o.NewClient(tenant.ClientParams{Name: "desk", Role: tenant.Support, Companies: tenant.Scope{IDs: []string{"c0", "c1"}}})
	x = onTerminal(t, usual, []string{"BANKD_SOCKET=" + o.Config.Socket, "BANKCTL_CLIENT_ID=" + desk.ClientID, "BANKCTL_CLIENT_SECRET=" + desk.Secret}, "employee", "desk")
	at := x.expect(0, "1 account at 2 companies")
	x.send("l")
	at = x.expect(at, "Link for")
	x.expect(at, "/hl/")
	url := hostedURL.FindString(x.text()[at:])
	x.send("w")
	at = x.expect(at, "waiting for the employee")
	if err := o.Walk(url, connection.CompleteParams{Exit: true}); err != nil {
		t.Fatal(err)
	}
	at = x.expect(at, "NOT VERIFIED")
	x.expect(at, "left before finishing")
	x.send("\x03")
	if code := x.end(); code != 130 {
		t.Errorf("exit code %d", code)
	}
}

// On a terminal: the waiting screen, the choice among the accounts that were shared (exactly one), the verdict.
func TestEmployeeVerifyOnTerminal(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.add("1111")
	x := onTerminal(t, usual, credentialsOf(o.Bank), of("verify", id)...)
	at := x.expect(0, "waiting for the employee")
	if err := o.Walk(hostedURL.FindString(x.text()), connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil {
		t.Fatal(err)
	}
	at = x.expect(at, "Which one is the account entered?")
	x.send("a")
	at = x.expect(at, "3 of 3 chosen")
	x.send("\r")
	at = x.expect(at, "Only one of them can be")
	x.send("/")
	at = x.expect(at, "/ ")
	x.send("sav")
	at = x.expect(at, "sav")
	x.send("\r")
	at = x.expect(at, "1 of 3)")
	x.send(" ")
	at = x.expect(at, "1 of 3 chosen")
	x.send("\r")
	x.expect(at, "verified")
	if code := x.end(); code != 0 {
		t.Errorf("exit code %d: %s", code, x.text())
	}
	a, err := o.Client.GetEmployeeAccount(t.Context(), "c1", "e1", id)
	if err != nil || !a.IsVerified || a.Mask != "1111" {
		t.Errorf("%+v %v", a, err)
	}
}

// Leaving the waiting screen is 12 and loses nothing: wait takes it up again.
func TestEmployeeLeaveTheWaitingScreen(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.add("0000")
	x := onTerminal(t, usual, credentialsOf(o.Bank), of("verify", id)...)
	x.expect(0, "waiting for the employee")
	url := hostedURL.FindString(x.text())
	x.send("q")
	x.expect(0, "employee wait --company-id c1 --employee-id e1 --account-id "+id)
	if code := x.end(); code != 12 {
		t.Errorf("exit code %d", code)
	}
	if err := o.Walk(url, connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil {
		t.Fatal(err)
	}
	if code, out, stderr := o.run("", of("wait", id, "--mask", "0000", "-o", "json")...); code != 0 || !read(t, out).IsVerified {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
