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

	file   *file
	guard  atomic.Pointer[func() error] // checks more than the file
	poison sync.Once
	// failure is why the engine is poisoned; valid once poisoned is closed.
	failure  error
	poisoned chan struct{}
	refused  atomic.Pointer[store.DiskError] // of the last commit; nil if it succeeded
	stuck    atomic.Bool                     // bbolt panicked, and may hold its own lock for ever

	// durable is the id of the last transaction known to be on disk. bbolt
	// shows a transaction to readers before its last fsync has returned.
	durable    atomic.Int64
	committing sync.Mutex

	readers readers
	wiping  sync.Mutex

	// failCommit makes commits fail, for tests.
	failCommit func() error
}

func newEngine(db *bolt.DB, f *file, lastID int) *Engine {
	e := &Engine{
		db:       db,
		file:     f,
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

// Poisoned is closed after a commit whose outcome is unknown, or when the file is no longer the one at its path.
func (e *Engine) Poisoned() <-chan struct{} { return e.poisoned }

// Failure says why the engine is poisoned; nil if it is not.
func (e *Engine) Failure() error {
	select {
	case <-e.poisoned:
		return e.failure
	default:
		return nil
	}
}

// Refused is the error of the last commit, if the disk refused it; nil once a later one has succeeded.
func (e *Engine) Refused() *store.DiskError { return e.refused.Load() }

// Guard has check called before and after each commit; store.ErrReplaced from it poisons the engine.
func (e *Engine) Guard(check func() error) { e.guard.Store(&check) }

// Check checks that the file is still the one at its path, and what Guard adds. If it is not, Check poisons the engine.
func (e *Engine) Check() error {
	err := e.file.check()
	if guard := e.guard.Load(); err == nil && guard != nil {
		err = (*guard)()
	}
	if errors.Is(err, store.ErrReplaced) {
		e.setPoisoned(err)
	}
	return err
}

// Close refuses new updates, waits for those under way and closes the file.
func (e *Engine) Close() error {
	e.close.Do(func() {
		close(e.closing)
		<-e.idle
		if e.stuck.Load() {
			return // bbolt would wait for its own lock; the end of the process closes the file
		}
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
	defer e.readers.enter()()
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
