package bolt

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/store"
)

// A group ends at this many updates or written bytes; no timer holds it open.
const (
	maxGroup      = 256
	maxGroupBytes = 32 << 20
)

// pending is one Update waiting for the writer.
type pending struct {
	ctx   context.Context
	fn    func(store.EngineTx) error
	taken atomic.Bool // set by the writer, or by a caller that gave up
	err   error
	done  chan struct{}
}

// Update passes fn to the writer goroutine, which runs all waiting updates in one bbolt transaction, one after the
// other. Each sees the writes of those before it.
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

// group runs first and all updates that wait behind it, commits them, and answers their callers.
func (e *Engine) group(first *pending) {
	if err := e.refusal(); errors.Is(err, store.ErrPoisoned) {
		first.answer(err)
		return
	}
	btx, err := e.begin()
	if err != nil {
		first.answer(err)
		return
	}
	ran, wrote, err := e.runAll(btx, first)
	switch {
	case err != nil: // bbolt failed: nothing was applied, and its state is in doubt
		e.rollback(btx)
		e.setPoisoned(errBroken)
	case !wrote:
		e.rollback(btx)
	default:
		err = e.commit(btx)
	}
	for _, p := range ran {
		p.err = resultOf(p.err, err)
		close(p.done)
	}
}

// begin starts a transaction on the file, if that is still the one at its path and nobody else has written to it.
func (e *Engine) begin() (btx *bolt.Tx, err error) {
	if err := e.Check(); err != nil {
		return nil, err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			e.stuck.Store(true)
			e.setPoisoned(errBroken)
			btx, err = nil, store.ErrPoisoned
		}
	}()
	btx, err = e.db.Begin(true)
	if err != nil {
		return nil, translate(err)
	}
	if int64(btx.ID()) != e.durable.Load()+1 {
		e.rollback(btx)
		err := fmt.Errorf("the database at %s was overwritten while bankd ran: %w", e.file.path, store.ErrReplaced)
		e.setPoisoned(err)
		return nil, err
	}
	return btx, nil
}

// resultOf is the result of one update, from its own error and its group's. An update that failed by itself was not
// applied, but the reason may be a write of its group that is now in doubt or was not applied either.
func resultOf(own, group error) error {
	if own != nil && errors.Is(group, store.ErrOutcomeUnknown) {
		return store.ErrPoisoned
	}
	return cmp.Or(group, own)
}

// runAll runs updates until none waits. An error means that bbolt failed.
func (e *Engine) runAll(btx *bolt.Tx, first *pending) (ran []*pending, wrote bool, err error) {
	bytes := 0
	for p := first; p != nil; p = e.next(len(ran), bytes) {
		if !p.taken.CompareAndSwap(false, true) {
			continue // its caller gave up
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

// commit writes the transaction. An error before the meta page is written means that nothing was applied, and the
// engine goes on. After one from then on the pages may be on disk and visible, so the engine refuses all further work.
func (e *Engine) commit(btx *bolt.Tx) (err error) {
	e.committing.Lock()
	defer e.committing.Unlock()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			e.stuck.Store(true)
			e.setPoisoned(errBroken)
			err = store.ErrOutcomeUnknown
		}
	}()
	id := int64(btx.ID())
	err = btx.Commit()
	if err != nil && !e.shows(id) {
		refused := e.file.refused(err)
		e.refused.Store(refused)
		return refused
	}
	if err == nil && e.failCommit != nil {
		err = e.failCommit()
	}
	if err != nil {
		e.setPoisoned(fmt.Errorf("%w; the outcome of its last write is unknown until bankd is started again", e.file.refused(err)))
		return store.ErrOutcomeUnknown
	}
	e.durable.Store(id)
	e.refused.Store(nil)
	if err := e.Check(); errors.Is(err, store.ErrReplaced) { // the write went to a file that nobody will find again
		return store.ErrOutcomeUnknown
	}
	return nil
}

// shows reports whether readers see the transaction, or may. They do as soon as the meta page is written, and if a
// write of it failed halfway, the other meta page counts.
func (e *Engine) shows(id int64) bool {
	var seen int64
	err := e.db.View(func(btx *bolt.Tx) error {
		seen = int64(btx.ID())
		return nil
	})
	return err != nil || seen >= id
}

// errBroken is the failure when bbolt panicked.
var errBroken = errors.New("the database's pages cannot be used any more; the next start reads and checks them anew")

func (e *Engine) setPoisoned(why error) {
	e.poison.Do(func() {
		e.failure = why
		close(e.poisoned)
	})
}

func (e *Engine) rollback(btx *bolt.Tx) {
	defer func() {
		if v := recover(); v != nil { // the transaction is given up in any case
			e.stuck.Store(true)
		}
	}()
	_ = btx.Rollback()
}

func (p *pending) answer(err error) {
	if p.taken.CompareAndSwap(false, true) {
		p.err = err
		close(p.done)
	}
}

// run calls the function on a new goroutine, which contains a panic or runtime.Goexit.
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
