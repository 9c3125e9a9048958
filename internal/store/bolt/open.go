// Package bolt is a store.Engine on one bbolt file: its creation, its lock, the grouping of commits, and failed
// commits. Package store encrypts and gives keys their meaning.
package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"time"

	bolt "go.etcd.io/bbolt"
	bolterrors "go.etcd.io/bbolt/errors"

	"github.com/bankctl/bankctl/internal/store"
)

// lockWait is how long Open waits for another process to release the file.
const lockWait = 200 * time.Millisecond

// growBy is the space by which the file grows at once. bbolt's own 16 MiB would make every small database that large.
const growBy = 1 << 20

var bucketName = []byte("bankd")

// Open opens the database at path, or creates it. It writes a new file elsewhere, syncs it and renames it, so that a
// crash leaves no file or a complete one. The caller holds a lock on the directory; the file's own lock is a second
// protection.
func Open(path string) (*Engine, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := create(path); err != nil {
			return nil, fmt.Errorf("create database: %w", err)
		}
	case err != nil:
		return nil, fmt.Errorf("open database: %w", err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open database: not a regular file")
	case info.Size() == 0:
		return nil, fmt.Errorf("open database: %w: the file is empty", store.ErrDamaged)
	}
	f := &file{path: path}
	db, lastID, err := openFile(f)
	if err == nil && mostlyFree(db) {
		if compact(db, path) == nil { // else, on a full disk for instance, the file serves as it is
			if err := db.Close(); err != nil {
				return nil, fmt.Errorf("open database: %w", err)
			}
			f = &file{path: path}
			db, lastID, err = openFile(f)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	return newEngine(db, f, lastID), nil
}

func options() *bolt.Options {
	return &bolt.Options{
		Timeout:         lockWait,
		FreelistType:    bolt.FreelistMapType,
		NoFreelistSync:  true, // written at every commit, the list of a file with much free space makes it grow and grow
		InitialMmapSize: 64 << 20,
	}
}

// roomToMap is how much of address space to map for a file. A reader blocks every write that has to map more, and a
// backup reads for as long as its receiver takes, so there is room for the file to double and grow by a gigabyte.
func roomToMap(path string) int {
	info, err := os.Stat(path)
	if err != nil || strconv.IntSize == 32 {
		return 64 << 20
	}
	return int(2*info.Size()) + 1<<30
}

// openFile opens an existing file, or refuses one that bbolt cannot walk. It also returns the id of the file's last
// transaction.
func openFile(f *file) (db *bolt.DB, lastID int, err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if v := recover(); v != nil {
			db, err = nil, fmt.Errorf("%w: its pages cannot be read", store.ErrDamaged)
		}
	}()
	if err := checkPages(f.path); err != nil {
		return nil, 0, err
	}
	o := options()
	o.OpenFile, o.InitialMmapSize = f.open, roomToMap(f.path)
	db, err = bolt.Open(f.path, 0o600, o)
	if err != nil {
		return nil, 0, translateOpen(err)
	}
	db.AllocSize = growBy
	err = db.View(func(tx *bolt.Tx) error {
		lastID = tx.ID()
		if tx.Bucket(bucketName) == nil {
			return fmt.Errorf("%w: it holds no bankd data", store.ErrDamaged)
		}
		return nil
	})
	if err != nil {
		return nil, 0, errors.Join(err, db.Close())
	}
	return db, lastID, nil
}

func translateOpen(err error) error {
	switch {
	case errors.Is(err, bolterrors.ErrTimeout):
		return store.ErrInUse
	case errors.Is(err, bolterrors.ErrInvalid), errors.Is(err, bolterrors.ErrChecksum),
		errors.Is(err, bolterrors.ErrVersionMismatch):
		return fmt.Errorf("%w: %w", store.ErrDamaged, err)
	}
	return err
}

func create(path string) error {
	aside := path + ".new"
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := writeEmpty(aside); err != nil {
		return err
	}
	if err := syncPath(aside); err != nil {
		return err
	}
	if err := os.Rename(aside, path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(path))
}

func writeEmpty(path string) error {
	db, err := bolt.Open(path, 0o600, options())
	if err != nil {
		return translateOpen(err)
	}
	err = db.Update(func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket(bucketName)
		return err
	})
	return errors.Join(err, db.Close())
}

func syncPath(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
