package vault

import (
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"io"
	"log/slog"
)

// KeySize is the length of a Key in bytes.
const KeySize = 32

const redacted = "[REDACTED]"

// Key is a secret key that cannot print itself. fmt ignores the String method of unexported fields, so the bytes lie
// behind a pointer; to a string, since fmt follows pointers to arrays when a verb does not fit them.
type Key struct{ bytes *string }

func keyOf(raw [KeySize]byte) Key {
	s := string(raw[:])
	return Key{&s}
}

// NewKey makes a random key.
func NewKey() Key {
	var b [KeySize]byte
	_, _ = rand.Read(b[:]) // never fails: crypto/rand ends the process instead
	return keyOf(b)
}

// Reveal returns a copy of the key's bytes; nil for the zero Key.
func (k Key) Reveal() []byte {
	if k.bytes == nil {
		return nil
	}
	return []byte(*k.bytes)
}

// Equal compares in constant time.
func (k Key) Equal(other Key) bool {
	return subtle.ConstantTimeCompare(k.Reveal(), other.Reveal()) == 1
}

// String, GoString, Format, LogValue, MarshalJSON and MarshalText all redact.
func (Key) String() string               { return redacted }
func (Key) GoString() string             { return redacted }
func (Key) Format(s fmt.State, _ rune)   { _, _ = io.WriteString(s, redacted) }
func (Key) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Key) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }
