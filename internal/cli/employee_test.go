package cli_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
)

// R152: a new account. R118-R151 in order.
func TestEmployeeScenarioA(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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
	t.Parallel()
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

// R130, R156-R158: without a token Link is not opened, the error is shown, a retry works.
func TestEmployeeTokenFails(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.add("0000")
	o.faults("/link/token/create:500:20")
	o.forget()
	code, _, stderr := o.headless("verify", id, "--mask", "0000")
	if code != 8 || !strings.Contains(stderr, `"code":"plaid_error"`) {
		t.Fatalf("exit code %d: %s", code, stderr)
	}
	o.wantCalls(id, token)
	o.mu.Lock()
	opened := slices.Clone(o.calls)
	o.mu.Unlock()
	for _, c := range opened {
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
	t.Parallel()
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
	t.Parallel()
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

// A42, A36: a verified account signs in again.
func TestEmployeeRetryOfAVerifiedAccount(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.add("0000")
	if code, _, stderr := o.headless("verify", id, "--mask", "0000"); code != 0 {
		t.Fatal(stderr)
	}
	o.forget()
	if code, a, stderr := o.headless("retry", id); code != 0 || !a.IsVerified {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	o.wantCalls(id, token, link, reload)
}

// A40, R154: the wrong account first, then the right one of the same sign-in, with the same accountId.
func TestEmployeeRetryAfterTheWrongAccount(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.add("1111")
	if code, a, _ := o.headless("verify", id, "--mask", "0000"); code != 11 || a.VerificationReason != employee.NumberMismatch {
		t.Fatalf("exit code %d: %s", code, a.VerificationReason)
	}
	o.forget()
	if code, a, stderr := o.headless("retry", id, "--mask", "1111"); code != 0 || !a.IsVerified || a.AccountID != id {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	o.wantCalls(id, token, link, reload)
}

// With several accounts shared and no terminal to choose on, the mask is asked for and the session is not lost.
func TestEmployeeWhichAccount(t *testing.T) {
	t.Parallel()
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
	t.Parallel()
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
