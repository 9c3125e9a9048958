package vault

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"sync"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/aead/subtle"
	"github.com/tink-crypto/tink-go/v2/insecuresecretdataaccess"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/prf"
	"github.com/tink-crypto/tink-go/v2/prf/hmacprf"
	"github.com/tink-crypto/tink-go/v2/tink"
)

// Sealer seals values with a data key (AES-256-GCM, random nonces).
type Sealer struct {
	aead   tink.AEAD
	handle *keyset.Handle
	id     KeyID   // of the key that seals
	old    *Sealer // opens what a dropped key sealed, for snapshots that are older than the drop; may be nil
	fastOpener
}

// Digester computes keyed digests (HMAC-SHA-256).
type Digester struct {
	macs   sync.Pool
	handle *keyset.Handle
}

// NewDataKey makes a data key. Wrap gives the form to store.
func NewDataKey() (*Sealer, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make data key: %w", err)
	}
	return sealer(handle)
}

// NewSealer makes a data key and returns it with its wrapped form.
func NewSealer(ctx context.Context, kek KEK, aad []byte) (*Sealer, []byte, error) {
	s, err := NewDataKey()
	if err != nil {
		return nil, nil, err
	}
	wrapped, err := s.Wrap(ctx, kek, aad)
	return s, wrapped, err
}

// OpenSealer unwraps a key from NewSealer.
func OpenSealer(ctx context.Context, kek KEK, wrapped, aad []byte) (*Sealer, error) {
	handle, err := unwrap(ctx, kek, wrapped, aad)
	if err != nil {
		return nil, err
	}
	return sealer(handle)
}

func sealer(handle *keyset.Handle) (*Sealer, error) {
	a, err := aead.New(handle)
	if err != nil {
		return nil, fmt.Errorf("use data key: %w", err)
	}
	entry, err := handle.Primary()
	if err != nil {
		return nil, fmt.Errorf("use data key: %w", err)
	}
	w, err := newFastOpener(handle)
	return &Sealer{aead: a, handle: handle, id: KeyID(entry.KeyID()), fastOpener: w}, err
}

// Seal encrypts plain and binds it to aad.
func (s *Sealer) Seal(plain, aad []byte) ([]byte, error) { return s.aead.Encrypt(plain, aad) }

// Open decrypts the result of Seal under the same aad, else ErrWrongKey.
func (s *Sealer) Open(sealed, aad []byte) ([]byte, error) {
	plain, err := s.aead.Decrypt(sealed, aad)
	switch {
	case err == nil:
		return plain, nil
	case s.old != nil:
		return s.old.Open(sealed, aad)
	}
	return nil, ErrWrongKey
}

// NewDigestKey makes a digest key. Wrap gives the form to store.
func NewDigestKey() (*Digester, error) {
	handle, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make digest key: %w", err)
	}
	return digester(handle)
}

// NewDigester makes a digest key and returns it with its wrapped form.
func NewDigester(ctx context.Context, kek KEK, aad []byte) (*Digester, []byte, error) {
	d, err := NewDigestKey()
	if err != nil {
		return nil, nil, err
	}
	wrapped, err := d.Wrap(ctx, kek, aad)
	return d, wrapped, err
}

// OpenDigester unwraps a key from NewDigester.
func OpenDigester(ctx context.Context, kek KEK, wrapped, aad []byte) (*Digester, error) {
	handle, err := unwrap(ctx, kek, wrapped, aad)
	if err != nil {
		return nil, err
	}
	return digester(handle)
}

func digester(handle *keyset.Handle) (*Digester, error) {
	entry, err := handle.Primary()
	if err != nil {
		return nil, fmt.Errorf("use digest key: %w", err)
	}
	key, ok := entry.Key().(*hmacprf.Key)
	if p, is := entry.Key().Parameters().(*hmacprf.Parameters); !ok || !is || p.HashType() != hmacprf.SHA256 {
		return nil, errors.New("use digest key: of another kind")
	}
	raw := key.KeyBytes().Data(insecuresecretdataaccess.Token{})
	return &Digester{sync.Pool{New: func() any { return hmac.New(sha256.New, raw) }}, handle}, nil
}

