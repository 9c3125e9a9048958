package vault_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/secret"
	"github.com/bankctl/bankctl/internal/vault"
	"github.com/bankctl/bankctl/internal/vault/vaulttest"
)

// provider is what the contract needs of one.
type provider struct {
	prefix string // of its ids
	// open returns the same key at every call; other returns a different one.
	open, other func(t *testing.T) vault.KEK
	// rotate makes a new key if the provider can; nil: it refuses with what to do.
	rotates bool
	// gone returns a key whose provider stopped answering, and the blob it wrapped before; nil: the key is in memory.
	gone func(t *testing.T, wrap func(vault.KEK) []byte) (vault.KEK, []byte)
	step int // test every n-th byte of a blob: a call takes milliseconds
	// serial runs the parts one after the other: they share a token that takes one user.
	serial bool
}

// testKEK is the contract of every provider.
func testKEK(t *testing.T, p provider) {
	dek, aad := []byte("a data key of some length"), vault.Bind("tenant", "kind")
	wrap := func(t *testing.T, kek vault.KEK) []byte {
		t.Helper()
		blob, err := kek.Wrap(t.Context(), dek, aad)
		if err != nil {
			t.Fatal(err)
		}
		return blob
	}
	t.Run("round-trip", func(t *testing.T) {
		if !p.serial {
			t.Parallel()
		}
		blob := wrap(t, p.open(t))
		for range 2 {
			got, err := p.open(t).Unwrap(t.Context(), blob, aad)
			if err != nil || !bytes.Equal(got, dek) {
				t.Errorf("unwrap after a restart: %v", err)
			}
		}
	})
	t.Run("id", func(t *testing.T) {
		if !p.serial {
			t.Parallel()
		}
		first, again := p.open(t).ID(), p.open(t).ID()
		if first == "" || first != again || first == p.other(t).ID() || !strings.HasPrefix(first, p.prefix) {
			t.Errorf("the id %s does not tell keys apart", first)
		}
		if _, ok := vault.For(p.open(t), first); !ok {
			t.Error("a key does not know its own id")
		}
		if _, ok := vault.For(p.open(t), p.other(t).ID()); ok {
			t.Error("a key takes another's id")
		}
	})
	t.Run("blobs-differ", func(t *testing.T) {
		if !p.serial {
			t.Parallel()
		}
		a, b := wrap(t, p.open(t)), wrap(t, p.open(t))
		if bytes.Equal(a, b) || bytes.Contains(a, dek) {
			t.Error("wrapping repeats itself or shows the key")
		}
	})
	t.Run("refusals", func(t *testing.T) {
		if !p.serial {
			t.Parallel()
		}
		kek := p.open(t)
		blob := wrap(t, kek)
		refuse := func(what string, at int, blob, aad []byte) {
			if got, err := kek.Unwrap(t.Context(), blob, aad); !errors.Is(err, vault.ErrWrongKey) || len(got) > 0 {
				t.Errorf("%s %d: %v", what, at, err)
			}
		}
		for at := 0; at < len(blob); at += max(p.step, 1) {
			bent := bytes.Clone(blob)
			bent[at] ^= 1
			refuse("flipped bit in byte", at, bent, aad)
			refuse("cut at byte", at, blob[:at], aad)
		}
		refuse("empty", 0, nil, aad)
		refuse("doubled", 0, append(bytes.Clone(blob), blob...), aad)
		for i, wrong := range [][]byte{nil, vault.Bind("tenantkind"), vault.Bind("tenan", "tkind")} {
			refuse("other associated data", i, blob, wrong)
		}
		if _, err := p.other(t).Unwrap(t.Context(), blob, aad); !errors.Is(err, vault.ErrWrongKey) {
			t.Errorf("other key: %v", err)
		}
	})
	t.Run("concurrent", func(t *testing.T) {
		if !p.serial {
			t.Parallel()
		}
		kek := p.open(t)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for range 4 {
					blob, err := kek.Wrap(t.Context(), dek, aad)
					if err != nil {
						t.Error(err)
						return
					}
					if got, err := kek.Unwrap(t.Context(), blob, aad); err != nil || !bytes.Equal(got, dek) {
						t.Errorf("unwrap: %v", err)
					}
				}
			})
		}
		group.Wait()
	})
	t.Run("context", func(t *testing.T) {
		if !p.serial {
			t.Parallel()
		}
		blob := wrap(t, p.open(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := p.open(t).Wrap(ctx, dek, aad); !errors.Is(err, context.Canceled) {
			t.Errorf("wrap: %v", err)
		}
		if _, err := p.open(t).Unwrap(ctx, blob, aad); !errors.Is(err, context.Canceled) {
			t.Errorf("unwrap: %v", err)
		}
	})
	t.Run("outage", func(t *testing.T) {
		if !p.serial {
			t.Parallel()
		}
		if p.gone == nil {
			return // the key is in memory
		}
		kek, blob := p.gone(t, func(kek vault.KEK) []byte { return wrap(t, kek) })
		for _, call := range []func() error{
			func() error { _, err := kek.Wrap(t.Context(), dek, aad); return err },
			func() error { _, err := kek.Unwrap(t.Context(), blob, aad); return err },
		} {
			began := time.Now()
			err := call()
			if !errors.Is(err, vault.ErrKEKUnavailable) || errors.Is(err, vault.ErrWrongKey) || time.Since(began) > 2*time.Second {
				t.Errorf("after %s: %v", time.Since(began), err)
			}
			if err != nil && bytes.Contains([]byte(err.Error()), dek) {
				t.Error("the error shows the key")
			}
		}
	})
	t.Run("rotation", func(t *testing.T) {
		if !p.serial {
			t.Parallel()
		}
		kek := p.other(t)
		blob := wrap(t, kek)
		next, err := vault.Rotate(t.Context(), kek)
		if !p.rotates {
			if !errors.Is(err, vault.ErrNoRotation) || !strings.Contains(err.Error(), "rewrap") {
				t.Errorf("no word on what to do: %v", err)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if next.ID() == kek.ID() {
			t.Error("the new key has the old id")
		}
		if _, err := next.Unwrap(t.Context(), blob, aad); !errors.Is(err, vault.ErrWrongKey) {
			t.Errorf("the new key opens the old one's blob: %v", err)
		}
		old, ok := vault.For(vault.WithOld(next, kek), kek.ID())
		if !ok {
			t.Fatal("the old key is not kept")
		}
		if got, err := old.Unwrap(t.Context(), blob, aad); err != nil || !bytes.Equal(got, dek) {
			t.Errorf("the old key after rotation: %v", err)
		}
		if err := vault.Settle(next); err != nil {
			t.Fatal(err)
		}
		if got, err := next.Unwrap(t.Context(), wrap(t, next), aad); err != nil || !bytes.Equal(got, dek) {
			t.Errorf("the new key: %v", err)
		}
	})
}

// fileAt returns keys in files of one directory by name.
func fileAt(t *testing.T, name string, open func(path string) (vault.KEK, error)) func(*testing.T) vault.KEK {
	path := filepath.Join(t.TempDir(), name)
	if _, err := vault.CreateFileKEK(path); err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T) vault.KEK {
		t.Helper()
		kek, err := open(path)
		if err != nil {
			t.Fatal(err)
		}
		return kek
	}
}

// freshFile returns another key at each call, for tests that rotate it.
func freshFile(open func(path string) (vault.KEK, error)) func(*testing.T) vault.KEK {
	return func(t *testing.T) vault.KEK { return fileAt(t, vault.CredentialName, open)(t) }
}

func TestFileKEK(t *testing.T) {
	t.Parallel()
	testKEK(t, provider{prefix: "file:", open: fileAt(t, "kek", vault.OpenFileKEK), other: freshFile(vault.OpenFileKEK), rotates: true})
}

func TestCredentialKEK(t *testing.T) {
	t.Parallel()
	open := func(path string) (vault.KEK, error) { return vault.OpenCredentialKEK(filepath.Dir(path)) }
	testKEK(t, provider{prefix: "file:", open: fileAt(t, vault.CredentialName, open), other: freshFile(open)})
	for _, dir := range []string{"", t.TempDir()} {
		if _, err := vault.OpenCredentialKEK(dir); err == nil || !strings.Contains(err.Error(), "LoadCredentialEncrypted") {
			t.Errorf("without a credential: %v", err)
		}
	}
}

// A unit that hands over the key and the one before it opens what both wrapped.
func TestCredentialKEKOpensTheOldOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old, err := vault.CreateFileKEK(filepath.Join(dir, "bankd-kek.old"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := vault.CreateFileKEK(filepath.Join(dir, "bankd-kek")); err != nil {
		t.Fatal(err)
	}
	kek, err := vault.OpenCredentialKEK(dir)
	if err != nil || kek.ID() == old.ID() {
		t.Fatalf("%v", err)
	}
	if found, ok := vault.For(kek, old.ID()); !ok || found.ID() != old.ID() {
		t.Error("the older key is not kept")
	}
}

// A crash at any point of a file's rotation leaves both keys: beside each other, or the new one in place and the old one
// as kek.old.
func TestFileRotationLeavesBothKeys(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kek")
	old, err := vault.CreateFileKEK(path)
	if err != nil {
		t.Fatal(err)
	}
	first, err := vault.Rotate(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	again, err := vault.Rotate(t.Context(), old) // after a crash
	if err != nil || again.ID() != first.ID() {
		t.Fatalf("a second call made another key: %v", err)
	}
	if now, err := vault.OpenFileKEK(path); err != nil || now.ID() != old.ID() {
		t.Fatalf("the key moved before its time: %v", err)
	}
	for range 2 {
		if err := vault.Settle(again); err != nil {
			t.Fatal(err)
		}
	}
	if now, err := vault.OpenFileKEK(path); err != nil || now.ID() != first.ID() {
		t.Errorf("the new key is not in place: %v", err)
	}
	if kept, err := vault.OpenFileKEK(path + ".old"); err != nil || kept.ID() != old.ID() {
		t.Errorf("the old key is gone: %v", err)
	}
	third, err := vault.Rotate(t.Context(), first) // opened before it moved
	if err != nil {
		t.Fatal(err)
	}
	if third.ID() == first.ID() {
		t.Error("a second rotation found the first one's key")
	}
}

func TestTransitKEK(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	server.MakeKey("bankd", "aes256-gcm96")
	open := func(t *testing.T) vault.KEK { return openTransit(t, server.Settings("bankd")) }
	testKEK(t, provider{
		prefix: "vault-transit:transit/", open: open, rotates: true, step: 1,
		other: func(t *testing.T) vault.KEK {
			return openTransit(t, server.Settings(server.MakeKey("", "aes256-gcm96")))
		},
		gone: func(t *testing.T, wrap func(vault.KEK) []byte) (vault.KEK, []byte) {
			sick := vaulttest.Start(t)
			sick.MakeKey("bankd", "aes256-gcm96")
			kek := openTransit(t, sick.Settings("bankd"))
			blob := wrap(kek)
			sick.Hang.Store(true)
			return kek, blob
		},
	})
}

// TestRealVault runs the contract against the Vault at BANKD_VAULT_ADDR with the token in BANKD_VAULT_TOKEN, where the
// Transit engine is mounted at transit/ and the token may make keys.
func TestRealVault(t *testing.T) {
	address := os.Getenv("BANKD_VAULT_ADDR")
	if address == "" {
		t.Skip("SKIPPED: no real Vault: set BANKD_VAULT_ADDR and BANKD_VAULT_TOKEN")
	}
	token := secret.New(os.Getenv("BANKD_VAULT_TOKEN"))
	fresh := func(t *testing.T) vault.KEK {
		name := "bankd-test-" + strings.ToLower(rand.Text())
		req, err := http.NewRequestWithContext(t.Context(), "POST", address+"/v1/transit/keys/"+name, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Vault-Token", token.Reveal())
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil || resp.StatusCode >= 300 {
			t.Fatalf("make key: %d %v", resp.StatusCode, err)
		}
		return openTransit(t, vault.Transit{Address: address, Key: "transit/" + name, Token: token})
	}
	same := fresh(t)
	testKEK(t, provider{prefix: "vault-transit:transit/", open: func(*testing.T) vault.KEK { return same }, other: fresh, rotates: true})
}

func openTransit(t *testing.T, s vault.Transit) vault.KEK {
	t.Helper()
	kek, err := vault.OpenTransit(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	return kek
}

func TestExecKEK(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fresh := func(t *testing.T) vault.KEK { return openExec(t, helper(t, t.TempDir(), "")) }
	same := helper(t, dir, "")
	testKEK(t, provider{
		prefix: "exec:", open: func(t *testing.T) vault.KEK { return openExec(t, same) }, other: fresh, rotates: true, step: 9,
		gone: func(t *testing.T, wrap func(vault.KEK) []byte) (vault.KEK, []byte) {
			dir := t.TempDir()
			kek := openExec(t, helper(t, dir, ""))
			blob := wrap(kek)
			helper(t, dir, "hang")
			return kek, blob
		},
	})
}

func openExec(t *testing.T, path string) vault.KEK {
	t.Helper()
	kek, err := vault.OpenExecKEK(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return kek
}

func TestExecKEKRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, mode, want string }{
		{"exit", "exit", "run it by hand"},
		{"garbage", "garbage", "one JSON object"},
		{"long", "long", "helper"},
		{"no-id", "no-id", "named a key"},
		{"hangs", "hang", "did not end within"},
		{"says-why", "locked", "the token is locked"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := vault.OpenExecKEK(t.Context(), helper(t, t.TempDir(), tt.mode))
			if err == nil || !strings.Contains(err.Error(), tt.want) || time.Since(began) > 2*time.Second+500*time.Millisecond {
				t.Errorf("want %q, after %s: %v", tt.want, time.Since(began), err)
			}
		})
	}
	if _, err := vault.OpenExecKEK(t.Context(), "/none/helper"); !errors.Is(err, vault.ErrKEKUnavailable) {
		t.Errorf("a missing helper: %v", err)
	}
}

// The worked example for hardware tokens, against SoftHSM2.
func TestPKCS11Helper(t *testing.T) {
	t.Parallel()
	module := "/usr/lib/softhsm/libsofthsm2.so"
	for _, tool := range []string{"softhsm2-util", "gcc"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("SKIPPED: the PKCS#11 example is not tested: there is no %s", tool)
		}
	}
	if _, err := os.Stat(module); err != nil {
		t.Skipf("SKIPPED: the PKCS#11 example is not tested: %v", err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "bankd-kek-pkcs11")
	build := exec.Command("go", "build", "-o", bin, ".")
	build.Dir = "../../docs/examples/kek-pkcs11"
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the example: %v\n%s", err, out)
	}
	conf := filepath.Join(dir, "softhsm2.conf")
	must(t, os.MkdirAll(filepath.Join(dir, "tokens"), 0o700))
	must(t, os.WriteFile(conf, []byte("directories.tokendir = "+filepath.Join(dir, "tokens")+"\n"), 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "pin"), []byte("123456\n"), 0o600))
	initToken := exec.Command("softhsm2-util", "--init-token", "--free", "--label", "bankd", "--pin", "123456", "--so-pin", "654321")
	initToken.Env = append(os.Environ(), "SOFTHSM2_CONF="+conf)
	if out, err := initToken.CombinedOutput(); err != nil {
		t.Fatalf("init token: %v\n%s", err, out)
	}
	wrapper := func(t *testing.T, label string) string {
		path := filepath.Join(t.TempDir(), "helper")
		text := "#!/bin/sh\nexport SOFTHSM2_CONF=" + conf + " KEK_PKCS11_MODULE=" + module + " KEK_PKCS11_TOKEN=bankd KEK_PKCS11_PIN_FILE=" +
			filepath.Join(dir, "pin") + " KEK_PKCS11_LABEL=" + label + "\nexec " + bin + " \"$@\"\n"
		writeProgram(t, path, text)
		if out, err := exec.Command(path, "make-key").CombinedOutput(); err != nil {
			t.Fatalf("make key: %v\n%s", err, out)
		}
		return path
	}
	same := wrapper(t, "same")
	testKEK(t, provider{
		prefix: "exec:pkcs11:", open: func(t *testing.T) vault.KEK { return openExec(t, same) }, rotates: true, step: 9, serial: true,
		other: func(t *testing.T) vault.KEK { return openExec(t, wrapper(t, "other-"+strings.ToLower(rand.Text()))) },
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A start is refused within two seconds, with the cause and what to do.
func TestTransitRefusals(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	server.MakeKey("bankd", "aes256-gcm96")
	server.MakeKey("signer", "ed25519")
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = silent.Close() })
	change := func(change func(*vault.Transit)) vault.Transit {
		s := server.Settings("bankd")
		change(&s)
		return s
	}
	tests := []struct {
		name, want string
		s          vault.Transit
	}{
		{"plain-http", "https", change(func(s *vault.Transit) { s.Address = "http://vault.example:8200" })},
		{"userinfo", "URL", change(func(s *vault.Transit) { s.Address = "http://u:p@127.0.0.1:1" })},
		{"no-mount", "MOUNT/NAME", change(func(s *vault.Transit) { s.Key = "bankd" })},
		{"dots", "MOUNT/NAME", change(func(s *vault.Transit) { s.Key = "transit/../sys" })},
		{"no-ca", "CA file", change(func(s *vault.Transit) { s.Address, s.CAFile = "https://127.0.0.1:1", "/none" })},
		{"token", "refuses the token", change(func(s *vault.Transit) { s.Token = secret.New("canary-token") })},
		{"token-file", "token", change(func(s *vault.Transit) { s.TokenFile = "/none/token" })},
		{"no-key", "there is no such key", change(func(s *vault.Transit) { s.Key = "transit/none" })},
		{"signing-key", "binds associated data", change(func(s *vault.Transit) { s.Key = "transit/signer" })},
		{"sealed", "unseal", change(func(s *vault.Transit) { s.Key = "transit/make-503" })},
		{"redirect", "answered 307", change(func(s *vault.Transit) { s.Key = "transit/make-307" })},
		{"long", "too long", change(func(s *vault.Transit) { s.Key = "transit/make-long" })},
		{"no-json", "is no Vault", change(func(s *vault.Transit) { s.Key = "transit/make-garbage" })},
		{"refused", "connection refused", change(func(s *vault.Transit) { s.Address = "http://127.0.0.1:1" })},
		{"silent", "within", change(func(s *vault.Transit) { s.Address = "http://" + silent.Addr().String() })},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			began := time.Now()
			_, err := vault.OpenTransit(t.Context(), tt.s)
			if err == nil || !strings.Contains(err.Error(), tt.want) || time.Since(began) > 2*time.Second {
				t.Errorf("want %q, after %s: %v", tt.want, time.Since(began), err)
			}
			if err != nil && (strings.Contains(err.Error(), "canary-token") || strings.Contains(err.Error(), vaulttest.Token)) {
				t.Error("the error shows the token")
			}
		})
	}
}

// A token file is read at each call, and TLS holds the server against the CA file alone.
func TestTransitOverTLS(t *testing.T) {
	t.Parallel()
	server := vaulttest.StartTLS(t)
	server.MakeKey("bankd", "chacha20-poly1305")
	s := server.Settings("bankd")
	file := filepath.Join(t.TempDir(), "token")
	must(t, os.WriteFile(file, []byte("stale\n"), 0o600))
	s.TokenFile, s.Token = file, secret.Text{}
	if _, err := vault.OpenTransit(t.Context(), s); err == nil || !strings.Contains(err.Error(), "refuses the token") {
		t.Errorf("a stale token: %v", err)
	}
	must(t, os.WriteFile(file, []byte(vaulttest.Token+"\n"), 0o600))
	kek := openTransit(t, s)
	if _, err := kek.Wrap(t.Context(), []byte("dek"), nil); err != nil {
		t.Error(err)
	}
	s.CAFile = ""
	if _, err := vault.OpenTransit(t.Context(), s); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown CA: %v", err)
	}
}

