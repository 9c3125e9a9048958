package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/store"
)

// watchEvery is how soon a replaced file is noticed while nobody writes. Each write checks by itself.
const watchEvery = time.Second

// lost turns the socket's error into the store's, which ends all writes.
func lost(err error) error {
	if errors.Is(err, socket.ErrReplaced) {
		return lostFile{err}
	}
	return err
}

type lostFile struct{ error }

func (lostFile) Is(target error) bool { return target == store.ErrReplaced }

// doWithout reports whether the disk refused a write that a start can do without: bankd serves reads all the same.
func (d *Daemon) doWithout(err error, what string) bool {
	refused, ok := errors.AsType[*store.DiskError](err)
	if ok {
		d.log.Warn(what, "error", refused.Error())
	}
	return ok
}

// watchFiles checks the database file and the socket, and logs when the disk begins to refuse writes and when it takes
// them again.
func (d *Daemon) watchFiles(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	refusing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.Poisoned():
			return
		case <-tick.C:
		}
		_ = d.db.CheckFiles() // what it finds ends the process
		switch refused := d.db.Refused(); {
		case refused != nil && !refusing:
			d.log.Error("writes are refused, reads go on", "error", refused.Error(), "hint", refused.Hint())
			refusing = true
		case refused == nil && refusing:
			d.log.Info("writes succeed again")
			refusing = false
		}
	}
}

// notices are what the operator should know although calls are served.
func (d *Daemon) notices() []string {
	var all []string
	if refused := d.db.Refused(); refused != nil {
		all = append(all, fmt.Sprintf("the last write was refused: %s; %s", refused.Error(), refused.Hint()))
	}
	if p := d.plaidState.Load(); p != nil {
		all = append(all, p.what+": "+p.hint)
	}
	return all
}
