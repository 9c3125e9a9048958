package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/vault"
)

var bulky = store.NewBlobs("bulky")

func noAudit(*store.Tx) error { return nil }

func noEnd(*store.Tx, store.Rotation) error { return nil }

func putBlobs(t testing.TB, db *store.DB, tenant string, n int) {
	t.Helper()
	update(t, db, func(tx *store.Tx) error {
		for i := range n {
			if err := bulky.Put(tx, tenant, fmt.Sprintf("b-%03d", i), []byte("head"), make([]byte, 5000)); err != nil {
				return err
			}
		}
		return nil
	})
}

// onlyCurrent fails unless every value lies under its tenant's newest key, and opens; it returns the number of values.
func onlyCurrent(t *testing.T, db *store.DB) (values uint64) {
	t.Helper()
	counts, err := db.CountByKey(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range counts {
		if values += c.Values; !c.Current {
			t.Errorf("%d values of %s lie under the old key %s", c.Values, c.Tenant, c.Key)
		}
	}
	if report := mustScrub(t, db); len(report.Problems) > 0 {
		t.Errorf("after the rotation: %v", report.Problems)
	}
	return values
}

func readNote(db *store.DB, tenant, id string) (n note, err error) {
	err = db.View(context.Background(), func(tx *store.Tx) (err error) {
		n, err = notes.Get(tx, tenant, id)
		return err
	})
	return n, err
}

// A rotation turns the key of every value while others read and write; digests, tokens and older snapshots go on.
func TestRotation(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, e store.Engine) {
		kek := newKEK(t)
		db := openDB(t, e, kek, "a", "b")
		for _, tenant := range []string{"a", "b", store.SystemTenant} {
			putNotes(t, db, tenant, 700)
			putBlobs(t, db, tenant, 40)
		}
		before, err := db.Fingerprint("a", "p", []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		token, err := db.SealToken("a", "p", "bind", []byte("plain"))
		if err != nil {
			t.Fatal(err)
		}
		old, err := db.CountByKey(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		stop := make(chan struct{})
		var group sync.WaitGroup
		group.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				id := fmt.Sprintf("id-%03d", i%700)
				if err := db.Update(context.Background(), func(tx *store.Tx) error { return notes.Put(tx, "a", id, note{"text", i % 700}) }); err != nil {
					t.Errorf("write: %v", err)
					return
				}
				if n, err := readNote(db, "b", id); err != nil || n.N != i%700 {
					t.Errorf("read: %v", err)
					return
				}
			}
		})
		if _, isMem := e.(*mem.Engine); !isMem { // mem has one transaction at a time
			began := make(chan struct{})
			group.Go(func() {
				err := db.View(context.Background(), func(tx *store.Tx) error {
					close(began)
					<-stop // until after the old keys are dropped
					for rec, err := range notes.Scan(tx, "b", store.Range{}) {
						if err != nil || rec.Value.Text != "text" {
							return fmt.Errorf("%s: %w", rec.ID, err)
						}
					}
					return nil
				})
				if err != nil {
					t.Errorf("a snapshot from before: %v", err)
				}
			})
			<-began
		}
		for range 2 {
			if err := db.BeginRotation(t.Context(), time.Now(), noAudit); err != nil {
				t.Fatal(err)
			}
			if err := db.BeginRotation(t.Context(), time.Now(), noAudit); !errors.Is(err, store.ErrRotating) {
				t.Errorf("a second one beside it: %v", err)
			}
			if r, found, err := db.Rotation(t.Context()); err != nil || !found || r.Total < 3*740 {
				t.Errorf("progress %+v %v %v", r, found, err)
			}
			ended := 0
			if err := db.ContinueRotation(t.Context(), func(*store.Tx, store.Rotation) error { ended = 1; return nil }); err != nil || ended != 1 {
				t.Fatal(err)
			}
		}
		close(stop)
		group.Wait()
		onlyCurrent(t, db)
		for _, o := range old {
			now, err := db.CountByKey(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range now {
				if n.Key == o.Key {
					t.Errorf("%s still has its first key", n.Tenant)
				}
			}
		}
		again := openDB(t, e, kek)
		if values := onlyCurrent(t, again); values < 3*(700+2*40) {
			t.Errorf("only %d values", values)
		}
		if got, err := again.Fingerprint("a", "p", []byte("x")); err != nil || got != before {
			t.Error("a digest changed")
		}
		if got, err := again.OpenToken("a", "p", "bind", token); err != nil || string(got) != "plain" {
			t.Errorf("a token from before: %v", err)
		}
		if _, found, err := again.Rotation(t.Context()); err != nil || found {
			t.Error("the rotation is not over")
		}
	})
}

