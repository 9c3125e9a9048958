package bolt

import (
	"context"
	"errors"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"github.com/bankctl/bankctl/internal/store"
)

// Engine is an open database.
type Engine struct {
	db       *bolt.DB
	queue    chan *pending
	closing  chan struct{} // closed by Close, after which updates are refused
	idle     chan struct{} // closed when the writer goroutine has ended
	close    sync.Once
	closeErr error

	poison   sync.Once
	poisoned chan struct{}

	// durable is the id of the last transaction known to be on disk. bbolt
	// shows a transaction to readers before its last fsync has returned.
	durable    atomic.Int64
	committing sync.Mutex

	// failCommit makes commits fail, for tests.
	failCommit func() error
}

func newEngine(db *bolt.DB, lastID int) *Engine {
	e := &Engine{
		db:       db,
		queue:    make(chan *pending, maxGroup),
		closing:  make(chan struct{}),
		idle:     make(chan struct{}),
		poisoned: make(chan struct{}),
	}
	e.durable.Store(int64(lastID))
	go e.write()
	return e
}

// Limits are lower than bbolt's own, so that other engines can meet them.
func (e *Engine) Limits() store.Limits {
	return store.Limits{MaxKey: 1 << 10, MaxValue: 64 << 20}
}

// Poisoned is closed after a commit whose outcome is unknown.
func (e *Engine) Poisoned() <-chan struct{} { return e.poisoned }

// Close refuses new updates, waits for those under way and closes the file.
func (e *Engine) Close() error {
	e.close.Do(func() {
		close(e.closing)
		<-e.idle
		e.closeErr = e.db.Close()
	})
	return e.closeErr
}

func (e *Engine) refusal() error {
	select {
	case <-e.poisoned:
		return store.ErrPoisoned
	default:
	}
	select {
	case <-e.closing:
		return store.ErrClosed
	default:
		return nil
	}
}

// View runs fn on a snapshot. It fails if the snapshot turns out to come from a commit that failed.
func (e *Engine) View(ctx context.Context, fn func(store.EngineTx) error) (err error) {
	if err := e.refusal(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer recoverFault(&err)
	var id int64
	err = e.db.View(func(btx *bolt.Tx) error {
		id = int64(btx.ID())
		t := &tx{limits: e.Limits(), bucket: btx.Bucket(bucketName), readOnly: true}
		defer t.end()
		return fn(t)
	})
	if id > e.durable.Load() {
		e.awaitCommit() // the commit that wrote the snapshot
	}
	select {
	case <-e.poisoned:
		return store.ErrPoisoned
	default:
		return translate(err)
	}
}

// awaitCommit waits until no commit is under way.
func (e *Engine) awaitCommit() {
	e.committing.Lock()
	defer e.committing.Unlock()
}

// recoverFault turns a fault in the mapped file into an error and lets all other panics pass.
func recoverFault(err *error) {
	v := recover()
	if v == nil {
		return
	}
	if isFault(v) {
		*err = store.ErrDamaged
		return
	}
	panic(v)
}

func isFault(v any) bool {
	fault, ok := v.(runtime.Error)
	if !ok {
		return false
	}
	_, ok = fault.(interface{ Addr() uintptr })
	return ok
}

func translate(err error) error {
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return store.ErrClosed
	}
	return err
}