// A version that was made elsewhere wraps after Renew; blobs of older ones open until the key forbids it.
func TestTransitVersions(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	server.MakeKey("bankd", "aes256-gcm96")
	first := openTransit(t, server.Settings("bankd"))
	blob, err := first.Wrap(t.Context(), []byte("dek"), []byte("aad"))
	must(t, err)
	server.Rotate("bankd")
	newest, err := vault.Renew(t.Context(), first)
	must(t, err)
	if newest.ID() != "vault-transit:transit/bankd#v2" {
		t.Errorf("id %s", newest.ID())
	}
	old, ok := vault.For(newest, first.ID())
	if !ok {
		t.Fatal("the older version is not kept")
	}
	if got, err := old.Unwrap(t.Context(), blob, []byte("aad")); err != nil || string(got) != "dek" {
		t.Errorf("an older version's blob: %v", err)
	}
	server.ForbidBelow("bankd", 2)
	if _, err := old.Unwrap(t.Context(), blob, []byte("aad")); !errors.Is(err, vault.ErrWrongKey) || !strings.Contains(err.Error(), "min_decryption_version") {
		t.Errorf("a forbidden version: %v", err)
	}
	bent := bytes.Clone(blob)
	bent[3] = 0 // Vault reads version 0 as 1
	if _, err := first.Unwrap(t.Context(), bent, []byte("aad")); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("version 0: %v", err)
	}
}

