package cli_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/fault"
)

// C4: Plaid takes the sign-in and then cannot give the accounts. The link says so, ends with 8 and the command that waits
// on; the connection says that its accounts are still to be read; and all of it heals by itself.
func TestRowC4(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.faults("/accounts/get:500:1h")
	code, _, stderr := o.run("", "link", "--user-id", "u", "--employer-id", "c4", "--institution", "ins_109508", "--no-browser", "--all", "--patience", "1ms")
	if code != fault.ExitPlaid || !strings.Contains(stderr, "the accounts cannot be read yet (INTERNAL_SERVER_ERROR)") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	resume := regexp.MustCompile("`bankctl (link wait [0-9a-f]{24})` waits on").FindStringSubmatch(stderr)
	if resume == nil {
		t.Fatalf("no command to resume: %s", stderr)
	}
	if code, out, _ := o.run("", "connections", "list", "--employer-id", "c4"); code != 0 || !strings.Contains(out, "(not known yet)") && !strings.Contains(out, "First Platypus Bank") {
		t.Errorf("%d %s", code, out)
	}
	o.faults("")
	code, out, stderr := o.run("", append(strings.Fields(resume[1]), "--all", "-o", "json")...)
	var r struct {
		Accounts []any `json:"accounts"`
		ACH      []any `json:"ach_accounts"`
	}
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil || len(r.Accounts) == 0 || len(r.ACH) == 0 {
		t.Errorf("resumed: exit %d, %v, %s %s", code, err, out, stderr)
	}
}

// C10: a bank whose account numbers have letters. The account stays as metadata and says why it is no more; the others
// become ACH accounts.
func TestRowC10(t *testing.T) {
	t.Parallel()
	odd := regexp.MustCompile(`"account": ?"1111222233330000"`)
	o := newOffice(t, banktest.Replies(func(path string, body []byte) []byte {
		if path != "/auth/get" {
			return body
		}
		return odd.ReplaceAll(body, []byte(`"account":"11AB"`))
	}))
	code, out, stderr := o.run("", "link", "--user-id", "u", "--employer-id", "c10", "--institution", "ins_109508", "--no-browser", "--all", "-o", "json")
	var r struct {
		ACH     []any `json:"ach_accounts"`
		Skipped []struct {
			Mask, Code string
		} `json:"skipped"`
	}
	if err := json.Unmarshal([]byte(out), &r); code != 0 || err != nil || len(r.ACH) != 2 {
		t.Fatalf("exit %d, %d ACH accounts, %v: %s", code, len(r.ACH), err, stderr)
	}
	told := false
	for _, s := range r.Skipped {
		told = told || s.Mask == "0000" && s.Code == "numbers_not_usable"
	}
	if !told {
		t.Errorf("skipped: %+v", r.Skipped)
	}
	if _, out, _ := o.run("", "accounts", "list", "--employer-id", "c10", "--jq", `.[] | select(.mask == "0000") | .no_ach`); !strings.Contains(out, "numbers_not_usable") {
		t.Errorf("on the account: %q", out)
	}
}

// C12: an Item that shows no account is told, with what to do, and is not active.
func TestRowC12(t *testing.T) {
	t.Parallel()
	o := newOffice(t, banktest.Replies(func(path string, body []byte) []byte {
		if path != "/accounts/get" {
			return body
		}
		var reply map[string]any
		if json.Unmarshal(body, &reply) != nil || reply["accounts"] == nil {
			return body
		}
		reply["accounts"] = []any{}
		changed, _ := json.Marshal(reply)
		return changed
	}))
	code, _, stderr := o.run("", "link", "--user-id", "u", "--employer-id", "c12", "--institution", "ins_109508", "--no-browser", "--all")
	if code != fault.ExitRelink || !strings.Contains(stderr, "shows no account") || !strings.Contains(stderr, "connections reauth") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if _, out, _ := o.run("", "connections", "list", "--employer-id", "c12", "--jq", ".[].status"); strings.TrimSpace(out) != "error" && strings.TrimSpace(out) != `"error"` {
		t.Errorf("status %s", out)
	}
}
