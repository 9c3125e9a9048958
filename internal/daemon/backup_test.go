package daemon_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/trail"
	"github.com/bankctl/bankctl/internal/vault"
)

// recipient makes a key pair of age; its secret key lies in a file of the home.
func (h home) recipient(name string) (public, file string) {
	h.t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		h.t.Fatal(err)
	}
	file = filepath.Join(h.dir, name)
	if err := os.WriteFile(file, []byte("# test\n"+id.String()+"\n"), 0o600); err != nil {
		h.t.Fatal(err)
	}
	return id.Recipient().String(), file
}

// run runs a command of bankd that ends by itself.
func (h home) run(args ...string) (stdout, stderr string, err error) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, h.bin, args...)
	cmd.Env = append(os.Environ(), h.env()...)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err = cmd.Run()
	return out.String(), said.String(), err
}

func (h home) backup(to ...string) []byte {
	h.t.Helper()
	var b bytes.Buffer
	c := h.client()
	c.ClientID, c.Secret = "", ""
	if _, err := c.Backup(h.t.Context(), to, &b); err != nil {
		h.t.Fatal(err)
	}
	return b.Bytes()
}

func (h home) write(name string, b []byte) string {
	h.t.Helper()
	path := filepath.Join(h.dir, name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		h.t.Fatal(err)
	}
	return path
}

// A backup that is made while accounts are written is one snapshot: restored, it holds every account that was
// acknowledged before it began, each whole, every transaction, and the audit chain up to it. `make drill` does so with a
// million transactions.
func TestBackupUnderLoad(t *testing.T) {
	t.Parallel()
	records, rows := number(t, "BANKD_DRILL_RECORDS", 200), number(t, "BANKD_DRILL_ROWS", 2000)
	h := newHome(t)
	h.start().stop()
	h.fill(records, rows)
	p := h.start()
	c := h.client()
	public, identity := h.recipient("key.txt")
	var acknowledged atomic.Int64
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	var took latencies
	for w := range 4 {
		group.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				began := time.Now()
				_, err := c.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: fmt.Sprintf("w%d-%d", w, i), BankName: "b", EmployerID: "e"})
				if err != nil {
					t.Error(err)
					return
				}
				took.add(time.Since(began))
				acknowledged.Add(1)
			}
		})
	}
	if !banktest.Eventually(func() bool { return acknowledged.Load() > 50 }) {
		t.Fatal("nothing is written")
	}
	quiet := took.p99()
	atLeast, began := acknowledged.Load()+int64(records), time.Now()
	kept := h.backup(public)
	needed, busy := time.Since(began), took.p99()
	atMost := acknowledged.Load() + int64(records) + 4
	stop()
	group.Wait()
	p.stop()

	file := h.write("bankd.age", kept)
	if out, said, err := h.run("verify-backup", "--identity", identity, file); err != nil || !strings.Contains(out, "verified") {
		t.Fatalf("verify: %s %s %v", out, said, err)
	}
	if _, said, err := h.run("restore", "--identity", identity, file); err == nil || !strings.Contains(said, "never replaces one") {
		t.Errorf("restored over a database: %s", said)
	}
	if err := os.Rename(h.db(), h.db()+".lost"); err != nil {
		t.Fatal(err)
	}
	if out, said, err := h.run("restore", "--identity", identity, file); err != nil || !strings.Contains(out, "restored") {
		t.Fatalf("restore: %s %s %v", out, said, err)
	}
	h.start()
	_, info, err := c.ListAccounts(t.Context(), account.Query{}, page.Request{Page: 1, Limit: 1})
	if err != nil || int64(info.Total) < atLeast || int64(info.Total) > atMost {
		t.Errorf("%d accounts restored, want %d to %d: %v", info.Total, atLeast, atMost, err)
	}
	report, err := c.VerifyAudit(t.Context())
	if err != nil || !report.Intact {
		t.Errorf("%+v %v", report, err)
	}
	told, err := c.ListAudit(t.Context(), trail.Query{Action: "store.restore"})
	if err != nil || len(told) != 1 {
		t.Errorf("the restore in the audit log: %+v, %v", told, err)
	}
	if at := rowsAtRest(t, h); at != rows {
		t.Errorf("%d transactions restored, want %d", at, rows)
	}
	t.Logf("backup of %d accounts and %d transactions: %.1f MB in %v; p99 of writes %v before, %v meanwhile", info.Total, rows, float64(len(kept))/1e6, needed, quiet, busy)
}

