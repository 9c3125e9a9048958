package store

import (
	"errors"
	"fmt"

	"github.com/bankctl/bankctl/internal/vault"
)

// Kinds of OpenError, for errors.Is, beside ErrDamaged.
var (
	ErrWrongKey         = errors.New("wrong key")
	ErrNewerSchema      = errors.New("newer schema")
	ErrOlderSchema      = errors.New("older schema")
	ErrOtherEnvironment = errors.New("other environment")
)

// ErrKEKUnavailable means that the provider of the key-encryption key does not answer.
var ErrKEKUnavailable = vault.ErrKEKUnavailable

// ErrUnknownTenant means that EnsureTenant was not called for the tenant.
var ErrUnknownTenant = errors.New("unknown tenant")

// ErrBadName means that a tenant's, collection's or record's name is malformed.
var ErrBadName = errors.New("malformed tenant, collection or id")

// OpenError tells why Open refused a store, which it left unchanged.
type OpenError struct {
	Kind error  // ErrWrongKey, ErrNewerSchema, ErrOlderSchema, ErrOtherEnvironment or ErrDamaged
	Want string // the store's own key id, schema or environment
	Got  string // the one it was opened with
}

func (e *OpenError) Error() string {
	const unchanged = "; nothing was changed"
	switch {
	case errors.Is(e.Kind, ErrWrongKey):
		return fmt.Sprintf("the data is sealed with key %s, the key given is %s%s", e.Want, e.Got, unchanged)
	case errors.Is(e.Kind, ErrNewerSchema), errors.Is(e.Kind, ErrOlderSchema):
		return fmt.Sprintf("the data has schema %s, this program works with %s%s", e.Want, e.Got, unchanged)
	case errors.Is(e.Kind, ErrOtherEnvironment):
		return fmt.Sprintf("the data belongs to environment %s, not %s%s", e.Want, e.Got, unchanged)
	}
	return fmt.Sprintf("the data is damaged: %s%s", e.Got, unchanged)
}

// Unwrap returns the kind.
func (e *OpenError) Unwrap() error { return e.Kind }

func damaged(what string) error { return &OpenError{Kind: ErrDamaged, Got: what} }