// DigestSize is the length of a digest in bytes.
const DigestSize = 32

// Sum returns the keyed digest of input.
func (d *Digester) Sum(input []byte) ([DigestSize]byte, error) {
	mac := d.macs.Get().(hash.Hash)
	defer d.macs.Put(mac)
	mac.Reset()
	mac.Write(input)
	var out [DigestSize]byte
	mac.Sum(out[:0])
	return out, nil
}

// Wrap returns the data key wrapped by kek, which OpenSealer opens. It needs no other KEK: the key is in memory.
func (s *Sealer) Wrap(ctx context.Context, kek KEK, aad []byte) ([]byte, error) {
	return wrap(ctx, kek, s.handle, aad)
}

// Wrap returns the digest key wrapped by kek, which OpenDigester opens.
func (d *Digester) Wrap(ctx context.Context, kek KEK, aad []byte) ([]byte, error) {
	return wrap(ctx, kek, d.handle, aad)
}

// Tokens returns a Sealer whose key is derived from the digest key, which no rotation turns: for texts that are kept
// outside the store, which a rotation cannot seal anew.
func (d *Digester) Tokens(purpose string) (*TokenSealer, error) {
	key, err := d.Sum(Bind("bankd/1 token key", purpose))
	if err != nil {
		return nil, err
	}
	a, err := subtle.NewAESGCM(key[:])
	if err != nil {
		return nil, fmt.Errorf("use token key: %w", err)
	}
	return &TokenSealer{a}, nil
}

// TokenSealer seals texts that are kept outside the store.
type TokenSealer struct{ aead *subtle.AESGCM }

// Seal encrypts plain and binds it to aad.
func (s *TokenSealer) Seal(plain, aad []byte) ([]byte, error) { return s.aead.Encrypt(plain, aad) }

// Open decrypts the result of Seal under the same aad, else ErrWrongKey.
func (s *TokenSealer) Open(sealed, aad []byte) ([]byte, error) {
	plain, err := s.aead.Decrypt(sealed, aad)
	if err != nil {
		return nil, ErrWrongKey
	}
	return plain, nil
}

func wrap(ctx context.Context, kek KEK, handle *keyset.Handle, aad []byte) ([]byte, error) {
	var out bytes.Buffer
	caller := tinkKEK{kek: kek}
	if err := handle.WriteWithContext(ctx, keyset.NewBinaryWriter(&out), &caller, aad); err != nil {
		return nil, fmt.Errorf("wrap key: %w", caller.cause(err))
	}
	return out.Bytes(), nil
}

// unwrap reports a failed call of the KEK as it is, and drops Tink's own error, which says nothing that the reader can
// act on.
func unwrap(ctx context.Context, kek KEK, wrapped, aad []byte) (*keyset.Handle, error) {
	caller := tinkKEK{kek: kek}
	handle, err := keyset.ReadWithContext(ctx, keyset.NewBinaryReader(bytes.NewReader(wrapped)), &caller, aad)
	if err != nil {
		return nil, fmt.Errorf("unwrap key: %w", caller.cause(ErrWrongKey))
	}
	return handle, nil
}

// tinkKEK lets Tink call a KEK, and keeps the error of the call, which Tink may hide.
type tinkKEK struct {
	kek KEK
	err error
}

func (t *tinkKEK) cause(otherwise error) error {
	if t.err != nil {
		return t.err
	}
	return otherwise
}

func (t *tinkKEK) EncryptWithContext(ctx context.Context, plain, aad []byte) ([]byte, error) {
	blob, err := t.kek.Wrap(ctx, plain, aad)
	t.err = err
	return blob, err
}

func (t *tinkKEK) DecryptWithContext(ctx context.Context, sealed, aad []byte) ([]byte, error) {
	dek, err := t.kek.Unwrap(ctx, sealed, aad)
	t.err = err
	return dek, err
}
