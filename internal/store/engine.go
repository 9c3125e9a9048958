package store

import (
	"context"
	"errors"
	"iter"
)

// Errors an Engine returns. They are three different promises about a write:
// any other error means that nothing of it was applied, ErrOutcomeUnknown that
// it may or may not be there after a restart, ErrPoisoned that the engine
// refuses work since an earlier commit went wrong.
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

// PanicError is what Update returns when its function panicked or left its
// goroutine. Its text leaves the value out, which may hold a secret.
type PanicError struct {
	Value any    // what was passed to panic; nil after runtime.Goexit
	Stack []byte // the stack at the time
}

func (*PanicError) Error() string { return "update function panicked" }

// Entry is one key and its value.
type Entry struct{ Key, Value []byte }

// EngineTx is a transaction on an Engine. It belongs to one goroutine and to
// the function it was handed to. What Get and Scan return are copies.
type EngineTx interface {
	// Get returns the value of key, or ErrNotFound.
	Get(key []byte) ([]byte, error)
	// Peek is Get without the copy: the bytes are not to be changed, and hold
	// until the transaction writes or ends.
	Peek(key []byte) ([]byte, error)
	// PeekRange is Scan forwards without the copies: an entry holds until the
	// next one. The function does not write while it reads.
	PeekRange(from, to []byte) iter.Seq2[Entry, error]
	// Put sets key to value.
	Put(key, value []byte) error
	// Delete removes key; removing a missing key is no error.
	Delete(key []byte) error
	// Scan yields the entries of the half-open range [from, to) in key order,
	// or backwards. A nil to means the end. The function may write while it
	// scans: the scan goes on after the last key it yielded and sees those writes.
	Scan(from, to []byte, reverse bool) iter.Seq2[Entry, error]
}

// Limits are the largest sizes, in bytes, that an Engine takes.
type Limits struct{ MaxKey, MaxValue int }

// Engine is an ordered key-value store with serializable transactions.
type Engine interface {
	// View runs fn on a snapshot.
	View(ctx context.Context, fn func(EngineTx) error) error
	// Update runs fn and commits what it wrote, or nothing if it returns an
	// error. fn may run more than once: no network, no output, no appending to
	// captured variables. A ctx that ends before fn starts keeps it from
	// running; later the result is awaited.
	Update(ctx context.Context, fn func(EngineTx) error) error
	Limits() Limits
	// Poisoned is closed when a commit went wrong and the process must reopen
	// the store before it can go on.
	Poisoned() <-chan struct{}
	Close() error
}

// CheckKey holds a key against the limits.
func (l Limits) CheckKey(key []byte) error {
	switch {
	case len(key) == 0:
		return ErrEmptyKey
	case len(key) > l.MaxKey:
		return ErrTooLarge
	}
	return nil
}

// CheckPut holds a key and its value against the limits.
func (l Limits) CheckPut(key, value []byte) error {
	if err := l.CheckKey(key); err != nil {
		return err
	}
	if len(value) > l.MaxValue {
		return ErrTooLarge
	}
	return nil
}
