package daemon

import (
	"context"
	"time"
)

// wipePause is the least time between two wipes of the space of deleted records; a stop wipes what is left.
const (
	wipePause = 5 * time.Second
	lastWipe  = 5 * time.Second // is the longest that a stop waits for it
)

// wipeDeleted overwrites the space of deleted records: once for those of the run before, which may have been killed, and
// then after deletions.
func (d *Daemon) wipeDeleted(ctx context.Context) {
	for {
		if _, _, err := d.db.Wipe(ctx); err != nil && ctx.Err() == nil {
			d.log.Error("cannot overwrite the space of deleted records", "error", err.Error(), "retry", wipePause.String())
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wipePause):
		}
		select {
		case <-ctx.Done():
			return
		case <-d.db.Unwiped():
		}
	}
}

// wipeRest overwrites the space of what was deleted last, before the database is closed.
func (d *Daemon) wipeRest() {
	select {
	case <-d.db.Unwiped():
	default:
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), lastWipe)
	defer cancel()
	if _, again, err := d.db.Wipe(ctx); err != nil || again {
		d.log.Error("the space of the last deleted records is overwritten at the next start", "again", again, "error", err)
	}
}
