package store

import (
	"context"
	"errors"
	"iter"
)

// Errors of an Engine. After ErrOutcomeUnknown a write may or may not be there after a restart. ErrPoisoned refuses all
// work after a failed commit. Any other error means that nothing was applied.
var (
	ErrNotFound       = errors.New("not found")
	ErrOutcomeUnknown = errors.New("commit failed, outcome unknown until the store is reopened")
	ErrPoisoned       = errors.New("store refuses work after a failed commit, restart to reopen it")
	ErrTooLarge       = errors.New("key or value too large")
	ErrEmptyKey       = errors.New("empty key")
	ErrReadOnly       = errors.New("write in a read-only transaction")
	ErrTxDone         = errors.New("transaction is over")
	ErrClosed         = errors.New("store is closed")
	ErrInUse          = errors.New("store is in use by another process")
	ErrDamaged        = errors.New("store is damaged")
)

// PanicError is returned by Update when its function panicked or left its goroutine. Its text omits the value, which
// may hold a secret.
type PanicError struct {
	Value any    // the value passed to panic; nil after runtime.Goexit
	Stack []byte // the stack at the time
}

func (*PanicError) Error() string { return "update function panicked" }

// Entry is one key and its value.
type Entry struct{ Key, Value []byte }

// EngineTx is a transaction on an Engine. Use it on one goroutine, and only inside the function that got it. Get and
// Scan return copies.
type EngineTx interface {
	// Get returns the value of key, or ErrNotFound.
	Get(key []byte) ([]byte, error)
	// Peek is Get without the copy: do not change the bytes; they are valid until the transaction writes or ends.
	Peek(key []byte) ([]byte, error)
	// PeekRange is Scan forwards without the copies: an entry is valid until the next one. Do not write while it runs.
	PeekRange(from, to []byte) iter.Seq2[Entry, error]
	// Put sets key to value.
	Put(key, value []byte) error
	// Delete removes key; removing a missing key is no error.
	Delete(key []byte) error
	// Scan yields the entries of the half-open range [from, to) in key order, or in reverse. A nil to means to the end.
	// The caller may write during a scan: it continues after the last key it yielded and sees those writes.
	Scan(from, to []byte, reverse bool) iter.Seq2[Entry, error]
}

// Limits are the largest sizes of a key and a value, in bytes.
type Limits struct{ MaxKey, MaxValue int }

// Engine is an ordered key-value store with serializable transactions.
type Engine interface {
	// View runs fn on a snapshot.
	View(ctx context.Context, fn func(EngineTx) error) error
	// Update runs fn and commits its writes, or nothing if it returns an error. fn may run more than once: no network,
	// no output, no appending to captured variables. If ctx ends before fn starts, fn does not run; after that Update
	// waits for the result.
	Update(ctx context.Context, fn func(EngineTx) error) error
	Limits() Limits
	// Poisoned is closed after a failed commit: the process must reopen the store.
	Poisoned() <-chan struct{}
	Close() error
}

// CheckKey checks the size of a key.
func (l Limits) CheckKey(key []byte) error {
	switch {
	case len(key) == 0:
		return ErrEmptyKey
	case len(key) > l.MaxKey:
		return ErrTooLarge
	}
	return nil
}

// CheckPut checks the sizes of a key and its value.
func (l Limits) CheckPut(key, value []byte) error {
	if err := l.CheckKey(key); err != nil {
		return err
	}
	if len(value) > l.MaxValue {
		return ErrTooLarge
	}
	return nil
}
