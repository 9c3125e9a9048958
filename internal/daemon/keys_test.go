package daemon_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"filippo.io/age"
	"go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/keys"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
	"github.com/bankctl/bankctl/internal/vault/vaulttest"
)

// identityFile makes an age identity as age-keygen does, and returns its file and its recipient.
func identityFile(t *testing.T, dir, name string) (file string, to keys.Recipient) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte("# public key: "+id.Recipient().String()+"\n"+id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, keys.Recipient{Name: name, Key: id.Recipient().String()}
}

// startAt starts a bankd that ends at a crash point.
func (h home) startAt(point string, args ...string) *process {
	h.t.Helper()
	return start(h.t, append(h.env(), "BANKD_CRASH_AT="+point), h.bin, args...)
}

func (h home) owner() *client.Client {
	c := client.New(h.socket())
	h.t.Cleanup(c.Close)
	return c
}

// rows are accounts and their ACH accounts, as they must be read back.
type rows struct {
	mu       sync.Mutex
	accounts map[string]string // id → name
}

func (r *rows) add(id, name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.accounts == nil {
		r.accounts = map[string]string{}
	}
	r.accounts[id] = name
}

func (r *rows) ids() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]string, 0, len(r.accounts))
	for id := range r.accounts {
		ids = append(ids, id)
	}
	return ids
}

func (r *rows) fill(t *testing.T, c *client.Client, n int) {
	t.Helper()
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			c, err := another(c) // each client has so many Idempotency-Keys a day
			if err != nil {
				t.Error(err)
				return
			}
			for i := w; i < n; i += 8 {
				name := fmt.Sprintf("account %d", i)
				a, err := c.AddAccount(context.Background(), account.AddParams{UserID: "u", Name: name, BankName: "b", EmployerID: "e1"})
				if err != nil {
					t.Error(err)
					return
				}
				r.add(a.ID, name)
			}
		})
	}
	group.Wait()
}

// another makes a client beside c.
func another(c *client.Client) (*client.Client, error) {
	m, err := c.AddClient(context.Background(), tenant.ClientParams{Name: "another", Role: tenant.Admin, Employers: tenant.Everything})
	next := client.New(c.Socket)
	next.ClientID, next.Secret = m.ID, m.Secret
	return next, err
}

func (r *rows) check(t *testing.T, c *client.Client) {
	t.Helper()
	for id, name := range r.accounts {
		if a, err := c.GetAccount(t.Context(), id); err != nil || a.Name != name {
			t.Fatalf("an account is lost: %v", err)
		}
	}
}

// settled waits until no rotation is under way, and checks that nothing lies under an old key and all of it opens.
func settled(t *testing.T, owner *client.Client) keys.Report {
	t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		s, err := owner.KeyStatus(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if s.Rotation == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the rotation does not end: %+v", s.Rotation)
		}
	}
	r, err := owner.VerifyKeys(t.Context())
	if err != nil || !r.OK || r.Old != 0 || r.Keysets == 0 {
		t.Fatalf("%+v %v", r, err)
	}
	chain, err := owner.VerifyAudit(t.Context())
	if err != nil || !chain.Intact {
		t.Fatalf("audit chain: %+v %v", chain, err)
	}
	return r
}

// kill -9 at every point of a rotation, an escrow and a tenant's deletion. After each the next start has all rows, ends
// what was begun, and leaves no value under an old key.
func TestKillWithKeys(t *testing.T) {
	t.Parallel()
	rotate := func(t *testing.T, c *client.Client) error {
		_, err := c.RotateKeys(t.Context(), keys.RotateParams{})
		return err
	}
	escrow := func(t *testing.T, c *client.Client) error {
		_, to1 := identityFile(t, t.TempDir(), "one")
		_, to2 := identityFile(t, t.TempDir(), "two")
		_, err := c.SetEscrow(t.Context(), keys.EscrowParams{To: []keys.Recipient{to1, to2}})
		return err
	}
	remove := func(t *testing.T, c *client.Client) error {
		all, _, err := c.ListTenants(t.Context(), page.Request{})
		if err != nil {
			return err
		}
		for _, found := range all {
			if found.Name == "acme" {
				_, err = c.DeleteTenant(t.Context(), found.ID)
			}
		}
		return err
	}
	runs := 1
	if n, err := strconv.Atoi(os.Getenv("BANKD_CRASH_RUNS")); err == nil && n > 0 {
		runs = n
	}
	var killed atomic.Int64
	t.Cleanup(func() { t.Logf("in all: %d killed, 0 rows lost, 0 values under an old key", killed.Load()) })
	points := map[string]func(*testing.T, *client.Client) error{
		"kek.made": rotate, "kek.wrapped": rotate, "kek.header": rotate, "kek.settled": rotate,
		"rotate.begun": rotate, "rotate.keys": rotate, "rotate.step": rotate, "rotate.step:2": rotate, "rotate.step:3": rotate,
		"rotate.own": rotate, "rotate.dropped": rotate, "rotate.done": rotate,
		"escrow.made": escrow, "escrow.stored": escrow, "tenant.dropped": remove, "tenant.records": remove, "tenant.gone": remove,
	}
	for point, act := range points {
		t.Run(strings.ReplaceAll(point, ":", "-"), func(t *testing.T) {
			t.Parallel()
			for range runs {
				h := newHome(t)
				p := h.start()
				c, owner := h.client(), h.owner()
				if _, err := owner.AddTenant(t.Context(), tenant.AddParams{Name: "acme"}); err != nil {
					t.Fatal(err)
				}
				var r rows
				r.fill(t, c, 150)
				p.stop()
				p = h.startAt(point)
				err := act(t, owner)
				if err != nil && !fault.Is(err, fault.Unavailable) {
					t.Fatal(err)
				}
				select {
				case <-p.done:
				case <-time.After(patience):
					t.Fatal("not killed")
				}
				if p.cmd.ProcessState.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
					t.Fatalf("ended with %s", p.cmd.ProcessState)
				}
				killed.Add(1)
				p = h.start()
				r.check(t, c)
				report := settled(t, owner)
				s, err := owner.KeyStatus(t.Context())
				if err != nil || len(s.Keysets) != 1 || !s.Keysets[0].Current {
					t.Errorf("%+v %v", s, err)
				}
				finished, err := c.ListAudit(t.Context(), trail.Query{Action: "keys.finish_rotate_kek"})
				if want := slices.Contains([]string{"kek.made", "kek.wrapped", "kek.header"}, point); err != nil || want != (len(finished) == 1) {
					t.Errorf("%d records of a finished rotation, %v", len(finished), err)
				}
				if _, err := os.Stat(h.key() + ".next"); err == nil {
					t.Error("an unfinished key file is left")
				}
				if len(s.Escrow) != 0 && point == "escrow.made" || len(s.Escrow) != 2 && point == "escrow.stored" {
					t.Errorf("escrow %v", s.Escrow)
				}
				if want := map[bool]int{true: 2, false: 3}[strings.HasPrefix(point, "tenant.")]; report.Keysets != want {
					t.Errorf("%d keysets, want %d", report.Keysets, want)
				}
				p.stop()
				h.start().stop() // and once more without anything to finish
			}
		})
	}
}

