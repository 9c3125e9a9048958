// Package mem is a store.Engine in memory, for tests and demonstrations. It runs every update several times, like an engine
// that retries after conflicts: the first runs see states from before some of the last writes, as if those came in
// between, and what they do is dropped; the last run sees the latest, and its writes count. So a function that cannot be
// repeated on changed state fails at once. Nothing is durable.
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
	past    []*sorted // the states before the last writes, newest first; writers guards it
	exact   bool
	closed  atomic.Bool
	never   chan struct{}
	between atomic.Pointer[func()]
}

// ago are the states of the earlier runs, in writes before the latest.
var ago = []int{6, 2, 1}

// Exact returns an empty engine that runs an update twice on the same state, for functions that know what is stored.
func Exact() *Engine {
	e := New()
	e.exact = true
	return e
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

// Update runs fn on earlier states and drops what it does, then runs it alone on the latest state and keeps that.
func (e *Engine) Update(ctx context.Context, fn func(store.EngineTx) error) error {
	if err := e.refuse(ctx); err != nil {
		return err
	}
	for _, state := range e.earlier() {
		_, _ = e.run(fn, state)
	}
	if meanwhile := e.between.Load(); meanwhile != nil && *meanwhile != nil {
		(*meanwhile)()
	}
	e.writers.Lock()
	defer e.writers.Unlock()
	if e.closed.Load() {
		return store.ErrClosed
	}
	latest := e.data.Load()
	data, err := e.run(fn, latest)
	if err != nil {
		return err
	}
	if data.owned { // something was written
		e.past = append([]*sorted{latest}, e.past[:min(len(e.past), ago[0]-1)]...)
	}
	e.data.Store(&sorted{pairs: data.pairs})
	return nil
}

// earlier gives the states that an update runs on before the latest one.
func (e *Engine) earlier() (states []*sorted) {
	e.writers.Lock()
	defer e.writers.Unlock()
	if !e.exact {
		for _, n := range ago {
			if n <= len(e.past) {
				states = append(states, e.past[n-1])
			}
		}
	}
	if len(states) == 0 {
		states = append(states, e.data.Load())
	}
	return states
}

func (e *Engine) refuse(ctx context.Context) error {
	if e.closed.Load() {
		return store.ErrClosed
	}
	return ctx.Err()
}

func (e *Engine) run(fn func(store.EngineTx) error, on *sorted) (data sorted, err error) {
	t := &tx{limits: e.Limits(), data: *on}
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
