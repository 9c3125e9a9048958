package store

import "runtime/debug"

// NewPanicError wraps a recovered value for an Engine's Update.
func NewPanicError(v any) *PanicError {
	return &PanicError{Value: v, Stack: debug.Stack()}
}
