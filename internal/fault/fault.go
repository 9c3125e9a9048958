// Package fault owns the errors that cross the socket: one short list of codes with their HTTP status, exit code and
// whether a retry may help. Each caller words its own failures.
package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Code names a kind of failure; the list is closed.
type Code string

// The codes of the contract's table.
const (
	BadRequest         Code = "bad_request"
	TooLarge           Code = "too_large"
	Invalid            Code = "invalid"
	Unauthenticated    Code = "unauthenticated"
	Forbidden          Code = "forbidden"
	CapabilityDisabled Code = "capability_disabled"
	NotFound           Code = "not_found"
	Conflict           Code = "conflict"
	Duplicate          Code = "duplicate"
	RelinkRequired     Code = "relink_required"
	RateLimited        Code = "rate_limited"
	Internal           Code = "internal"
	PlaidError         Code = "plaid_error"
	PlaidTimeout       Code = "plaid_timeout"
	Unavailable        Code = "unavailable"
)

// Error is a failure in both programs: bankd encodes it, and the client decodes it without loss.
type Error struct {
	Code      Code              `json:"code" doc:"What kind of failure this is"`
	Message   string            `json:"message" doc:"What happened, in one sentence"`
	Hint      string            `json:"hint" doc:"What to do about it; may be empty"`
	Fields    map[string]string `json:"fields" doc:"Each bad field and why it is refused; values are never echoed"`
	Retryable bool              `json:"retryable" doc:"Whether the same call may succeed later"`
	RequestID string            `json:"request_id" doc:"Names the request in the daemon's log"`

	// ID is the object that is in the way of a duplicate or a conflict.
	ID string `json:"id,omitempty" doc:"The object that already holds this"`
	// RetryAfter is in seconds; 0 if unknown.
	// RetryAfter is in seconds; 0 where nothing is known.
	RetryAfter int    `json:"retry_after,omitempty" doc:"Seconds to wait before trying again"`
	Plaid      *Plaid `json:"plaid,omitempty" doc:"What Plaid said, where Plaid was the one to refuse"`

	cause error
}

// Plaid carries Plaid's own words on a failure of theirs: enough for a support ticket, never a token.
type Plaid struct {
	ErrorType string `json:"error_type,omitempty"`
	ErrorCode string `json:"error_code"`
	RequestID string `json:"request_id"`
}

// New makes an error of the given kind.
func New(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Retryable: code.Retryable()}
}

// Field makes an "invalid" error about one field.
func Field(name, reason string) *Error {
	return Fields(map[string]string{name: reason})
}

// Fields makes an "invalid" error that names every bad field.
func Fields(fields map[string]string) *Error {
	e := New(Invalid, "%s", describe(fields))
	e.Fields = fields
	return e
}

func describe(fields map[string]string) string {
	names := slices.Sorted(maps.Keys(fields))
	if len(names) == 1 {
		return names[0] + ": " + fields[names[0]]
	}
	return fmt.Sprintf("%d fields are not valid: %s", len(names), strings.Join(names, ", "))
}

// Error gives the message alone; callers print hint and fields themselves.
func (e *Error) Error() string { return e.Message }

// Unwrap gives the cause. It is never encoded, so it stays in its process.
func (e *Error) Unwrap() error { return e.cause }

// WithHint gives a copy that says what to do about it. An error may be shared between calls, so none of these methods
// changes it.
func (e *Error) WithHint(format string, args ...any) *Error {
	hinted := *e
	hinted.Hint = fmt.Sprintf(format, args...)
	return &hinted
}

// WithID gives a copy that names the object that is in the way.
func (e *Error) WithID(id string) *Error {
	named := *e
	named.ID = id
	return &named
}

// WithFieldNames gives a copy that names its fields as the caller spells them.
func (e *Error) WithFieldNames(spell func(field string) string) *Error {
	renamed := *e
	renamed.Fields = map[string]string{}
	for name, reason := range e.Fields {
		renamed.Fields[spell(name)] = reason
	}
	if e.Message == describe(e.Fields) {
		renamed.Message = describe(renamed.Fields)
	}
	return &renamed
}

// Because gives a copy that keeps the cause for the log; it is never encoded.
func (e *Error) Because(cause error) *Error {
	caused := *e
	caused.cause = cause
	return &caused
}

// MarshalJSON always writes fields as an object, so that a script need not test for null.
func (e *Error) MarshalJSON() ([]byte, error) {
	type plain Error
	p := plain(*e)
	if p.Fields == nil {
		p.Fields = map[string]string{}
	}
	return json.Marshal(&p)
}

// As finds the fault in an error's chain. For any other error it makes an internal fault that reveals nothing of the
// cause.
func As(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	return New(Internal, "internal error").WithHint("see the daemon's log for this request id").Because(err)
}

// Cause gives the text of a fault's cause, for the log; "" if it has none.
func Cause(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e != nil && e.cause != nil {
		return e.cause.Error()
	}
	return ""
}

// Is reports whether the error is a fault of that kind.
func Is(err error, code Code) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Code == code
}
