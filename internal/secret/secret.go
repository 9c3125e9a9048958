// Package secret owns the string that cannot print itself. Whether it is well formed is for the types built on it.
package secret

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

const redacted = "[REDACTED]"

// Text holds a string that no formatter, encoder or logger can see. It is behind a pointer because fmt prints a
// struct's unexported fields without asking their methods: it shows an address then.
type Text struct{ p *string }

// New hides a string.
func New(s string) Text {
	if s == "" {
		return Text{}
	}
	return Text{&s}
}

// Reveal is the one door to the string; a test keeps the list of its callers.
func (t Text) Reveal() string {
	if t.p == nil {
		return ""
	}
	return *t.p
}

// Empty reports whether there is nothing inside.
func (t Text) Empty() bool { return t.p == nil }

// Same compares in constant time.
func (t Text) Same(o Text) bool {
	return subtle.ConstantTimeCompare([]byte(t.Reveal()), []byte(o.Reveal())) == 1
}

// String shows nothing.
func (Text) String() string { return redacted }

// GoString shows nothing.
func (Text) GoString() string { return redacted }

// Format shows nothing, whatever the verb.
func (Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// LogValue shows nothing.
func (Text) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText shows nothing.
func (Text) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// MarshalJSON shows nothing: what must be stored or sent is revealed on purpose.
func (Text) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// UnmarshalJSON takes any JSON string.
func (t *Text) UnmarshalJSON(b []byte) error {
	var s string
	if json.Unmarshal(b, &s) != nil {
		return errors.New("must be a string")
	}
	*t = New(s)
	return nil
}
