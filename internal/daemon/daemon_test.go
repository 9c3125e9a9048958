package daemon_test

import (
	"bytes"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/tenant"
)

// home is an empty HOME for a bankd, with a path short enough for a socket.
type home struct {
	t    *testing.T
	dir  string
	bin  string
	keys []string // Plaid keys, for the environment
}

// sandboxKeys have the form of keys of Plaid's sandbox, but are not valid.
var sandboxKeys = []string{"PLAID_CLIENT_ID=5f0000000000000000000000", "PLAID_SECRET=0f00000000000000000000000000aa"}

func newHome(t *testing.T) home {
	t.Helper()
	bin, err := crashing()
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "home")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return home{t: t, dir: dir, bin: bin}
}

func (h home) env() []string {
	return append([]string{"HOME=" + h.dir, "XDG_RUNTIME_DIR=", "XDG_STATE_HOME=", "XDG_CONFIG_HOME=", "BANKD_CRASH_AT="}, h.keys...)
}

func (h home) start(args ...string) *process {
	h.t.Helper()
	return start(h.t, h.env(), h.bin, args...)
}

// refused runs a bankd that must not start, and returns its output.
func (h home) refused(args ...string) string {
	h.t.Helper()
	cmd := exec.Command(h.bin, args...)
	cmd.Env = append(os.Environ(), h.env()...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	timer := time.AfterFunc(patience, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	if err := cmd.Run(); err == nil || stdout.Len() > 0 {
		h.t.Fatalf("it started: %s", stdout.String())
	}
	return stderr.String()
}

func (h home) data() string   { return filepath.Join(h.dir, ".local/state/bankd/simulated") }
func (h home) db() string     { return filepath.Join(h.data(), "bankd.db") }
func (h home) key() string    { return filepath.Join(h.dir, ".config/bankd/kek") }
func (h home) socket() string { return filepath.Join(h.data(), "bankd.sock") }

func (h home) client() *client.Client { return h.clientAt(h.socket()) }

func (h home) clientAt(socket string) *client.Client {
	h.t.Helper()
	c := client.New(socket)
	h.t.Cleanup(c.Close)
	m, err := c.AddClient(h.t.Context(), tenant.ClientParams{Name: "t", Role: tenant.Admin, Employers: tenant.Everything})
	if err != nil {
		h.t.Fatal(err)
	}
	c.ClientID, c.Secret = m.ID, m.Secret
	return c
}

func sum(t *testing.T, path string) [32]byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return sha256.Sum256(b)
}

func TestStartInAnEmptyHome(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.start()
	if !regexp.MustCompile(`^bankd: ready socket=\S+ plaid=simulated simulator=http://127\.0\.0\.1:\d+$`).MatchString(p.line) {
		t.Errorf("the first line is %q", p.line)
	}
	for path, mode := range map[string]os.FileMode{
		h.data(): 0o700 | os.ModeDir, h.db(): 0o600, h.key(): 0o600, filepath.Dir(h.key()): 0o700 | os.ModeDir, h.socket(): 0o600 | os.ModeSocket,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
		} else if info.Mode() != mode {
			t.Errorf("%s is %s, want %s", filepath.Base(path), info.Mode(), mode)
		}
	}
	// A second daemon on the same data is refused at once, with the pid of the first.
	if said := h.refused("--socket", filepath.Join(h.dir, "other", "s")); !strings.Contains(said, "in use") || !strings.Contains(said, "pid") {
		t.Errorf("a second daemon is told: %s", said)
	}
	c := h.client()
	for path, want := range map[string]string{"/healthz": "ok\n", "/readyz": "ready\n", "/metrics": "bankd_calls_total"} {
		resp, err := c.Raw(t.Context(), "GET", path, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != 200 || !strings.Contains(string(b), want) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, b)
		}
	}
	p.stop()
	if code := p.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("SIGTERM ends with %d", code)
	}
	if _, err := os.Lstat(h.socket()); err == nil {
		t.Error("the socket is left behind")
	}
}