// An outage is told as one, not as a key that does not fit: that would read as damage.
func TestSealerTellsAnOutage(t *testing.T) {
	t.Parallel()
	server := vaulttest.Start(t)
	server.MakeKey("bankd", "aes256-gcm96")
	kek := openTransit(t, server.Settings("bankd"))
	_, wrapped, err := vault.NewSealer(t.Context(), kek, nil)
	must(t, err)
	server.HTTP.Close()
	if _, err := vault.OpenSealer(t.Context(), kek, wrapped, nil); !errors.Is(err, vault.ErrKEKUnavailable) || errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("open: %v", err)
	}
	if _, _, err := vault.NewSealer(t.Context(), kek, nil); !errors.Is(err, vault.ErrKEKUnavailable) {
		t.Errorf("make: %v", err)
	}
}

// helper writes a helper program into dir, which runs this test's binary as one; mode makes it sick.
func helper(t *testing.T, dir, mode string) string {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	path := filepath.Join(dir, "helper")
	text := "#!/bin/sh\nexport KEK_HELPER_DIR=" + dir + " KEK_HELPER_MODE=" + mode + "\nexec " + self + "\n"
	writeProgram(t, path+".new", text)
	must(t, os.Rename(path+".new", path))
	return path
}

// writeProgram keeps other tests from forking meanwhile: a child that inherits the open file makes it too busy to run.
func writeProgram(t *testing.T, path, text string) {
	t.Helper()
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	must(t, os.WriteFile(path, []byte(text), 0o700))
}

