package vault

import (
	"context"
	"errors"
)

// ErrWrongKey means that another key wrapped the blob, that its associated data was another, or that it was changed.
var ErrWrongKey = errors.New("key does not fit")

// KEK wraps the data keys. It may live outside the process, so it is never called inside a transaction.
type KEK interface {
	// ID names the key without revealing it. It is stored beside the wrapped keys.
	ID() string
	// Wrap seals dek and binds it to aad.
	Wrap(ctx context.Context, dek, aad []byte) ([]byte, error)
	// Unwrap opens a blob that Wrap made under the same aad, else ErrWrongKey.
	Unwrap(ctx context.Context, blob, aad []byte) ([]byte, error)
}
