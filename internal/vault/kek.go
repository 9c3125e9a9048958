package vault

import (
	"context"
	"errors"
)

// ErrWrongKey means that another key wrapped the blob, that its associated data was another, or that it was changed.
var ErrWrongKey = errors.New("key does not fit")

// ErrKEKUnavailable means that the KEK's provider does not answer: nothing is known about the blob.
var ErrKEKUnavailable = errors.New("the key's provider does not answer")

// ErrNoRotation means that this provider makes no keys: the operator does, where the provider keeps them.
var ErrNoRotation = errors.New("this provider makes no new key")

// KEK wraps the data keys. It may live outside the process, so it is never called inside a transaction.
type KEK interface {
	// ID names the key without revealing it. It is stored beside the wrapped keys.
	ID() string
	// Wrap seals dek and binds it to aad.
	Wrap(ctx context.Context, dek, aad []byte) ([]byte, error)
	// Unwrap opens a blob that Wrap made under the same aad, else ErrWrongKey.
	Unwrap(ctx context.Context, blob, aad []byte) ([]byte, error)
}

// keeper is a KEK that also has older keys, or versions of its key.
type keeper interface {
	// keep returns the KEK that opens what the key with the id wrapped.
	keep(id string) (KEK, bool)
}

// For returns the KEK that opens what the key with the id wrapped: kek itself, or an older one that it keeps.
func For(kek KEK, id string) (KEK, bool) {
	if kek.ID() == id {
		return kek, true
	}
	if k, ok := kek.(keeper); ok {
		return k.keep(id)
	}
	return nil, false
}

// ring is a KEK that opens also what older KEKs wrapped.
type ring struct {
	KEK
	old []KEK
}

// WithOld returns kek with older ones, which open what they wrapped and wrap nothing anew.
func WithOld(kek KEK, old ...KEK) KEK { return &ring{kek, old} }

func (r *ring) keep(id string) (KEK, bool) {
	for _, k := range append([]KEK{r.KEK}, r.old...) {
		if found, ok := For(k, id); ok {
			return found, true
		}
	}
	return nil, false
}

// Newest returns the KEK without the older ones that WithOld added.
func Newest(kek KEK) KEK {
	if r, ok := kek.(*ring); ok {
		return Newest(r.KEK)
	}
	return kek
}
