package daemon

import (
	"context"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/status"
)

// weekly is how often all records are decrypted while bankd runs. A start compares them with their manifests, which is
// faster and finds the same changes, but for a file that changes under a running bankd.
const weekly = 7 * 24 * time.Hour

// tellProgress tells the log and systemd each second how far a start is, until ctx ends.
func (d *Daemon) tellProgress(ctx context.Context, notify func(string)) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			done, total := d.checking.Done(), d.checking.Total()
			d.log.Info("checking the data", "records", done, "of", total)
			notify(socket.Working(fmt.Sprintf("checking the data: %d of %d records", done, total)))
		}
	}
}

// startStatus is the state of a start that is under way; d.mu is held.
func (d *Daemon) startStatus(s *status.Status) {
	if d.serving {
		return
	}
	s.Ready = false
	done, total := d.checking.Done(), d.checking.Total()
	s.Checking = &status.Progress{Done: done, Total: total}
	s.Problem = "the data is being checked"
	if total > 0 {
		s.Problem = fmt.Sprintf("the data is being checked, %d of %d records so far", done, total)
	}
}

// watchData decrypts all records once a week, and says so if damage is met, by that or by a call.
func (d *Daemon) watchData(ctx context.Context) {
	tick := time.NewTicker(weekly)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.db.Damaged():
			d.log.Error("the data is damaged: nothing more is served or written; stop bankd and restore a backup", "error", d.db.Damage().Error())
			return
		case <-tick.C:
			report, err := d.db.Scrub(ctx, nil)
			if err != nil && ctx.Err() == nil {
				d.log.Error("cannot check the data", "error", err.Error())
			} else if err == nil {
				d.log.Info("checked the data", "records", report.Records, "problems", len(report.Problems)+report.More)
			}
		}
	}
}
