// Package mem is a store.Engine in memory, for tests and demonstrations. It
// runs every update twice and keeps the second run, so that a function that
// is not repeatable fails at once. It leaves durability to package bolt.
package mem

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/bankctl/bankctl/internal/store"
)

// Engine is an ordered map with snapshots.
type Engine struct {
	writers sync.Mutex
	data    atomic.Pointer[sorted]
	closed  atomic.Bool
	never   chan struct{}
}

// New returns an empty engine.
func New() *Engine {
	e := &Engine{never: make(chan struct{})}
	e.data.Store(&sorted{})
	return e
}

// Limits returns sizes like those of package bolt.
func (e *Engine) Limits() store.Limits {
	return store.Limits{MaxKey: 1 << 10, MaxValue: 64 << 20}
}

// Poisoned returns a channel that is never closed: memory has no failed commit.
func (e *Engine) Poisoned() <-chan struct{} { return e.never }

// Close refuses further transactions.
func (e *Engine) Close() error {
	e.closed.Store(true)
	return nil
}

// View runs fn on the state of this moment.
func (e *Engine) View(ctx context.Context, fn func(store.EngineTx) error) error {
	if err := e.refuse(ctx); err != nil {
		return err
	}
	t := &tx{limits: e.Limits(), data: *e.data.Load(), readOnly: true}
	defer t.end()
	return fn(t)
}

// Update runs fn twice on the same state and keeps what the second run wrote.
func (e *Engine) Update(ctx context.Context, fn func(store.EngineTx) error) error {
	if err := e.refuse(ctx); err != nil {
		return err
	}
	e.writers.Lock()
	defer e.writers.Unlock()
	if err := e.refuse(ctx); err != nil {
		return err
	}
	if _, err := e.run(fn); err != nil {
		return err
	}
	data, err := e.run(fn)
	if err != nil {
		return err
	}
	e.data.Store(&sorted{pairs: data.pairs})
	return nil
}

func (e *Engine) refuse(ctx context.Context) error {
	if e.closed.Load() {
		return store.ErrClosed
	}
	return ctx.Err()
}

func (e *Engine) run(fn func(store.EngineTx) error) (data sorted, err error) {
	t := &tx{limits: e.Limits(), data: *e.data.Load()}
	returned := false
	defer func() {
		t.end()
		if v := recover(); v != nil || !returned {
			data, err = sorted{}, store.NewPanicError(v)
		}
	}()
	err = fn(t)
	returned = true
	return t.data, err
}