// endingEngine ends the process's writes at the n-th commit.
type endingEngine struct {
	store.Engine
	left int
}

var errEnded = errors.New("the process ended")

func (e *endingEngine) Update(ctx context.Context, fn func(store.EngineTx) error) error {
	if e.left--; e.left < 0 {
		return errEnded
	}
	return e.Engine.Update(ctx, fn)
}

// A rotation that ends after any of its commits is taken up by the next start, and all values open at every one.
func TestRotationResumes(t *testing.T) {
	t.Parallel()
	for commits := 0; ; commits++ {
		e, kek := mem.New(), newKEK(t)
		db := openDB(t, e, kek, "a", "b")
		putNotes(t, db, "a", 600)
		putNotes(t, db, "b", 600)
		ending := &endingEngine{Engine: e, left: 1 << 30}
		dying := openDB(t, ending, kek)
		ending.left = commits
		err := dying.BeginRotation(t.Context(), time.Now(), noAudit)
		if err == nil {
			err = dying.ContinueRotation(t.Context(), noEnd)
		}
		over := err == nil
		if err != nil && !errors.Is(err, errEnded) {
			t.Fatal(err)
		}
		db = openDB(t, e, kek)
		if report := mustScrub(t, db); len(report.Problems) > 0 || report.Records != 1200 {
			t.Fatalf("after %d commits: %v", commits, report)
		}
		if err := db.ContinueRotation(t.Context(), noEnd); err != nil {
			t.Fatalf("after %d commits: %v", commits, err)
		}
		db = openDB(t, e, kek)
		onlyCurrent(t, db)
		if over {
			t.Logf("a rotation of %d commits, ended after each", commits)
			return
		}
	}
}

// A file's key is turned and put in place; a crash after any commit leaves keysets that the two files open.
func TestRotateKEK(t *testing.T) {
	t.Parallel()
	for commits := 0; ; commits++ {
		path := filepath.Join(t.TempDir(), "kek")
		kek, err := vault.CreateFileKEK(path)
		if err != nil {
			t.Fatal(err)
		}
		e := mem.New()
		tenants := make([]string, 501) // two transactions of keysets
		for i := range tenants {
			tenants[i] = fmt.Sprintf("t-%03d", i)
		}
		openDB(t, e, kek, tenants...)
		ending := &endingEngine{Engine: e, left: 1 << 30}
		dying := openDB(t, ending, kek)
		ending.left = commits
		done, err := dying.RotateKEK(t.Context(), func(*store.Tx, store.Rewrapped) error { return nil })
		over := err == nil
		if !over {
			if !errors.Is(err, errEnded) {
				t.Fatal(err)
			}
			old, err := vault.OpenFileKEK(path)
			if err != nil {
				t.Fatal(err)
			}
			next, err := vault.NextFileKEK(path)
			if err != nil {
				t.Fatal(err)
			}
			db := openDB(t, e, vault.WithOld(old, next)) // as a start does
			if done, err = db.FinishRewrap(t.Context(), next); err != nil {
				t.Fatal(err)
			}
		}
		if done.From != kek.ID() && over || done.To == kek.ID() || done.Keysets != 502 {
			t.Errorf("%+v", done)
		}
		now, err := vault.OpenFileKEK(path)
		if err != nil || now.ID() != done.To {
			t.Fatalf("the new key is not in place: %v", err)
		}
		db := openDB(t, e, now)
		if counts, err := db.KEKs(t.Context()); err != nil || len(counts) != 1 || counts[now.ID()] != 502 {
			t.Errorf("%v %v", counts, err)
		}
		if n, err := db.CheckKeysets(t.Context()); err != nil || n != 502 {
			t.Errorf("%d %v", n, err)
		}
		if _, err := store.Open(t.Context(), e, kek, simulated); !errors.Is(err, store.ErrWrongKey) {
			t.Errorf("the old key still opens the data: %v", err)
		}
		if over {
			t.Logf("a turn of %d commits, ended after each", commits)
			return
		}
	}
}

