// Package mem is a store.Engine in memory, for tests and demonstrations. It runs every update twice, like an engine
// that retries after a conflict: the first run may see a state that others change before the second, whose writes
// count. So a function that cannot be repeated fails at once. Nothing is durable.
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
	between atomic.Pointer[func()]
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

// Poisoned returns a channel that is never closed: a commit in memory cannot fail.
func (e *Engine) Poisoned() <-chan struct{} { return e.never }

// Close refuses further transactions.
func (e *Engine) Close() error {
	e.closed.Store(true)
	return nil
}

// View runs fn on the current state.
func (e *Engine) View(ctx context.Context, fn func(store.EngineTx) error) error {
	if err := e.refuse(ctx); err != nil {
		return err
	}
	t := &tx{limits: e.Limits(), data: *e.data.Load(), readOnly: true}
	defer t.end()
	return fn(t)
}

// Between sets a function to call between the two runs of each update from now on; nil calls none. It may write through
// the engine, so that the second run sees a changed state.
func (e *Engine) Between(meanwhile func()) { e.between.Store(&meanwhile) }

// Update runs fn on the current state and drops its writes, then runs it alone on the latest state and keeps them.
func (e *Engine) Update(ctx context.Context, fn func(store.EngineTx) error) error {
	if err := e.refuse(ctx); err != nil {
		return err
	}
	_, _ = e.run(fn)
	if meanwhile := e.between.Load(); meanwhile != nil && *meanwhile != nil {
		(*meanwhile)()
	}
	e.writers.Lock()
	defer e.writers.Unlock()
	if e.closed.Load() {
		return store.ErrClosed
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