// Writes and reads go on a second before, while and after both keys turn: none fails, none is lost, and no value lies
// under an old key. BANKD_KEYS_ROWS rows.
func TestRotationUnderLoad(t *testing.T) {
	t.Parallel()
	n := 1500
	if set, err := strconv.Atoi(os.Getenv("BANKD_KEYS_ROWS")); err == nil && set > 0 {
		n = set
	}
	h := newHome(t)
	p := h.start("--log-level", "error")
	c, owner := h.client(), h.owner()
	var r rows
	r.fill(t, c, n)
	ids := r.ids()
	before, err := owner.VerifyKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	var group sync.WaitGroup
	var mu sync.Mutex
	var took []time.Duration
	var reads, writes atomic.Int64
	call := func(count *atomic.Int64, fn func(i int) error) {
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				began := time.Now()
				if err := fn(i); err != nil {
					t.Errorf("a call under the rotation: %v", err)
					return
				}
				mu.Lock()
				took = append(took, time.Since(began))
				mu.Unlock()
				count.Add(1)
			}
		})
	}
	for w := range 2 {
		writer, err := another(c)
		if err != nil {
			t.Fatal(err)
		}
		call(&reads, func(i int) error {
			id := ids[(i*7+w)%len(ids)]
			a, err := c.GetAccount(context.Background(), id)
			if err == nil && a.ID != id {
				err = fmt.Errorf("another account")
			}
			return err
		})
		call(&writes, func(i int) error {
			name := fmt.Sprintf("written %d.%d", w, i)
			a, err := writer.AddAccount(context.Background(), account.AddParams{UserID: "u", Name: name, BankName: "b", EmployerID: "e1"})
			if err == nil {
				r.add(a.ID, name)
			}
			return err
		})
	}
	time.Sleep(time.Second) // the load before
	began := time.Now()
	turned, err := owner.RotateKeys(t.Context(), keys.RotateParams{})
	if err != nil {
		t.Fatal(err)
	}
	settled(t, owner)
	rotation := time.Since(began)
	time.Sleep(time.Second) // the load after
	close(stop)
	group.Wait()
	report := settled(t, owner)
	for _, old := range before.Values {
		if slices.ContainsFunc(report.Values, func(v keys.Values) bool { return v.Key == old.Key }) {
			t.Errorf("values of %s still lie under the key from before", old.Tenant)
		}
	}
	if turned.From == turned.To || turned.Keysets != before.Keysets {
		t.Errorf("%+v", turned)
	}
	r.check(t, c)
	slices.Sort(took)
	t.Logf("%d records, turned in %s; meanwhile and a second around %d reads and %d writes, 0 failed, p50 %s, p99 %s, longest %s; %d values under new keys, 0 under old",
		report.Records, rotation.Round(time.Millisecond), reads.Load(), writes.Load(), took[len(took)/2].Round(time.Microsecond),
		took[len(took)*99/100].Round(time.Microsecond), took[len(took)-1].Round(time.Microsecond), sumValues(report))
	p.stop()
	h.start().stop()
}

func sumValues(r keys.Report) (n uint64) {
	for _, v := range r.Values {
		n += v.Number
	}
	return n
}

// The drill: the key is destroyed; either identity and the database bring everything back, and a kill in between leaves
// the old or the new state.
func TestRecover(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.start()
	c, owner := h.client(), h.owner()
	file1, to1 := identityFile(t, h.dir, "one")
	file2, to2 := identityFile(t, h.dir, "two")
	if _, err := owner.SetEscrow(t.Context(), keys.EscrowParams{To: []keys.Recipient{to1, to2}}); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.AddTenant(t.Context(), tenant.AddParams{Name: "later"}); err != nil {
		t.Fatal(err)
	}
	var r rows
	r.fill(t, c, 100)
	recover := func(point, identity string, more ...string) (string, error) {
		cmd := exec.Command(h.bin, append([]string{"recover", "--identity", identity}, more...)...)
		cmd.Env = append(append(os.Environ(), h.env()...), "BANKD_CRASH_AT="+point)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if said, err := recover("", file1); err == nil || !strings.Contains(said, "in use") {
		t.Errorf("beside a bankd that runs: %s %v", said, err)
	}
	p.stop()
	old, err := os.ReadFile(h.key())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(h.key()); err != nil {
		t.Fatal(err)
	}
	if said := h.refused(); !strings.Contains(said, "no key at") {
		t.Errorf("without a key: %s", said)
	}
	stranger, _ := identityFile(t, h.dir, "stranger")
	if said, err := recover("", stranger); err == nil || !strings.Contains(said, "does not open with this identity") {
		t.Errorf("a stranger's identity: %s %v", said, err)
	}
	// Killed before anything was written: the old key still opens all.
	if said, err := recover("recover.checked", file1); err == nil {
		t.Fatalf("not killed: %s", said)
	}
	aside, anchors := filepath.Join(h.dir, "aside"), filepath.Join(filepath.Dir(h.key()), "anchors")
	if err := os.WriteFile(aside, old, 0o600); err != nil {
		t.Fatal(err)
	}
	p = h.start("--key-file", aside, "--anchor", anchors)
	r.check(t, c)
	p.stop()
	// Killed after: the new key opens all.
	if said, err := recover("recover.stored", file2); err == nil {
		t.Fatalf("not killed: %s", said)
	}
	p = h.start()
	r.check(t, c)
	settled(t, owner)
	p.stop()
	if said := h.refused("--key-file", aside, "--anchor", anchors); !strings.Contains(said, "sealed with key") {
		t.Errorf("the old key: %s", said)
	}
	// And undisturbed, by the other identity, to another key file.
	other := filepath.Join(h.dir, "another", "kek")
	said, err := recover("", file1, "--key-file", other)
	if err != nil || !strings.Contains(said, "recovered 3 keysets") || !strings.Contains(said, other) {
		t.Fatalf("%s %v", said, err)
	}
	p = h.start("--key-file", other, "--anchor", anchors)
	r.check(t, c)
	report := settled(t, owner)
	t.Logf("recovered %d records and %d keysets, three times", report.Records, report.Keysets)
	p.stop()
}

// sealedOf returns the sealed values of a stopped bankd whose key contains what.
func (h home) sealedOf(what string) (found [][]byte) {
	h.t.Helper()
	db, err := bbolt.Open(h.db(), 0o600, &bbolt.Options{ReadOnly: true, Timeout: time.Second})
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	if err := db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket([]byte("bankd")).ForEach(func(k, v []byte) error {
			if bytes.Contains(k, []byte(what)) {
				found = append(found, bytes.Clone(v))
			}
			return nil
		})
	}); err != nil {
		h.t.Fatal(err)
	}
	return found
}

