package store

import (
	"errors"
	"fmt"
)

// Kinds of OpenError, for errors.Is. ErrDamaged is one more.
var (
	ErrWrongKey         = errors.New("wrong key")
	ErrNewerSchema      = errors.New("newer schema")
	ErrOlderSchema      = errors.New("older schema")
	ErrOtherEnvironment = errors.New("other environment")
)

// ErrUnknownTenant says that EnsureTenant was not called for a tenant.
var ErrUnknownTenant = errors.New("unknown tenant")

// ErrBadName says that a tenant, collection or record id has a form that keys do not take.
var ErrBadName = errors.New("malformed tenant, collection or id")

// OpenError says why Open refused a store. Nothing was changed.
type OpenError struct {
	Kind error  // ErrWrongKey, ErrNewerSchema, ErrOlderSchema, ErrOtherEnvironment or ErrDamaged
	Want string // what the store holds: a key id, schema or environment
	Got  string // what it was opened with
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
