package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/anchor"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/store"
)

// anchorPause is the least time between two anchors: so much of what was written last can an old copy miss unnoticed
// if bankd is killed.
const anchorPause = time.Second

// marks are what the store remembers of its own upkeep.
type marks struct {
	Anchored string    `json:"anchored"`          // the data directory for which an anchor was kept, so that a missing one shows
	Restored time.Time `json:"restored,omitzero"` // when the backup was made that the data comes from, until the next start has audited it
}

var upkeep = store.NewCollection[marks]("upkeep")

const upkeepID = "marks"

// anchors keeps the store's anchor; the zero value keeps none.
type anchors struct {
	keeper   anchor.Keeper
	dataDir  string
	accept   string // the reason why older data is accepted; "" is not
	accepted error  // what was accepted, until it has been audited
	copied   string // where the data was kept before it came here without an anchor; "" did not
	known    []anchor.Anchor

	last    time.Time
	problem string
}

// errNothingToAccept keeps the flag from staying in a unit file, where it would accept every old copy.
var errNothingToAccept = usageError{errors.New("--accept-rollback: the data is not older than its anchor, there is nothing to accept: start without the flag")}

func (d *Daemon) newAnchors(o Options) *anchors {
	a := &anchors{dataDir: d.config.DataDir, accept: o.AcceptRollback}
	switch where := d.config.Anchor; {
	case where == "off":
		d.log.Warn("anchor is off: an old copy of the data would not be noticed")
	case strings.HasPrefix(where, "exec:"):
		a.keeper = anchor.Command(strings.TrimPrefix(where, "exec:"))
	case where != "":
		a.keeper = anchor.Dir(where)
	}
	return a
}

// beforeOpen refuses to begin an empty store where another one was.
func (a *anchors) beforeOpen(ctx context.Context, database string) error {
	if a.keeper == nil {
		return nil
	}
	var err error
	if a.known, err = a.keeper.Load(ctx); err != nil {
		return a.refuse(fmt.Errorf("the anchor cannot be read: %w", err))
	}
	if _, err := os.Lstat(database); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, others := anchor.Find(a.known, "", a.dataDir); len(others) > 0 {
		return a.refuse(fmt.Errorf("the database %s is gone: %s knows that one was here at %s", database, a.keeper.Where(), others[0].At.Format(time.RFC3339)))
	}
	return nil
}

// refuse returns err with what to do, or nil if the operator accepts it.
func (a *anchors) refuse(err error) error {
	if a.accept != "" {
		if a.accepted == nil {
			a.accepted = err
		}
		return nil
	}
	return fmt.Errorf("%w; nothing was changed: put the newest data back (`bankd restore`), or, if it is lost, start once with --accept-rollback REASON", err)
}

// check compares the open store with its anchor.
func (a *anchors) check(ctx context.Context, db *store.DB) error {
	if a.keeper == nil {
		if a.accept != "" {
			return errNothingToAccept
		}
		return nil
	}
	if err := a.compare(ctx, db); err != nil {
		return err
	}
	if a.accept != "" && a.accepted == nil {
		return errNothingToAccept
	}
	return nil
}

func (a *anchors) compare(ctx context.Context, db *store.DB) error {
	m, err := readMarks(ctx, db)
	if err != nil {
		return err
	}
	own, others := anchor.Find(a.known, db.Header().ID, a.dataDir)
	switch {
	case own == nil && m.Anchored == a.dataDir:
		return a.refuse(fmt.Errorf("%w from %s", anchor.ErrMissing, a.keeper.Where()))
	case own == nil && m.Anchored != "" && len(others) == 0:
		a.copied = m.Anchored
		return nil
	case len(others) > 0 && (own == nil || own.DataDir != a.dataDir):
		return a.refuse(fmt.Errorf("another database was here at %s, as %s knows", others[0].At.Format(time.RFC3339), a.keeper.Where()))
	case own == nil:
		return nil
	}
	err = own.Check(ctx, db)
	if errors.Is(err, anchor.ErrOlder) || errors.Is(err, anchor.ErrForged) {
		return a.refuse(fmt.Errorf("%w (%s)", err, a.keeper.Where()))
	}
	return err
}

