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
	fastOpener
}

// Digester computes keyed digests (HMAC-SHA-256).
type Digester struct {
	macs   sync.Pool
	handle *keyset.Handle
}

// NewSealer makes a data key and returns it with its wrapped form.
func NewSealer(ctx context.Context, kek KEK, aad []byte) (*Sealer, []byte, error) {
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, nil, fmt.Errorf("make data key: %w", err)
	}
	wrapped, err := wrap(ctx, kek, handle, aad)
	if err != nil {
		return nil, nil, err
	}
	s, err := sealer(handle)
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
	w, err := newFastOpener(handle)
	return &Sealer{a, handle, w}, err
}

// Seal encrypts plain and binds it to aad.
func (s *Sealer) Seal(plain, aad []byte) ([]byte, error) { return s.aead.Encrypt(plain, aad) }

// Open decrypts the result of Seal under the same aad, else ErrWrongKey.
func (s *Sealer) Open(sealed, aad []byte) ([]byte, error) {
	plain, err := s.aead.Decrypt(sealed, aad)
	if err != nil {
		return nil, ErrWrongKey
	}
	return plain, nil
}

// NewDigester makes a digest key and returns it with its wrapped form.
func NewDigester(ctx context.Context, kek KEK, aad []byte) (*Digester, []byte, error) {
	handle, err := keyset.NewHandle(prf.HMACSHA256PRFKeyTemplate())
	if err != nil {
		return nil, nil, fmt.Errorf("make digest key: %w", err)
	}
	wrapped, err := wrap(ctx, kek, handle, aad)
	if err != nil {
		return nil, nil, err
	}
	d, err := digester(handle)
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
