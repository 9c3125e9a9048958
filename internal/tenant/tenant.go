// Package tenant owns who may call: tenants, API clients, their roles and scopes, and the rules of access. Packages
// bank and server prove a caller's identity by hashes and sockets.
package tenant

import (
	"errors"
	"slices"
	"strings"
	"time"
)

// DefaultName is the tenant made at first start.
const DefaultName = "default"

// Tenant is one set of books: no client of another tenant sees any of it.
type Tenant struct {
	ID        string    `json:"_id"`
	Name      string    `json:"name"`
	CreatedAt time.Time `json:"created_at"`
}

// Deleted is the reply of a tenant's deletion.
type Deleted struct {
	ID      string `json:"_id"`
	Name    string `json:"name"`
	Deleted bool   `json:"deleted"`
	Clients int    `json:"clients" doc:"How many clients went with it"`
}

// CheckOwnerID checks an id of the caller's own system: an employer, a carrier, a company (A1).
func CheckOwnerID(id string) error {
	if len(id) < 1 || len(id) > 64 || strings.ContainsFunc(id, notInID) {
		return errors.New("must be 1 to 64 letters, digits, - or _")
	}
	return nil
}

// notInID lists characters by hand: compiling a pattern would take a good part of each bankctl command's start.
func notInID(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}

// CheckText checks free text such as a name: not empty or blank, no control characters, at most limit characters.
func CheckText(s string, limit int) error {
	runes := []rune(s)
	switch {
	case len(runes) == 0:
		return errors.New("is required")
	case strings.TrimSpace(s) == "":
		return errors.New("must not be blank")
	case len(runes) > limit:
		return errors.New("is too long")
	case slices.ContainsFunc(runes, isControl):
		return errors.New("must not have control characters")
	}
	return nil
}

func isControl(r rune) bool {
	bidi := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	return r < 0x20 || r >= 0x7f && r < 0xa0 || bidi || r == 0xfffd
}

// checkName checks the name of a tenant or a client.
func checkName(s string) error { return CheckText(s, 64) }

// AddParams makes a tenant.
type AddParams struct {
	Name string `json:"name" doc:"A short name, unique in this daemon"`
}

// Check checks the name.
func (p AddParams) Check() error { return CheckOwnerID(p.Name) }
