package vault

import (
	"context"
	"errors"
)

// ErrWrongKey says that a blob was not wrapped by this key under this
// associated data, or was changed since.
var ErrWrongKey = errors.New("key does not fit")

// KEK wraps the keys that data is sealed with. It may live outside the
// process, so it is never called inside a transaction.
type KEK interface {
	// ID names the key without revealing it. It is stored beside what the key wraps.
	ID() string
	// Wrap seals dek and binds it to aad.
	Wrap(ctx context.Context, dek, aad []byte) ([]byte, error)
	// Unwrap opens what Wrap sealed under the same aad, else ErrWrongKey.
	Unwrap(ctx context.Context, blob, aad []byte) ([]byte, error)
}