func readMarks(ctx context.Context, db *store.DB) (m marks, err error) {
	err = db.View(ctx, func(tx *store.Tx) (err error) {
		m, err = upkeep.Get(tx, store.SystemTenant, upkeepID)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return marks{}, nil
	}
	return m, err
}

// beginAnchors keeps the first anchor of this run. From the first one on a missing anchor is noticed.
func (d *Daemon) beginAnchors(ctx context.Context) error {
	a := d.anchors
	if a.keeper == nil || !d.keepAnchor(ctx) {
		return nil
	}
	for _, other := range a.known {
		if dir, ok := a.keeper.(anchor.Dir); ok && other.DataDir == a.dataDir && other.DB != d.db.Header().ID {
			if err := dir.Forget(other); err != nil {
				return err
			}
		}
	}
	m, err := readMarks(ctx, d.db)
	if err != nil || m.Anchored == a.dataDir {
		return err
	}
	m.Anchored = a.dataDir
	return d.putMarks(ctx, m)
}

func (d *Daemon) putMarks(ctx context.Context, m marks) error {
	return d.db.Update(ctx, func(tx *store.Tx) error { return upkeep.Put(tx, store.SystemTenant, upkeepID, m) })
}

// noteOldData audits that the data is older than it was, restored from a backup or accepted by the operator, and has every
// access token looked at: some may have been replaced since.
func (d *Daemon) noteOldData(ctx context.Context) error {
	m, err := readMarks(ctx, d.db)
	if err != nil {
		return err
	}
	if d.anchors.accepted != nil {
		if err := d.bank.NoteOldData(ctx, "store.accept_rollback", map[string]string{"reason": d.anchors.accept, "found": d.anchors.accepted.Error()}); err != nil {
			return err
		}
		d.log.Warn("older data was accepted: every access token is looked at anew, for some may have been replaced since", "reason", d.anchors.accept)
	}
	if from := d.anchors.copied; from != "" {
		if err := d.bank.NoteOldData(ctx, "store.copied", map[string]string{"from": from, "to": d.config.DataDir}); err != nil {
			return err
		}
		d.log.Warn("the data was kept elsewhere before, and no anchor came with it: whether it is the newest cannot be told", "was_in", from)
	}
	if m.Restored.IsZero() {
		return nil
	}
	if err := d.bank.NoteOldData(ctx, "store.restore", map[string]string{"made_at": m.Restored.Format(time.RFC3339)}); err != nil {
		return err
	}
	d.log.Warn("the data comes from a backup: every access token is looked at anew, for some may have been replaced since", "made_at", m.Restored)
	m.Restored = time.Time{}
	return d.putMarks(ctx, m)
}

// keepAnchor writes the anchor of the store as it is now.
func (d *Daemon) keepAnchor(ctx context.Context) bool {
	now, err := anchor.Of(ctx, d.db, d.config.DataDir, d.now())
	if err == nil {
		err = d.anchors.keeper.Save(ctx, now)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		if d.anchors.problem == "" {
			d.log.Error("cannot keep the anchor: an old copy of the data would not be noticed", "where", d.anchors.keeper.Where(), "error", err.Error())
		}
		d.anchors.problem = "it cannot be written"
		return false
	}
	d.anchors.problem, d.anchors.last = "", now.At
	return true
}

// keepAnchors writes an anchor after every write, at most one a second.
func (d *Daemon) keepAnchors(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.db.Written():
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(anchorPause):
		}
		d.keepAnchor(ctx)
	}
}

// anchorStatus is what the status says; d.mu is held.
func (d *Daemon) anchorStatus() status.Anchor {
	if d.anchors == nil || d.anchors.keeper == nil {
		return status.Anchor{Problem: "off"}
	}
	return status.Anchor{At: d.anchors.last, Problem: d.anchors.problem}
}