// The sealed bytes of deleted numbers are nowhere in the file after a stop, nor, after a kill, after the next run.
func TestDeletedNumbersVanish(t *testing.T) {
	t.Parallel()
	for _, killed := range []bool{false, true} {
		t.Run(fmt.Sprintf("killed-%v", killed), func(t *testing.T) {
			t.Parallel()
			h := newHome(t)
			p := h.start()
			c := h.client()
			var r rows
			r.fill(t, c, 50)
			params := account.AddACHParams{OwnerType: "employer", OwnerID: "e1", BankName: "b", AccountType: "checking"}
			params.RoutingNumber, params.AccountNumber = ach.NewRoutingNumber("021000021"), ach.NewAccountNumber("1111222233331111")
			made, err := c.AddACH(t.Context(), params)
			if err != nil {
				t.Fatal(err)
			}
			nickname := "changed"
			if _, err := c.UpdateACH(t.Context(), made.ID, account.UpdateACHParams{Nickname: &nickname}); err != nil {
				t.Fatal(err)
			}
			p.stop()
			sealed := append(h.sealedOf("/ach_accounts/"+made.ID), h.sealedOf("/ach_numbers/")...)
			if len(sealed) != 2 {
				t.Fatalf("%d sealed values", len(sealed))
			}
			p = h.start()
			if _, err := c.DeleteACH(t.Context(), made.ID); err != nil {
				t.Fatal(err)
			}
			if killed {
				_ = p.cmd.Process.Kill()
				<-p.done
				p = h.start()
			}
			p.stop()
			whole, err := os.ReadFile(h.db())
			if err != nil {
				t.Fatal(err)
			}
			for _, value := range sealed {
				if bytes.Contains(whole, value) || bytes.Contains(whole, value[6:40]) {
					t.Error("the sealed bytes of a deleted account are in the file")
				}
			}
			h.start().stop()
		})
	}
}