// rowsAtRest counts the transactions in the segments of a bankd's file.
func rowsAtRest(t *testing.T, h home) int {
	t.Helper()
	n := 0
	copied := filepath.Join(h.dir, "count.db")
	copyTo(t, h.db(), copied)
	kek, err := vault.OpenFileKEK(h.key())
	if err != nil {
		t.Fatal(err)
	}
	e, err := bolt.Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	db, err := store.Open(t.Context(), e, kek, store.Options{Environment: "simulated", Schema: 1})
	if err != nil {
		t.Fatal(err)
	}
	err = db.View(t.Context(), func(tx *store.Tx) error {
		n = 0
		for _, tenant := range db.Tenants() {
			for rec, err := range store.NewBlobs("txn_segments").Heads(tx, tenant, store.Range{}) {
				if err != nil {
					return err
				}
				n += int(rec.Value[1]) // the head's second byte
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// latencies are how long calls took since they were last asked for.
type latencies struct {
	mu  sync.Mutex
	all []time.Duration
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, d)
}

func (l *latencies) p99() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.all) == 0 {
		return 0
	}
	slices.Sort(l.all)
	at := l.all[len(l.all)*99/100]
	l.all = nil
	return at
}

// A backup that was cut short, changed in a byte, made for somebody else or under another key is refused, and leaves no
// database. BANKD_BACKUP_DAMAGES is how many bytes are changed.
func TestDamagedBackupIsRefused(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.start()
	public, identity := h.recipient("key.txt")
	_, foreign := h.recipient("foreign.txt")
	kept := h.backup(public)
	p.stop()
	if err := os.Remove(h.db()); err != nil {
		t.Fatal(err)
	}
	refuse := func(name, identity string, b []byte, want string) {
		t.Helper()
		file := h.write("damaged.age", b)
		if out, said, err := h.run("restore", "--identity", identity, file); err == nil || !strings.Contains(said, want) {
			t.Errorf("%s: %s %s", name, out, said)
		}
		left, err := filepath.Glob(h.db() + "*")
		if err != nil || len(left) > 0 {
			t.Errorf("%s: it left %v", name, left)
		}
	}
	refuse("made for others", foreign, kept, "other recipients")
	refuse("an identity that is none", h.write("none.txt", []byte("x")), kept, "age-keygen")
	refuse("empty", identity, nil, "damaged")
	n := number(t, "BANKD_BACKUP_DAMAGES", 12)
	for i := range n {
		at := i * len(kept) / n
		bent := bytes.Clone(kept)
		bent[at] ^= 0x20
		refuse(fmt.Sprintf("byte %d changed", at), identity, bent, "bankd: error")
		refuse(fmt.Sprintf("cut at %d", at), identity, kept[:at], "bankd: error")
	}
	key := h.key()
	if err := os.Rename(key, key+".away"); err != nil {
		t.Fatal(err)
	}
	refuse("no key", identity, kept, "there is no key")
	other := newHome(t)
	other.start().stop()
	copyTo(t, other.key(), key)
	refuse("another key", identity, kept, "sealed with key")
	copyTo(t, key+".away", key)
	file := h.write("whole.age", kept)
	if _, said, err := h.run("restore", "--identity", identity, file); err != nil {
		t.Errorf("after all that: %s", said)
	}
	h.start()
}

// bankd makes backups by itself, of which the newest stay.
func TestBackupsOnSchedule(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	public, identity := h.recipient("key.txt")
	dir := filepath.Join(h.dir, "backups")
	args := []string{"--backup-dir", dir, "--backup-to", public, "--backup-keep", "2", "--backup-every", "1h"}
	var files []string
	made := func() bool {
		var err error
		files, err = filepath.Glob(filepath.Join(dir, "bankd-simulated-*.age"))
		return err == nil && len(files) > 0
	}
	p := h.start(args...)
	if !banktest.Eventually(made) {
		t.Fatal("no backup was made")
	}
	p.stop()
	name := filepath.Base(files[0])
	stem := name[:len(name)-len("20060102T150405Z.age")]
	for _, stamp := range []string{"20200101T000000Z", "20200102T000000Z"} {
		if err := os.Rename(files[0], filepath.Join(dir, stem+stamp+".age")); err != nil {
			t.Fatal(err)
		}
		p = h.start(args...)
		if !banktest.Eventually(func() bool { return made() && filepath.Base(files[len(files)-1]) > stem+"2021" }) {
			t.Fatal("no backup was made")
		}
		p.stop()
	}
	if len(files) != 2 || strings.Contains(files[0], "20200101") {
		t.Errorf("kept: %v", files)
	}
	if out, said, err := h.run("verify-backup", "--identity", identity, files[1]); err != nil {
		t.Errorf("%s %s", out, said)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".backup-*")); len(left) > 0 {
		t.Errorf("left over: %v", left)
	}
}

// A receiver of a backup that stands still holds up no write, however the file grows meanwhile.
func TestBackupToASlowReader(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.start().stop()
	h.fill(2000, 20_000)
	h.start()
	c := h.client()
	public, _ := h.recipient("key.txt")
	owner := client.New(h.socket())
	t.Cleanup(owner.Close)
	reading, goOn := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	slow := writerFunc(func(p []byte) (int, error) {
		select {
		case <-reading:
		default:
			close(reading)
			<-goOn
		}
		return len(p), nil
	})
	go func() {
		_, err := owner.Backup(t.Context(), []string{public}, slow)
		done <- err
	}()
	<-reading
	before, err := os.Stat(h.db())
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		if _, err := c.AddAccount(t.Context(), account.AddParams{UserID: "u", Name: strings.Repeat("n", 200), BankName: "b", EmployerID: fmt.Sprint("e", i)}); err != nil {
			t.Fatal(err)
		}
		now, err := os.Stat(h.db())
		if err != nil {
			t.Fatal(err)
		}
		if now.Size() > before.Size()+2<<20 {
			break
		}
	}
	close(goOn)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// An identity that others can read is refused with the command that mends it.
func TestIdentityIsKept(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.start()
	public, identity := h.recipient("key.txt")
	file := h.write("bankd.age", h.backup(public))
	p.stop()
	if err := os.Chmod(identity, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, said, err := h.run("verify-backup", "--identity", identity, file); err == nil || !strings.Contains(said, "chmod 600") {
		t.Errorf("an identity that others can read: %s", said)
	}
}

// doctor looks at the key, the escrow, the anchor and the backups, and says what is wrong with each.
func TestDoctorOnKeysAndBackups(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.start()
	c := h.client()
	c.ClientID, c.Secret = "", ""
	look := func() map[string]status.Check {
		t.Helper()
		e, err := c.Examine(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]status.Check{}
		for _, check := range e.Checks {
			all[check.Name] = check
		}
		return all
	}
	before := look()
	for _, name := range []string{"key", "escrow", "anchor", "backup"} {
		if got := before[name]; got.Result != status.Fine || got.Detail == "" {
			t.Errorf("%s of a simulated bankd: %+v", name, got)
		}
	}
	public, _ := h.recipient("key.txt")
	h.backup(public)
	if got := look()["backup"]; !strings.Contains(got.Detail, "opened") || !strings.Contains(got.Hint, "backup verify") {
		t.Errorf("a backup that nobody opened: %+v", got)
	}
	if err := os.Rename(h.key(), h.key()+".away"); err != nil {
		t.Fatal(err)
	}
	if got := look()["key"]; got.Result != status.Broken || !strings.Contains(got.Hint, "before the next start") {
		t.Errorf("a key file that is gone while bankd runs: %+v", got)
	}
}
