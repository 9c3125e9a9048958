// Package anchor notices a store that is older than it once was: a copy that was put back, or a file that is gone. The
// store cannot notice that itself, for an old copy is whole. So how far the store had come is kept outside the data, by
// default beside the key.
package anchor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/trail"
)

// Anchor tells how far a store had come at a time.
type Anchor struct {
	DB      string            `json:"db_id"`
	DataDir string            `json:"data_dir"`
	At      time.Time         `json:"at"`
	Commits map[string]uint64 `json:"commits"` // transactions committed, by lane
	// Heads are the ends of the audit chains, by tenant and lane.
	Heads map[string]map[string]trail.Head `json:"heads"`
	MAC   []byte                           `json:"mac"` // under the store's own key
}

// Errors of Check, for errors.Is.
var (
	ErrOlder   = errors.New("the data is older than its anchor")
	ErrForged  = errors.New("the anchor was changed")
	ErrMissing = errors.New("the anchor of the data is missing")
)

// Of returns the anchor of an open store as it is now.
func Of(ctx context.Context, db *store.DB, dataDir string, now time.Time) (Anchor, error) {
	a := Anchor{DB: db.Header().ID, DataDir: dataDir, At: now.UTC().Truncate(time.Second)}
	err := db.View(ctx, func(tx *store.Tx) (err error) {
		a.Heads = map[string]map[string]trail.Head{}
		if a.Commits, err = tx.Commits(); err != nil {
			return err
		}
		for _, tenant := range db.Tenants() {
			if a.Heads[tenant], err = audit.Heads(tx, tenant); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Anchor{}, fmt.Errorf("read how far the data is: %w", err)
	}
	a.MAC, err = a.mac(db)
	return a, err
}

func (a Anchor) mac(db *store.DB) ([]byte, error) {
	a.MAC = nil
	text, err := json.Marshal(a)
	if err != nil {
		return nil, err
	}
	sum, err := db.Digest(store.SystemTenant, "anchor", text)
	return sum[:], err
}

// Check refuses a store that is older than a, or whose history is another.
func (a Anchor) Check(ctx context.Context, db *store.DB) error {
	mac, err := a.mac(db)
	if err != nil {
		return err
	}
	if string(mac) != string(a.MAC) || a.DB != db.Header().ID {
		return ErrForged
	}
	return db.View(ctx, func(tx *store.Tx) error {
		commits, err := tx.Commits()
		if err != nil {
			return err
		}
		for lane, n := range a.Commits {
			if commits[lane] < n {
				return fmt.Errorf("%w: of %d transactions that it had at %s it has %d", ErrOlder, n, a.At.Format(time.RFC3339), commits[lane])
			}
		}
		known := db.Tenants()
		for _, tenant := range slices.Sorted(maps.Keys(a.Heads)) {
			if !slices.Contains(known, tenant) {
				continue // deleted since, by a transaction that was counted
			}
			for lane, head := range a.Heads[tenant] {
				if holds, err := audit.Holds(tx, tenant, lane, head); err != nil {
					return err
				} else if !holds {
					return fmt.Errorf("%w: the audit log of tenant %s lacks record %d of %s", ErrOlder, tenant, head.Seq, a.At.Format(time.RFC3339))
				}
			}
		}
		return nil
	})
}

// Keeper keeps anchors outside the data.
type Keeper interface {
	// Load returns all anchors that are kept, of this and of other stores.
	Load(ctx context.Context) ([]Anchor, error)
	// Save keeps an anchor in the place of an older one of the same store.
	Save(ctx context.Context, a Anchor) error
	// Where names the place, for messages.
	Where() string
}

// Find returns the anchor of a store, and those of other stores that were at the same data directory.
func Find(all []Anchor, db, dataDir string) (own *Anchor, others []Anchor) {
	for _, a := range all {
		switch {
		case a.DB == db:
			own = &a
		case a.DataDir == dataDir:
			others = append(others, a)
		}
	}
	return own, others
}
