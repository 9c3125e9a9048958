package vault_test

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/vault"
)

// testKEK is the contract of every provider. open returns the same key at every call; other returns a different one.
func testKEK(t *testing.T, open, other func(t *testing.T) vault.KEK) {
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
		got, err := open(t).Unwrap(t.Context(), wrap(t, open(t)), aad)
		if err != nil || !bytes.Equal(got, dek) {
			t.Errorf("unwrap after a restart: %v", err)
		}
	})
	t.Run("id", func(t *testing.T) {
		first, again := open(t).ID(), open(t).ID()
		if first == "" || first != again || first == other(t).ID() {
			t.Error("the id does not tell keys apart")
		}
	})
	t.Run("blobs-differ", func(t *testing.T) {
		a, b := wrap(t, open(t)), wrap(t, open(t))
		if bytes.Equal(a, b) || bytes.Contains(a, dek) {
			t.Error("wrapping repeats itself or shows the key")
		}
	})
	t.Run("refusals", func(t *testing.T) {
		blob := wrap(t, open(t))
		for at := range blob {
			bent := bytes.Clone(blob)
			bent[at] ^= 1
			if _, err := open(t).Unwrap(t.Context(), bent, aad); !errors.Is(err, vault.ErrWrongKey) {
				t.Errorf("flipped bit in byte %d: %v", at, err)
			}
			if _, err := open(t).Unwrap(t.Context(), blob[:at], aad); !errors.Is(err, vault.ErrWrongKey) {
				t.Errorf("cut at byte %d: %v", at, err)
			}
		}
		for _, wrong := range [][]byte{nil, vault.Bind("tenantkind"), vault.Bind("tenan", "tkind")} {
			if _, err := open(t).Unwrap(t.Context(), blob, wrong); !errors.Is(err, vault.ErrWrongKey) {
				t.Errorf("other associated data: %v", err)
			}
		}
		if _, err := other(t).Unwrap(t.Context(), blob, aad); !errors.Is(err, vault.ErrWrongKey) {
			t.Errorf("other key: %v", err)
		}
	})
	t.Run("context", func(t *testing.T) {
		blob := wrap(t, open(t))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := open(t).Wrap(ctx, dek, aad); !errors.Is(err, context.Canceled) {
			t.Errorf("wrap: %v", err)
		}
		if _, err := open(t).Unwrap(ctx, blob, aad); !errors.Is(err, context.Canceled) {
			t.Errorf("unwrap: %v", err)
		}
	})
}

func TestFileKEK(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) func(*testing.T) vault.KEK {
		path := filepath.Join(dir, name)
		if _, err := vault.CreateFileKEK(path); err != nil {
			t.Fatal(err)
		}
		return func(t *testing.T) vault.KEK {
			kek, err := vault.OpenFileKEK(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(kek.ID(), "file:") {
				t.Errorf("id %s", kek.ID())
			}
			return kek
		}
	}
	testKEK(t, at("one"), at("two"))
}
