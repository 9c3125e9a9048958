// Package ach owns routing and account numbers: their form, the ABA checksum, and the types that keep them
// from being printed. Whose account it is and what state it is in is package account's.
package ach

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
)

const redacted = "[REDACTED]"

// secret holds digits that no formatter, encoder or logger can see. They are behind a pointer because fmt
// prints a struct's unexported fields without asking their methods: it shows an address then.
type secret struct{ p *string }

func hide(digits string) secret {
	if digits == "" {
		return secret{}
	}
	return secret{&digits}
}

func (secret) String() string               { return redacted }
func (secret) GoString() string             { return redacted }
func (secret) Format(f fmt.State, _ rune)   { _, _ = f.Write([]byte(redacted)) }
func (secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
func (secret) MarshalJSON() ([]byte, error) { return []byte(`"` + redacted + `"`), nil }

// UnmarshalJSON takes any JSON string; Check says whether it has the form of a number.
func (s *secret) UnmarshalJSON(b []byte) error {
	var digits string
	if json.Unmarshal(b, &digits) != nil {
		return errors.New("must be a string of digits")
	}
	*s = hide(digits)
	return nil
}

// Reveal is the one door to the digits; a test keeps the list of its callers.
func (s secret) Reveal() string {
	if s.p == nil {
		return ""
	}
	return *s.p
}

// Empty reports whether nothing was given.
func (s secret) Empty() bool { return s.p == nil }

func (s secret) last4() string {
	d := s.Reveal()
	if len(d) < 4 {
		return ""
	}
	return d[len(d)-4:]
}

func (s secret) equal(o secret) bool {
	return subtle.ConstantTimeCompare([]byte(s.Reveal()), []byte(o.Reveal())) == 1
}

func (s secret) allDigits() bool {
	for _, d := range []byte(s.Reveal()) {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
}

// RoutingNumber is an ABA routing transit number: nine digits, the last a check digit.
type RoutingNumber struct{ secret }

// AccountNumber is a bank account number of 5 to 17 digits; leading zeros count.
type AccountNumber struct{ secret }

// NewRoutingNumber wraps digits without judging them.
func NewRoutingNumber(digits string) RoutingNumber { return RoutingNumber{hide(digits)} }

// NewAccountNumber wraps digits without judging them.
func NewAccountNumber(digits string) AccountNumber { return AccountNumber{hide(digits)} }

// Last4 is all that a reply may show.
func (n RoutingNumber) Last4() string { return n.last4() }

// Last4 is all that a reply may show.
func (n AccountNumber) Last4() string { return n.last4() }

// Equal compares in constant time.
func (n RoutingNumber) Equal(o RoutingNumber) bool { return n.equal(o.secret) }

// Equal compares in constant time.
func (n AccountNumber) Equal(o AccountNumber) bool { return n.equal(o.secret) }

// Check says what is wrong with a routing number, never quoting it (R41, A29).
func (n RoutingNumber) Check() error {
	switch digits := n.Reveal(); {
	case n.Empty():
		return errors.New("is required")
	case len(digits) != 9 || !n.allDigits():
		return errors.New("must be 9 digits")
	case digits == "000000000":
		return errors.New("cannot be all zeros")
	case checksum(digits) != 0:
		return errors.New("fails the ABA check digit; compare it with a check or the bank's site")
	}
	return nil
}

// Check says what is wrong with an account number, never quoting it (R42).
func (n AccountNumber) Check() error {
	switch digits := n.Reveal(); {
	case n.Empty():
		return errors.New("is required")
	case len(digits) < 5 || len(digits) > 17 || !n.allDigits():
		return errors.New("must be 5 to 17 digits")
	}
	return nil
}

// checksum is ABA's: 3, 7, 1 times the digits in turn, modulo 10.
func checksum(digits string) int {
	weights := [...]int{3, 7, 1}
	sum := 0
	for i := range len(digits) {
		sum += weights[i%3] * int(digits[i]-'0')
	}
	return sum % 10
}

// Numbers is a routing number with the account number it belongs to.
type Numbers struct {
	Routing RoutingNumber
	Account AccountNumber
}

// FingerprintParts gives what a keyed fingerprint for equality is made of: the same account at the same
// bank gives the same parts.
func (n Numbers) FingerprintParts() [][]byte {
	return [][]byte{[]byte(n.Routing.Reveal()), []byte(n.Account.Reveal())}
}
