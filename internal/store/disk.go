package store

import (
	"errors"
	"fmt"
	"io"
	"syscall"
)

// ErrReplaced means that a file is no longer the one at its path, so that a write into it would be lost at the next
// start. The engine refuses all work after it.
var ErrReplaced = errors.New("it was replaced or removed while bankd ran")

// DiskError means that the disk refused a write, of which nothing was applied. The engine goes on: reads work, and so
// does the next write once there is room.
type DiskError struct {
	Dir string // the directory on that disk
	Err error  // as the system says it
}

// full lists the errors of a disk that has no room, for this user or this file.
var full = []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG}

// Full reports whether room on the disk would help.
func (e *DiskError) Full() bool {
	for _, errno := range full {
		if errors.Is(e.Err, errno) {
			return true
		}
	}
	return false
}

func (e *DiskError) Error() string {
	switch {
	case errors.Is(e.Err, syscall.ENOSPC):
		return fmt.Sprintf("the disk that holds %s is full", e.Dir)
	case errors.Is(e.Err, syscall.EDQUOT):
		return fmt.Sprintf("the disk quota for %s is used up", e.Dir)
	case errors.Is(e.Err, syscall.EFBIG):
		return fmt.Sprintf("the database in %s may not grow: a limit on the size of files is reached", e.Dir)
	case errors.Is(e.Err, syscall.EROFS):
		return fmt.Sprintf("the disk that holds %s has become read-only", e.Dir)
	}
	if errors.Is(e.Err, io.ErrUnexpectedEOF) {
		return fmt.Sprintf("the disk that holds %s took only a part of a write", e.Dir)
	}
	return fmt.Sprintf("the disk that holds %s refused a write: %v", e.Dir, e.Err)
}

// Unwrap returns the system's error.
func (e *DiskError) Unwrap() error { return e.Err }

// Hint says what to do about it.
func (e *DiskError) Hint() string {
	if e.Full() {
		return "make room there: reads go on, and the next write succeeds without a restart"
	}
	return "look at the system's log for the disk: reads go on, and writes succeed as soon as the disk takes them"
}

// failing is an Engine that says why it refuses all work.
type failing interface{ Failure() error }

// Failure says why the engine is poisoned, in words for the operator; nil if it is not.
func (db *DB) Failure() error {
	select {
	case <-db.engine.Poisoned():
	default:
		return nil
	}
	if e, ok := db.engine.(failing); ok {
		return e.Failure()
	}
	return ErrPoisoned
}

// guarded is an Engine on a disk, which can check that its files are still those it opened.
type guarded interface {
	Guard(check func() error)
	Check() error
	Refused() *DiskError
}

// Refused is the error of the last write, if the disk refused it; nil once a later one has succeeded.
func (db *DB) Refused() *DiskError {
	if e, ok := db.engine.(guarded); ok {
		return e.Refused()
	}
	return nil
}

// Guard has check called before and after each commit, besides the engine's own check of its file. An error of it ends
// all work before the write is acknowledged.
func (db *DB) Guard(check func() error) {
	if e, ok := db.engine.(guarded); ok {
		e.Guard(check)
	}
}

// CheckFiles checks now what each commit checks, so that a replaced file is noticed without a write.
func (db *DB) CheckFiles() error {
	if e, ok := db.engine.(guarded); ok {
		return e.Check()
	}
	return nil
}
