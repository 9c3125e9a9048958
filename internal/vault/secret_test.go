package vault_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/bankctl/bankctl/internal/vault"
)

// holder keeps a key in an unexported field, whose methods fmt does not call.
type holder struct {
	Open   vault.Key
	hidden vault.Key
}

func TestKeyDoesNotPrint(t *testing.T) {
	key := vault.NewKey()
	raw := key.Reveal()
	var out bytes.Buffer
	for _, log := range []slog.Handler{slog.NewTextHandler(&out, nil), slog.NewJSONHandler(&out, nil)} {
		slog.New(log).Info("x", "key", key, "holder", holder{key, key}, "pointer", &key)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%08b"} {
		for _, v := range []any{key, &key, holder{key, key}, &holder{key, key}, []vault.Key{key}, map[string]vault.Key{"k": key}} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
	}
	text, err := json.Marshal(map[string]any{"key": key, "holder": holder{key, key}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	forms := []string{
		string(raw), hex.EncodeToString(raw), strings.ToUpper(hex.EncodeToString(raw)), base64.StdEncoding.EncodeToString(raw),
		strings.Trim(fmt.Sprint(raw[:8]), "[]"), strings.Trim(fmt.Sprintf("%#v", raw[:4]), "[]byte{}"), strings.Trim(fmt.Sprintf("%08b", raw[:2]), "[]"),
	}
	for i, form := range forms {
		if strings.Contains(out.String(), form) {
			t.Errorf("form %d of the key was printed", i)
		}
	}
	if !strings.Contains(out.String(), "[REDACTED]") {
		t.Error("nothing was redacted")
	}
}

func TestKeyEqual(t *testing.T) {
	a, b := vault.NewKey(), vault.NewKey()
	if !a.Equal(a) || a.Equal(b) || a.Equal(vault.Key{}) {
		t.Error("equality of keys")
	}
	a.Reveal()[0] ^= 1
	if !a.Equal(a) {
		t.Error("what Reveal returned is the key itself")
	}
}

func TestBindIsInjective(t *testing.T) {
	parts := rapid.SliceOf(rapid.StringN(0, 3, -1))
	rapid.Check(t, func(t *rapid.T) {
		a, b := parts.Draw(t, "a"), parts.Draw(t, "b")
		same := fmt.Sprintf("%q", a) == fmt.Sprintf("%q", b)
		if bytes.Equal(vault.Bind(a...), vault.Bind(b...)) != same {
			t.Fatalf("%q and %q", a, b)
		}
	})
}

func newKEK(t *testing.T) vault.KEK {
	t.Helper()
	kek, err := vault.CreateFileKEK(filepath.Join(t.TempDir(), "kek"))
	if err != nil {
		t.Fatal(err)
	}
	return kek
}

func TestSealer(t *testing.T) {
	kek, aad := newKEK(t), vault.Bind("tenant")
	s, wrapped, err := vault.NewSealer(t.Context(), kek, aad)
	if err != nil {
		t.Fatal(err)
	}
	again, err := vault.OpenSealer(t.Context(), kek, wrapped, aad)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := s.Seal([]byte("plain"), []byte("place"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(sealed, []byte("place")); string(got) != "plain" || err != nil {
		t.Errorf("opened after a restart: %v", err)
	}
	if _, err := again.Open(sealed, []byte("other")); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("in another place: %v", err)
	}
	if _, err := vault.OpenSealer(t.Context(), kek, wrapped, vault.Bind("other")); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("keys of another tenant: %v", err)
	}
	if _, err := vault.OpenSealer(t.Context(), newKEK(t), wrapped, aad); !errors.Is(err, vault.ErrWrongKey) {
		t.Errorf("another KEK: %v", err)
	}
	if _, err := vault.OpenDigester(t.Context(), kek, wrapped, aad); err == nil {
		t.Error("a sealing key was taken for a digest key")
	}
}

func TestDigester(t *testing.T) {
	kek, aad := newKEK(t), vault.Bind("tenant")
	d, wrapped, err := vault.NewDigester(t.Context(), kek, aad)
	if err != nil {
		t.Fatal(err)
	}
	again, err := vault.OpenDigester(t.Context(), kek, wrapped, aad)
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := vault.NewDigester(t.Context(), kek, aad)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(d *vault.Digester, input string) [vault.DigestSize]byte {
		t.Helper()
		s, err := d.Sum([]byte(input))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	if sum(d, "x") != sum(again, "x") || sum(d, "x") == sum(other, "x") || sum(d, "x") == sum(d, "y") {
		t.Error("digests do not follow key and input")
	}
}