func newIdentity(t *testing.T) (file, recipient string) {
	t.Helper()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "identity.txt")
	if err := os.WriteFile(file, []byte("# created by a test\n"+id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, id.Recipient().String()
}

func openIdentity(t *testing.T, file string) vault.Identity {
	t.Helper()
	id, err := vault.OpenIdentity(file)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// Either of two identities recovers everything when the KEK is lost: tenants made before and after the escrow, rotated
// or in the middle of it.
func TestEscrow(t *testing.T) {
	t.Parallel()
	engines(t, func(t *testing.T, e store.Engine) {
		db := openDB(t, e, newKEK(t), "before")
		putNotes(t, db, "before", 50)
		file1, to1 := newIdentity(t)
		file2, to2 := newIdentity(t)
		_, to3 := newIdentity(t)
		for _, few := range [][]store.Recipient{nil, {{Key: to1}}, {{Key: to1}, {Key: to1}}, {{Key: to1}, {Key: "age1x"}}} {
			if err := db.SetEscrow(t.Context(), few, noAudit); !errors.Is(err, store.ErrTooFewRecipients) && !errors.Is(err, store.ErrRecipient) {
				t.Errorf("%d recipients: %v", len(few), err)
			}
		}
		if _, err := store.Recover(t.Context(), e, openIdentity(t, file1), newKEK(t)); !errors.Is(err, store.ErrNoEscrow) {
			t.Errorf("without an escrow: %v", err)
		}
		if err := db.SetEscrow(t.Context(), []store.Recipient{{Key: to1}, {Name: "x", Key: to3}}, noAudit); err != nil {
			t.Fatal(err)
		}
		if _, err := store.Recover(t.Context(), e, openIdentity(t, file2), newKEK(t)); !errors.Is(err, store.ErrWrongIdentity) {
			t.Errorf("another identity: %v", err)
		}
		if err := db.SetEscrow(t.Context(), []store.Recipient{{Key: to1}, {Name: "safe", Key: to2}}, noAudit); err != nil {
			t.Fatal(err)
		}
		if err := db.EnsureTenant(t.Context(), "after"); err != nil {
			t.Fatal(err)
		}
		putNotes(t, db, "after", 50)
		rotated := false
		for _, file := range []string{file1, file2, file1} {
			lost := newKEK(t)
			done, err := store.Recover(t.Context(), e, openIdentity(t, file), lost)
			if err != nil || done.Records != 100 || done.Keysets != 3 || done.Header.KEK != lost.ID() {
				t.Fatalf("%+v %v", done, err)
			}
			db = openDB(t, e, lost)
			if n, err := readNote(db, "after", "id-007"); err != nil || n.N != 7 {
				t.Errorf("after the recovery: %v", err)
			}
			if got := db.Recipients(); len(got) != 2 || got[1].Name != "safe" {
				t.Errorf("recipients %v", got)
			}
			if !rotated { // the next recovery finds it half way
				if err := db.BeginRotation(t.Context(), time.Now(), noAudit); err != nil {
					t.Fatal(err)
				}
				rotated = true
			} else if err := db.ContinueRotation(t.Context(), noEnd); err != nil {
				t.Fatal(err)
			}
			onlyOpens(t, db)
		}
		onlyCurrent(t, db)
	})
}

func onlyOpens(t *testing.T, db *store.DB) {
	t.Helper()
	if report := mustScrub(t, db); len(report.Problems) > 0 {
		t.Errorf("%v", report.Problems)
	}
}

// The text of a wrong recipient or identity may be a secret by mistake: no error quotes it.
func TestEscrowErrorsQuoteNothing(t *testing.T) {
	t.Parallel()
	id, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.ParseRecipients([]string{id.String()}); err == nil || strings.Contains(err.Error(), id.String()[4:20]) {
		t.Errorf("a secret taken for a recipient: %v", err)
	}
	file := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(file, []byte(id.String()[:40]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := vault.OpenIdentity(file); err == nil || strings.Contains(err.Error(), id.String()[16:40]) {
		t.Errorf("a cut identity: %v", err)
	}
	whole := filepath.Join(t.TempDir(), "id")
	if err := os.WriteFile(whole, []byte(id.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	opened, err := vault.OpenIdentity(whole)
	if err != nil {
		t.Fatal(err)
	}
	holder := struct{ id vault.Identity }{opened}
	if text := fmt.Sprintf("%v %+v %#v %v", opened, holder, holder, &holder); strings.Contains(text, id.String()[16:40]) {
		t.Error("an identity prints itself")
	}
}

// A destroyed tenant leaves no key and no record; what lay under its key is gone from the file after a wipe.
func TestDestroyTenant(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bankd.db")
	e, err := bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	kek := newKEK(t)
	db := openDB(t, e, kek, "gone", "gone-not", "stays")
	_, to1 := newIdentity(t)
	_, to2 := newIdentity(t)
	if err := db.SetEscrow(t.Context(), []store.Recipient{{Key: to1}, {Key: to2}}, noAudit); err != nil {
		t.Fatal(err)
	}
	for _, tenant := range []string{"gone", "gone-not", "stays"} {
		putNotes(t, db, tenant, 1200)
	}
	sealed := map[string][]byte{}
	if err := e.View(t.Context(), func(tx store.EngineTx) error {
		for entry, err := range tx.Scan(nil, nil, false) {
			if err != nil {
				return err
			}
			if key := string(entry.Key); strings.HasPrefix(key, "gone/") || key == "!keyset/gone" || key == "!escrow/gone" {
				sealed[key] = entry.Value
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(sealed) != 1202 {
		t.Fatalf("%d values", len(sealed))
	}
	if err := db.DestroyTenant(t.Context(), "gone"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("without a mark: %v", err)
	}
	if err := db.Update(t.Context(), func(tx *store.Tx) error { return tx.Doom(store.SystemTenant) }); err == nil {
		t.Error("the system's tenant was doomed")
	}
	update(t, db, func(tx *store.Tx) error { return tx.Doom("gone") })
	if err := db.DestroyTenant(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	if _, err := readNote(db, "gone", "id-001"); !errors.Is(err, store.ErrUnknownTenant) {
		t.Errorf("a destroyed tenant: %v", err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	pages, again, err := db.Wipe(t.Context())
	if err != nil || again || pages == 0 {
		t.Fatalf("%d %v %v", pages, again, err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	left, was := 0, 0
	for key, value := range sealed {
		if strings.HasPrefix(key, "gone/") && !strings.HasSuffix(key, "7") {
			continue // a tenth will do
		}
		if bytes.Contains(before, value) {
			was++
		}
		if bytes.Contains(after, value) {
			left++
		}
	}
	if was == 0 || left > 0 {
		t.Errorf("%d sealed values in the file before the wipe, %d after", was, left)
	}
	t.Logf("%d of a tenth of %d sealed values in the file before the wipe of %d pages, %d after", was, len(sealed), pages, left)
	e, err = bolt.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	db = openDB(t, e, kek)
	if got := db.Tenants(); len(got) != 2 {
		t.Errorf("tenants %v", got)
	}
	onlyOpens(t, db)
}
