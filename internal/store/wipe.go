package store

import (
	"context"
	"fmt"
)

// unwiped holds one signal if values were deleted whose space was not wiped.
type unwiped struct{ signal chan struct{} }

func newUnwiped() unwiped { return unwiped{make(chan struct{}, 1)} }

func (u unwiped) note(deleted bool) {
	if !deleted {
		return
	}
	select {
	case u.signal <- struct{}{}:
	default:
	}
}

// Unwiped is signalled after deletions, until Wipe is called. One signal can stand for several.
func (db *DB) Unwiped() <-chan struct{} { return db.unwiped.signal }

// Wiper is an Engine that can overwrite the space of what was deleted.
type Wiper interface {
	// Wipe overwrites what no snapshot refers to. It returns how many pages it overwrote, and whether older snapshots
	// kept it from some, so that it must be called again.
	Wipe(ctx context.Context) (pages int, again bool, err error)
}

// Wipe overwrites the space of deleted and replaced values, if the engine can.
func (db *DB) Wipe(ctx context.Context) (pages int, again bool, err error) {
	w, ok := db.engine.(Wiper)
	if !ok {
		return 0, false, nil
	}
	pages, again, err = w.Wipe(ctx)
	if again || err != nil {
		db.unwiped.note(true)
	}
	if err != nil {
		err = fmt.Errorf("wipe store: %w", err)
	}
	return pages, again, err
}
