package cli_test

import (
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/config"
)

// TestEmployeeInSandbox: without a browser, the sandbox leads to the same verdicts as the simulated page (C9).
func TestEmployeeInSandbox(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]banktest.Option{"simulated": banktest.With(func(*config.Config) {}), "sandbox": banktest.Sandbox} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := newOffice(t, opt)
			right, wrong := o.add("0000"), o.add("1111")
			if code, a, stderr := o.headless("verify", right, "--mask", "0000"); code != 0 || !a.IsVerified || a.InstitutionName != "First Platypus Bank" {
				t.Errorf("the right account: %d, verified %v at %q: %s", code, a.IsVerified, a.InstitutionName, stderr)
			}
			if code, a, stderr := o.headless("verify", wrong, "--mask", "9002"); code != 11 || a.IsVerified {
				t.Errorf("another account: %d, verified %v: %s", code, a.IsVerified, stderr)
			}
			third := o.add("9002")
			if code, _, stderr := o.headless("verify", third, "--mask", "1234"); code != 7 || !strings.Contains(stderr, "mask") {
				t.Errorf("a mask that is not there: %d: %s", code, stderr)
			}
			if code, _, stderr := o.headless("retry", third); code != 2 || !strings.Contains(stderr, "--mask") {
				t.Errorf("several accounts and no mask: %d: %s", code, stderr)
			}
			if code, a, stderr := o.headless("retry", right); code != 0 || !a.IsVerified {
				t.Errorf("again: %d, verified %v: %s", code, a.IsVerified, stderr)
			}
			if code, _, _ := o.run("", of("verify", third, "--institution", "ins_nope", "--mask", "9002", "--no-browser")...); code != 3 {
				t.Errorf("a bank that does not exist: %d, want 3", code)
			}
		})
	}
}

// TestEmployeeHeadlessInProduction: only the employee can finish Link there, which is said at once.
func TestEmployeeHeadlessInProduction(t *testing.T) {
	t.Parallel()
	o := newOffice(t, banktest.Sandbox, banktest.With(func(c *config.Config) { c.Plaid = config.Production }))
	account := o.add("0000")
	if code, _, stderr := o.headless("verify", account, "--mask", "0000"); code != 4 || !strings.Contains(stderr, "only the user can finish Link") {
		t.Errorf("%d: %s", code, stderr)
	}
}
