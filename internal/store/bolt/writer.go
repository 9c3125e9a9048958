package bolt

import (
	"context"
	"errors"
	"runtime/debug"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/store"
)

// A group is closed at this many updates or written bytes; no timer holds it open.
const (
	maxGroup      = 256
	maxGroupBytes = 32 << 20
)

// pending is one Update on its way through the writer.
type pending struct {
	ctx   context.Context
	fn    func(store.EngineTx) error
	taken atomic.Bool // by the writer, or by a caller that gave up
	err   error
	done  chan struct{}
}

// Update hands fn to the writer goroutine, which runs all that wait in turn in
// one bbolt transaction. Each sees what those before it wrote.
func (e *Engine) Update(ctx context.Context, fn func(store.EngineTx) error) error {
	if err := e.refusal(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p := &pending{ctx: ctx, fn: fn, done: make(chan struct{})}
	select {
	case e.queue <- p:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.closing:
		return store.ErrClosed
	}
	select {
	case <-p.done:
		return p.err
	case <-ctx.Done():
		if p.taken.CompareAndSwap(false, true) {
			return ctx.Err()
		}
	case <-e.idle:
		if p.taken.CompareAndSwap(false, true) {
			return store.ErrClosed
		}
	}
	<-p.done
	return p.err
}

// write is the writer goroutine.
func (e *Engine) write() {
	defer close(e.idle)
	for {
		select {
		case p := <-e.queue:
			e.group(p)
			continue
		default:
		}
		select {
		case p := <-e.queue:
			e.group(p)
		case <-e.closing:
			return
		}
	}
}

// group runs first and all that wait behind it, commits, and answers them.
func (e *Engine) group(first *pending) {
	if err := e.refusal(); errors.Is(err, store.ErrPoisoned) {
		first.answer(err)
		return
	}
	btx, err := e.db.Begin(true)
	if err != nil {
		first.answer(translate(err))
		return
	}
	ran, wrote, err := e.runAll(btx, first)
	switch {
	case err != nil: // bbolt itself broke: nothing was applied, and its state is in doubt
		rollback(btx)
		e.setPoisoned()
	case !wrote:
		rollback(btx)
	default:
		err = e.commit(btx)
	}
	for _, p := range ran {
		p.err = verdict(p.err, err)
		close(p.done)
	}
}

// verdict is what an update's caller hears, given its own error and the group's.
// One that failed by itself has surely not been applied, but what it failed on
// may have been a write that is now in doubt.
func verdict(own, group error) error {
	switch {
	case group == nil:
		return own
	case own != nil:
		return store.ErrPoisoned
	}
	return group
}

// runAll runs updates until none waits. Its error says that bbolt broke.
func (e *Engine) runAll(btx *bolt.Tx, first *pending) (ran []*pending, wrote bool, err error) {
	bytes := 0
	for p := first; p != nil; p = e.next(len(ran), bytes) {
		if !p.taken.CompareAndSwap(false, true) {
			continue // its caller gave up while it waited
		}
		ran = append(ran, p)
		t := &tx{limits: e.Limits(), bucket: btx.Bucket(bucketName)}
		p.err = p.run(t)
		if t.broken {
			return ran, false, store.ErrPoisoned
		}
		if p.err != nil {
			if err := t.undo(); err != nil {
				return ran, false, store.ErrPoisoned
			}
			continue
		}
		bytes += t.bytes
		wrote = wrote || len(t.log) > 0
	}
	return ran, wrote, nil
}

func (e *Engine) next(ran, bytes int) *pending {
	if ran >= maxGroup || bytes >= maxGroupBytes {
		return nil
	}
	select {
	case p := <-e.queue:
		return p
	default:
		return nil
	}
}

// commit writes the transaction. After an error its pages may be on disk and
// visible all the same, so the engine refuses everything from then on.
func (e *Engine) commit(btx *bolt.Tx) (err error) {
	e.committing.Lock()
	defer e.committing.Unlock()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil || err != nil {
			e.setPoisoned()
			err = store.ErrOutcomeUnknown
		}
	}()
	id := int64(btx.ID())
	if err := btx.Commit(); err != nil {
		return err
	}
	if e.failCommit != nil {
		if err := e.failCommit(); err != nil {
			return err
		}
	}
	e.durable.Store(id)
	return nil
}

func (e *Engine) setPoisoned() { e.poison.Do(func() { close(e.poisoned) }) }

func rollback(btx *bolt.Tx) {
	defer func() { _ = recover() }() // a broken transaction is given up either way
	_ = btx.Rollback()
}

func (p *pending) answer(err error) {
	if p.taken.CompareAndSwap(false, true) {
		p.err = err
		close(p.done)
	}
}

// run calls the function on a goroutine of its own, so that a panic or a
// runtime.Goexit in it stays there.
func (p *pending) run(t *tx) (err error) {
	if err := p.ctx.Err(); err != nil {
		return err
	}
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
		returned := false
		defer func() {
			if v := recover(); v != nil || !returned {
				err = store.NewPanicError(v)
			}
		}()
		err = p.fn(t)
		returned = true
	}()
	<-over
	t.end()
	return err
}
