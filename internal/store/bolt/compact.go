package bolt

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	bolt "go.etcd.io/bbolt"
)

// A file is written anew at its opening where free pages take this much, and twice what its data takes: bbolt never gives
// space back, and a backup that is read while much is written leaves a lot of it.
const (
	muchFree = 64 << 20
	fillTx   = 8 << 20 // bytes a transaction of the copy
)

// mostlyFree reports whether writing a file anew is worth it.
func mostlyFree(db *bolt.DB) bool {
	free, total := int64(db.Stats().FreePageN), int64(0)
	_ = db.View(func(tx *bolt.Tx) error {
		total = tx.Size() / int64(db.Info().PageSize)
		return nil
	})
	return free*int64(db.Info().PageSize) > muchFree && free > 2*(total-free)
}

// compact writes the open file's data to a new file and puts that in its place. A crash leaves the one or the other.
func compact(db *bolt.DB, path string) (err error) {
	aside := path + ".new"
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer os.Remove(aside) // gone by then where all went well
	o := options()
	o.NoSync = true // synced whole, below
	to, err := bolt.Open(aside, 0o600, o)
	if err != nil {
		return translateOpen(err)
	}
	if err := errors.Join(bolt.Compact(to, db, fillTx), to.Sync(), to.Close()); err != nil {
		return fmt.Errorf("write the database anew: %w", err)
	}
	if err := syncPath(aside); err != nil {
		return err
	}
	if err := checkPages(aside); err != nil {
		return err
	}
	if err := os.Rename(aside, path); err != nil {
		return err
	}
	return syncPath(filepath.Dir(path))
}
