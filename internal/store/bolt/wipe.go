package bolt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// wipeSlice is how many pages are looked at while writers wait: some milliseconds.
const wipeSlice = 8192

// readerWait is how long a slice waits, with the writers, for readers of older snapshots.
const readerWait = 50 * time.Millisecond

// readers counts the readers of this epoch and those of the one before; each slice of a wipe begins an epoch.
type readers struct {
	epoch  atomic.Uint32
	counts [2]atomic.Int64
}

// enter counts a reader until leave. It must come before the reader's snapshot is taken.
func (r *readers) enter() (leave func()) {
	for {
		epoch := r.epoch.Load()
		count := &r.counts[epoch&1]
		count.Add(1)
		if r.epoch.Load() == epoch {
			return func() { count.Add(-1) }
		}
		count.Add(-1) // a wipe began in between, and may not have seen it
	}
}

// drain waits for the readers that entered before it, and reports whether all have left. Those that outlived an earlier
// drain are in the count that the new readers are about to use, so it waits for them first.
func (r *readers) drain(wait time.Duration) bool {
	end := time.Now().Add(wait)
	epoch := r.epoch.Load() // drains come one at a time
	if !await(&r.counts[(epoch+1)&1], end) {
		return false
	}
	r.epoch.Store(epoch + 1)
	return await(&r.counts[epoch&1], end)
}

func await(count *atomic.Int64, end time.Time) bool {
	for count.Load() > 0 {
		if time.Now().After(end) {
			return false
		}
		time.Sleep(100 * time.Microsecond)
	}
	return true
}

// Wipe overwrites with zeros the pages that nothing refers to: bbolt leaves what was deleted or replaced in them until it
// needs their space. Readers of older snapshots keep it from that; then it asks to be called again.
func (e *Engine) Wipe(ctx context.Context) (pages int, again bool, err error) {
	e.wiping.Lock()
	defer e.wiping.Unlock()
	f, err := os.OpenFile(e.db.Path(), os.O_RDWR|syscall.O_NOFOLLOW|syscall.O_CLOEXEC, 0)
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if now, err := f.Stat(); err != nil || !os.SameFile(now, e.file.opened) {
		return 0, false, errors.Join(errors.New("the file at the database's path is another one"), err)
	}
	w := wiper{e: e, f: f, size: e.db.Info().PageSize}
	for from := 2; from >= 0 && !w.kept; { // pages 0 and 1 are the meta pages
		if err := errors.Join(ctx.Err(), e.refusal()); err != nil {
			return w.wiped, true, err
		}
		if from, err = w.slice(from); err != nil {
			return w.wiped, true, err
		}
	}
	if w.wiped > 0 {
		err = f.Sync()
	}
	return w.wiped, w.kept, err
}

type wiper struct {
	e     *Engine
	f     *os.File
	size  int
	wiped int
	kept  bool // a snapshot may still need a page
}

// slice wipes some pages inside a write transaction, which keeps others from using them, and returns where to go on;
// negative at the end. Once the readers from before have left, all that are left read the last commit, and no page that
// is free in it. A crash falls back to the last commit too: bbolt uses such pages at its next one.
func (w *wiper) slice(from int) (next int, err error) {
	tx, err := w.e.db.Begin(true)
	if err != nil {
		return -1, translate(err)
	}
	defer func() { err = errors.Join(err, tx.Rollback()) }()
	if err := w.e.refusal(); err != nil {
		return -1, err
	}
	if !w.e.readers.drain(readerWait) {
		w.kept = true
		return -1, nil
	}
	buf, zero := make([]byte, w.size), make([]byte, w.size)
	for id := from; id < from+wipeSlice; id++ {
		info, err := tx.Page(id)
		if err != nil || info == nil {
			return -1, err
		}
		if info.Type != "free" {
			continue
		}
		at := int64(id) * int64(w.size)
		n, err := w.f.ReadAt(buf, at)
		if errors.Is(err, io.EOF) {
			return -1, nil // bbolt lets the file grow as it needs
		}
		if err != nil {
			return -1, err
		}
		if bytes.Equal(buf[:n], zero) {
			continue
		}
		if _, err := w.f.WriteAt(zero, at); err != nil {
			return -1, err
		}
		w.wiped++
	}
	return from + wipeSlice, nil
}