// The whole loss: key and disk are gone, after both keys were turned. A backup to the escrow's recipients and one identity
// bring everything back.
func TestDrillWithoutKey(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	p := h.start()
	c, owner := h.client(), h.owner()
	file1, to1 := identityFile(t, h.dir, "one")
	_, to2 := identityFile(t, h.dir, "two")
	if _, err := owner.SetEscrow(t.Context(), keys.EscrowParams{To: []keys.Recipient{to1, to2}}); err != nil {
		t.Fatal(err)
	}
	var r rows
	r.fill(t, c, 100)
	backup := h.write("before.age", h.backup()) // to the escrow's recipients
	if _, err := owner.RotateKeys(t.Context(), keys.RotateParams{}); err != nil {
		t.Fatal(err)
	}
	settled(t, owner)
	p.stop()
	for _, lost := range []bool{false, true} { // the newer key first, which does not open the backup, then none
		if lost {
			if err := os.RemoveAll(filepath.Dir(h.key())); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.RemoveAll(h.data()); err != nil {
			t.Fatal(err)
		}
		if _, said, err := h.run("verify-backup", "--identity", file1, backup); err != nil {
			t.Fatalf("verify: %s", said)
		}
		if _, err := os.Stat(h.key()); lost == (err == nil) {
			t.Errorf("a verification made or lost a key: %v", err)
		}
		if _, said, err := h.run("restore", "--identity", file1, backup); err != nil {
			t.Fatalf("restore: %s", said)
		}
		p = h.start()
		r.check(t, c)
		settled(t, owner)
		p.stop()
	}
}

// Data moves from a key file to Vault and back while it serves; a version that was made in Vault by others is taken by a
// rewrap; the key from before opens nothing afterwards.
func TestRewrapToAnotherProvider(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	server := vaulttest.Start(t)
	server.MakeKey("bankd", "aes256-gcm96")
	token := h.write("token", []byte(vaulttest.Token+"\n"))
	old := h.write("old.yaml", []byte("key_file: "+h.key()+"\n"))
	transit := []string{"--kek-provider", "vault-transit", "--vault-address", server.HTTP.URL, "--vault-token-file", token}
	p := h.start()
	c, owner := h.client(), h.owner()
	var r rows
	r.fill(t, c, 30)
	p.stop()
	if said := h.refused(transit...); !strings.Contains(said, "kek_from") {
		t.Errorf("another provider without kek_from: %s", said)
	}
	rewrap := func(to string) {
		t.Helper()
		turned, err := owner.RewrapKeys(t.Context(), keys.RewrapParams{})
		if err != nil || turned.Keysets != 2 || !strings.HasPrefix(turned.To, to) || turned.Status.KEK != turned.To {
			t.Fatalf("%+v %v", turned, err)
		}
		settled(t, owner)
	}
	p = h.start(append(transit, "--kek-from", old)...)
	r.check(t, c)
	rewrap("vault-transit:transit/bankd#v1")
	p.stop()
	if said := h.refused(); !strings.Contains(said, "sealed with key vault-transit:transit/bankd#v1") {
		t.Errorf("the key file still opens the data: %s", said)
	}
	p = h.start(transit...)
	r.check(t, c)
	server.Rotate("bankd")
	rewrap("vault-transit:transit/bankd#v2")
	turned, err := owner.RotateKeys(t.Context(), keys.RotateParams{})
	if err != nil || turned.To != "vault-transit:transit/bankd#v3" {
		t.Fatalf("%+v %v", turned, err)
	}
	settled(t, owner)
	server.ForbidBelow("bankd", 3)
	p.stop()
	p = h.start(transit...)
	server.Hang.Store(true) // a rotation in an outage changes nothing
	began := time.Now()
	if _, err := owner.RotateKeys(t.Context(), keys.RotateParams{}); !fault.Is(err, fault.Unavailable) || time.Since(began) > 2*time.Second {
		t.Errorf("a rotation in an outage, after %s: %v", time.Since(began), err)
	}
	if _, err := owner.RotateKeys(t.Context(), keys.RotateParams{Only: keys.OnlyData}); !fault.Is(err, fault.Unavailable) {
		t.Errorf("data keys in an outage: %v", err)
	}
	if s, err := owner.KeyStatus(t.Context()); err != nil || s.Rotation != nil || s.KEK != turned.To {
		t.Errorf("%+v %v", s, err)
	}
	server.Hang.Store(false)
	p.stop()
	back := h.write("vault.yaml", []byte("kek_provider: vault-transit\nvault_address: "+server.HTTP.URL+"\nvault_token_file: "+token+"\n"))
	p = h.start("--kek-from", back)
	r.check(t, c)
	rewrap("file:")
	p.stop()
	h.start().stop()
}