func TestMain(m *testing.M) {
	if dir := os.Getenv("KEK_HELPER_DIR"); dir != "" {
		os.Exit(runHelper(dir, os.Getenv("KEK_HELPER_MODE")))
	}
	os.Exit(m.Run())
}

// runHelper is a whole helper program over key files.
func runHelper(dir, mode string) int {
	answer := func(v any) int {
		if err := json.NewEncoder(os.Stdout).Encode(v); err != nil {
			return 1
		}
		return 0
	}
	switch mode {
	case "exit":
		return 3
	case "garbage":
		_, _ = os.Stdout.WriteString("hello\n")
		return 0
	case "long":
		_, _ = os.Stdout.WriteString(`{"id":"` + strings.Repeat("x", 1<<20) + `"}`)
		return 0
	case "no-id":
		return answer(map[string]string{"id": ""})
	case "hang":
		time.Sleep(time.Minute)
	case "locked":
		return answer(map[string]string{"error": "unavailable", "message": "the token is locked\x1b[31m"})
	}
	var request struct {
		Op, ID         string
		DEK, Blob, AAD []byte
	}
	if err := json.NewDecoder(os.Stdin).Decode(&request); err != nil {
		return 1
	}
	path := filepath.Join(dir, "key")
	if _, err := os.Stat(path); err != nil {
		if _, err := vault.CreateFileKEK(path); err != nil && !errors.Is(err, os.ErrExist) {
			return 1
		}
	}
	current, err := vault.OpenFileKEK(path)
	if err != nil {
		return 1
	}
	kek, opens := current, []string{}
	if old, err := vault.OpenFileKEK(path + ".old"); err == nil {
		opens = append(opens, old.ID())
		if request.ID == old.ID() {
			kek = old
		}
	}
	ctx := context.Background()
	switch request.Op {
	case "id":
		return answer(map[string]any{"id": current.ID(), "opens": opens, "rotates": true})
	case "wrap":
		blob, err := kek.Wrap(ctx, request.DEK, request.AAD)
		if err != nil {
			return 1
		}
		return answer(map[string]any{"blob": blob})
	case "unwrap":
		dek, err := kek.Unwrap(ctx, request.Blob, request.AAD)
		if err != nil {
			return answer(map[string]any{"error": "wrong_key"})
		}
		return answer(map[string]any{"dek": dek})
	case "rotate":
		next, err := vault.Rotate(ctx, current)
		if err == nil {
			err = vault.Settle(next)
		}
		if err != nil {
			return 1
		}
		return answer(map[string]any{"id": next.ID()})
	}
	return 1
}
