package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/cli"
	"github.com/bankctl/bankctl/internal/fault"
)

// runIn runs bankctl with its state in a directory that outlives the run.
func (o *office) runIn(state string, args ...string) (code int, stdout, stderr string) {
	var out, errs textBuffer
	settings := map[string]string{
		"HOME": state, "XDG_STATE_HOME": state, "BANKD_SOCKET": o.socket, "BANKCTL_CLIENT_ID": o.Client.ClientID, "BANKCTL_CLIENT_SECRET": o.Client.Secret,
	}
	env := cli.Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Context: o.t.Context(),
		Getenv: func(name string) string { return settings[name] }, Now: time.Now, Width: func() int { return 0 },
	}
	code = cli.Main(args, env)
	return code, out.String(), errs.String()
}

// runAt runs bankctl with a home directory and no credentials but what it finds there.
func (o *office) runAt(home string, args ...string) (code int, stdout, stderr string) {
	var out, errs textBuffer
	settings := map[string]string{"HOME": home, "BANKD_SOCKET": o.socket}
	env := cli.Env{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errs, Context: o.t.Context(),
		Getenv: func(name string) string { return settings[name] }, Now: time.Now, Width: func() int { return 0 },
	}
	code = cli.Main(args, env)
	return code, out.String(), errs.String()
}

// One that fails alone ends with its own code, one of several with 13; the others are done.
func TestSyncExits(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	broken := o.Link("e1")
	for _, token := range o.Tokens() {
		o.AskPlaid("/sandbox/item/reset_login", fmt.Sprintf(`{"access_token":%q}`, token))
	}
	whole := o.Link("e2")
	code, out, stderr := o.run("", "sync", broken.ID)
	if code != fault.ExitRelink || !strings.Contains(out, broken.ID+"\tFirst Platypus Bank\trelink_required\t") {
		t.Errorf("exit %d, %q, %s", code, out, stderr)
	}
	code, out, stderr = o.run("", "sync", "--all")
	if code != fault.ExitPartial || strings.Count(out, "\n") != 3 || !strings.Contains(stderr, "1 of 2 connections could not be synced") {
		t.Errorf("exit %d, %q, %s", code, out, stderr)
	}
	code, out, _ = o.run("", "sync", broken.ID, whole.ID, whole.ID, "-o", "json")
	var results []struct {
		ID           string         `json:"connection_id"`
		Error        *fault.Error   `json:"error"`
		Transactions map[string]any `json:"transactions"`
	}
	if err := json.Unmarshal([]byte(out), &results); err != nil || code != fault.ExitPartial || len(results) != 2 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	if results[0].Error == nil || results[0].Error.Code != fault.RelinkRequired || results[1].Error != nil || results[1].Transactions["connection_id"] != whole.ID {
		t.Errorf("%s", out)
	}
	if code, _, _ := o.run("", "sync", whole.ID); code != 0 {
		t.Errorf("a whole one alone exits %d", code)
	}
}
