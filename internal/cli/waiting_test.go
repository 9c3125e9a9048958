package cli_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
)

// D: a bankd that takes connections and never answers ends a command after --timeout, with 5.
func TestHangingDaemonEndsTheCommand(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	dir, err := os.MkdirTemp("", "hang")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	for _, args := range [][]string{{"status"}, {"accounts", "list"}, {"accounts", "add", "--user-id", "u", "--name", "n", "--bank-name", "b"}, {"link", "wait", "6a1f0b8f2b3c4d5e6f708192", "--all"}} {
		code, _, stderr := o.run("", append(args, "--socket", path, "--timeout", "50ms")...)
		if code != fault.ExitUnavailable || !strings.Contains(stderr, "not done within 50ms") {
			t.Errorf("%v: exit %d: %s", args, code, stderr)
		}
	}
}

// D: ten inits at once keep ten profiles; a link to the file stays a link; what cannot be saved is not minted.
func TestProfilesAreKeptWhole(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	home := t.TempDir()
	config := filepath.Join(home, ".config", "bankctl")
	if err := os.MkdirAll(config, 0o700); err != nil {
		t.Fatal(err)
	}
	elsewhere := filepath.Join(home, "dotfiles.yaml")
	if err := os.WriteFile(elsewhere, []byte("profiles: []\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(elsewhere, filepath.Join(config, "config.yaml")); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	names := strings.Fields("a b c d e f g h i j")
	for _, name := range names {
		group.Go(func() {
			if code, _, stderr := o.runAt(home, "init", "--profile", name); code != 0 {
				t.Errorf("%s: exit %d: %s", name, code, stderr)
			}
		})
	}
	group.Wait()
	text, err := os.ReadFile(elsewhere)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if !strings.Contains(string(text), "name: "+name+"\n") {
			t.Errorf("profile %s is lost", name)
		}
		if code, _, stderr := o.runAt(home, "accounts", "list", "--profile", name); code != 0 {
			t.Errorf("as %s: exit %d: %s", name, code, stderr)
		}
	}
	if info, err := os.Lstat(filepath.Join(config, "config.yaml")); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link was replaced: %v %v", info, err)
	}
	_, before, _ := o.run("", "client", "list", "-o", "json", "--jq", "length")
	blocked := t.TempDir()
	if err := os.WriteFile(filepath.Join(blocked, ".config"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := o.runAt(blocked, "init"); code != fault.ExitUsage || !strings.Contains(stderr, "cannot be") {
		t.Errorf("a place that cannot be written: exit %d: %s", code, stderr)
	}
	if _, after, _ := o.run("", "client", "list", "-o", "json", "--jq", "length"); after != before {
		t.Errorf("%s clients, %s before: one was minted whose secret is lost", strings.TrimSpace(after), strings.TrimSpace(before))
	}
}

// D: a wait for a link survives a restart of bankd, and an interrupt says how to go on.
func TestLinkWaitOutlivesBankd(t *testing.T) {
	t.Parallel()
	o := newOffice(t, banktest.OnDisk)
	l, err := o.Client.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e9", HostedLink: true, Exchange: true})
	if err != nil {
		t.Fatal(err)
	}
	run := o.start("", "link", "wait", l.SessionID, "--all", "-o", "json", "--socket", o.Config.Socket)
	if !banktest.Eventually(func() bool { return hosted.FindString(run.stderr.String()) != "" }) {
		t.Fatalf("no address: %s", run.stderr.String())
	}
	if err := o.Daemon.Stop(); err != nil {
		t.Fatal(err)
	}
	if !banktest.Eventually(func() bool { return strings.Contains(run.stderr.String(), "bankd is away") }) {
		t.Errorf("it does not say that bankd is away: %s", run.stderr.String())
	}
	o.Again()
	if _, err := o.Client.CompleteSession(t.Context(), l.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil {
		t.Fatal(err)
	}
	if code := <-run.code; code != 0 || !strings.Contains(run.stdout.String(), `"ach_accounts"`) {
		t.Errorf("exit %d: %s", code, run.stderr.String())
	}
	code, _, stderr := o.run("", "link", "--user-id", "u", "--employer-id", "e8", "--no-browser", "--all", "--timeout", "1s")
	if code != fault.ExitUnavailable || !strings.Contains(stderr, "`bankctl link wait ") {
		t.Errorf("given up: exit %d: %s", code, stderr)
	}
}
