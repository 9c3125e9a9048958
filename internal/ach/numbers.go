// Package ach owns routing and account numbers: their form, the ABA checksum, and the types that keep them
// from being printed. Whose account it is and what state it is in is package account's.
package ach

import (
	"errors"
	"strings"

	"github.com/bankctl/bankctl/internal/secret"
)

// RoutingNumber is an ABA routing transit number: nine digits, the last a check digit.
type RoutingNumber struct{ secret.Text }

// AccountNumber is a bank account number of 5 to 17 digits; leading zeros count.
type AccountNumber struct{ secret.Text }

// NewRoutingNumber wraps digits without judging them.
func NewRoutingNumber(digits string) RoutingNumber { return RoutingNumber{secret.New(digits)} }

// NewAccountNumber wraps digits without judging them.
func NewAccountNumber(digits string) AccountNumber { return AccountNumber{secret.New(digits)} }

// Bare is the number without the spaces and dashes that people type.
func (n RoutingNumber) Bare() RoutingNumber { return NewRoutingNumber(Bare(n.Reveal())) }

// Bare is the number without the spaces and dashes that people type.
func (n AccountNumber) Bare() AccountNumber { return NewAccountNumber(Bare(n.Reveal())) }

// In reports whether a text holds the number, whatever stands between its digits.
func (n AccountNumber) In(text string) bool {
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, text)
	return !n.Empty() && strings.Contains(digits, n.Reveal())
}

// Issued reports whether a routing number begins as those do that the Federal Reserve gives out.
func (n RoutingNumber) Issued() bool {
	if len(n.Reveal()) != 9 {
		return false
	}
	prefix := n.Reveal()[:2]
	return prefix <= "12" || prefix >= "21" && prefix <= "32" || prefix >= "61" && prefix <= "72" || prefix == "80"
}

// Last4 is all that a reply may show.
func (n RoutingNumber) Last4() string { return last4(n.Reveal()) }

// Last4 is all that a reply may show.
func (n AccountNumber) Last4() string { return last4(n.Reveal()) }

// Equal compares in constant time.
func (n RoutingNumber) Equal(o RoutingNumber) bool { return n.Same(o.Text) }

// Equal compares in constant time.
func (n AccountNumber) Equal(o AccountNumber) bool { return n.Same(o.Text) }

// Check says what is wrong with a routing number, never quoting it (R41, A29).
func (n RoutingNumber) Check() error {
	switch digits := n.Reveal(); {
	case n.Empty():
		return errors.New("is required")
	case len(digits) != 9 || !allDigits(digits):
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
	case len(digits) < 5 || len(digits) > 17 || !allDigits(digits):
		return errors.New("must be 5 to 17 digits")
	}
	return nil
}

func last4(digits string) string {
	if len(digits) < 4 {
		return ""
	}
	return digits[len(digits)-4:]
}

func allDigits(s string) bool {
	for _, d := range []byte(s) {
		if d < '0' || d > '9' {
			return false
		}
	}
	return true
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