// A wrong, missing or unsafe key, another environment, a damaged or shortened file: each is a clear refusal that
// changes not a byte of the data or the key.
func TestRefusalsChangeNothing(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.start()
	c := h.client()
	if _, err := c.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: "n", BankName: "b", EmployerID: "e"}); err != nil {
		t.Fatal(err)
	}
	p.stop()
	other := newHome(t)
	op := other.start()
	op.stop()

	keep := filepath.Join(h.dir, "kept")
	restore := func() {
		b, err := os.ReadFile(keep)
		if err == nil {
			err = os.WriteFile(h.db(), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(h.db())
	if err == nil {
		err = os.WriteFile(keep, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	sandbox := []string{"--plaid", "sandbox", "--data-dir", h.data()}
	for name, c := range map[string]struct {
		spoil func()
		args  []string
		says  string
	}{
		"wrong_key":         {nil, []string{"--key-file", other.key()}, "sealed with key"},
		"missing_key":       {nil, []string{"--key-file", filepath.Join(h.dir, "nowhere")}, "no key at"},
		"open_key":          {func() { os.Chmod(other.key(), 0o644) }, []string{"--key-file", other.key()}, "chmod 600"},
		"other_environment": {nil, sandbox, "environment"},
		"deleted_record":    {func() { edit(t, h.db(), "bank_accounts", deleteIt) }, nil, "damaged"},
		"flipped_bit":       {func() { edit(t, h.db(), "bank_accounts", flipIt) }, nil, "damaged"},
		"hidden_client":     {func() { edit(t, h.db(), "clients", deleteIt) }, nil, "damaged"},
		"cut_file":          {func() { os.Truncate(h.db(), 9000) }, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			defer restore()
			defer os.Chmod(other.key(), 0o600)
			if c.spoil != nil {
				c.spoil()
			}
			before, key := sum(t, h.db()), sum(t, h.key())
			hh := h
			hh.t = t
			if name == "other_environment" {
				hh.keys = sandboxKeys
			}
			if said := hh.refused(c.args...); !strings.Contains(said, c.says) {
				t.Errorf("it says: %s", said)
			}
			if sum(t, h.db()) != before || sum(t, h.key()) != key {
				t.Error("a file was changed")
			}
		})
	}
	p = h.start() // unchanged, so it opens
	p.stop()
}

func deleteIt(b *bbolt.Bucket, k, _ []byte) error { return b.Delete(k) }

func flipIt(b *bbolt.Bucket, k, v []byte) error {
	v = bytes.Clone(v)
	v[len(v)/2] ^= 1
	return b.Put(bytes.Clone(k), v)
}

// edit changes the first record of a collection behind the daemon's back.
func edit(t *testing.T, path, collection string, change func(b *bbolt.Bucket, k, v []byte) error) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	done := false
	err = db.Update(func(tx *bbolt.Tx) error {
		return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
			c := b.Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				if strings.Contains(string(k), "/"+collection+"/") && !strings.HasPrefix(string(k), "!") {
					done = true
					return change(b, k, v)
				}
			}
			return nil
		})
	})
	if err != nil || !done {
		t.Fatalf("edit %s: %v", collection, err)
	}
}

// Sessions, Items and clients outlive a restart; a waiting caller gets a reply when the daemon stops.
func TestWhatOutlivesARestart(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.start()
	c := h.client()
	link, err := c.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e", HostedLink: true, Exchange: true})
	if err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() {
		_, err := c.GetSession(t.Context(), link.SessionID, time.Minute)
		answered <- err
	}()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(30 * time.Second): // the caller asked to wait a minute
		t.Fatal("a waiting caller holds the stop up")
	}
	<-answered
	// A page opened before the restart has the same address after it, and its session continues.
	h.start()
	s, err := c.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
	if err != nil || s.ConnectionID == "" {
		t.Fatalf("%+v %v", s, err)
	}
	if _, err := c.SyncAccounts(t.Context(), connection.ItemParams{ItemID: s.ConnectionID}); err != nil {
		t.Error(err)
	}
}

func TestUsage(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	for args, says := range map[string]string{
		"--no-such-flag":       "unknown flag",
		"--plaid mars":         "plaid",
		"servee":               "unknown command",
		"plaid-sim --limits x": "--limits",
		"plaid-sim --fault x":  "--fault",
		"plaid-sim --as x=y":   "--as",
		"--config nowhere.yml": "config",
	} {
		if said := h.refused(strings.Fields(args)...); !strings.Contains(said, says) {
			t.Errorf("%s: %s", args, said)
		}
	}
}
