package vault

import (
	"bytes"
	"errors"
	"testing"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
)

// A text that Tink sealed opens here, and no other does.
func TestAppendOpen(t *testing.T) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	s, err := sealer(handle)
	if err != nil {
		t.Fatal(err)
	}
	if s.gcm == nil {
		t.Fatal("the key of a data key's own template is not known")
	}
	for _, plain := range []string{"", "x", string(bytes.Repeat([]byte("segment"), 3000))} {
		sealed, err := s.Seal([]byte(plain), []byte("place"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.AppendOpen([]byte("before "), sealed, []byte("place"))
		if err != nil || string(got) != "before "+plain {
			t.Errorf("%d bytes, %v", len(got), err)
		}
		if got, err := s.AppendOpen([]byte("before "), sealed, []byte("elsewhere")); !errors.Is(err, ErrWrongKey) || string(got) != "before " {
			t.Errorf("in another place: %q %v", got, err)
		}
		for at := range min(len(sealed), 64) {
			changed := bytes.Clone(sealed)
			changed[at] ^= 1
			if got, err := s.AppendOpen(nil, changed, []byte("place")); !errors.Is(err, ErrWrongKey) || len(got) != 0 {
				t.Fatalf("byte %d changed: %d bytes, %v", at, len(got), err)
			}
			if _, err := s.AppendOpen(nil, sealed[:at], []byte("place")); at < len(sealed) && !errors.Is(err, ErrWrongKey) {
				t.Fatalf("cut to %d bytes: %v", at, err)
			}
		}
	}
}

// Digests equal those that Tink computes: existing stores hold them.
func TestDigestsAreTinks(t *testing.T) {
	handle, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := prf.NewPRFSet(handle)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := digester(handle)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, 1, 55, 64, 100, 1000} {
		input := bytes.Repeat([]byte{7}, n)
		want, err := theirs.ComputePrimaryPRF(input, DigestSize)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ours.Sum(input)
		if err != nil || !bytes.Equal(got[:], want) {
			t.Errorf("%d bytes: %x, want %x, %v", n, got, want, err)
		}
	}
}
