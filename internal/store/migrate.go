package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Migration brings the records of a store from one schema to the next.
type Migration struct {
	From int // the schema that it starts from; it ends with From+1
	// Step does one transaction's part, from cursor on ("" at first), and returns where the next one goes on; "" means
	// that nothing is left. Like every update it may run more than once.
	Step func(tx *Tx, tenants []string, cursor string) (next string, err error)
}

// unfinished tells how far a migration is, so that a later start can go on with it. The header has the new schema
// already: an older program must not touch the half of each.
type unfinished struct {
	From   int    `json:"from"`
	Cursor string `json:"cursor"`
}

// migrate brings the store to this program's format and schema, after o.BeforeMigration has returned nil. What is
// committed is never done again: a start that was killed is followed by one that goes on.
func (db *DB) migrate(ctx context.Context, o Options) error {
	if db.header.Format == 1 { // which has no mark of a migration
		if err := db.beforeMigration(o, unfinished{}, false); err != nil {
			return err
		}
		if err := db.migrateToLanes(ctx, o); err != nil {
			return fmt.Errorf("migrate to format 2: %w", err)
		}
		o.BeforeMigration = nil // it has been called
	}
	open, found, err := db.readUnfinished(ctx)
	if err != nil {
		return err
	}
	if db.header.Schema == o.Schema && !found {
		return nil
	}
	if err := db.beforeMigration(o, open, found); err != nil {
		return err
	}
	for found || db.header.Schema < o.Schema {
		if !found {
			if open, err = db.beginMigration(ctx); err != nil {
				return err
			}
		}
		if err := db.runMigration(ctx, o, open); err != nil {
			return fmt.Errorf("migrate from schema %d: %w", open.From, err)
		}
		found = false
	}
	return nil
}

// beforeMigration refuses if a step of the way is missing, or if o.BeforeMigration does. Nothing has been changed by then.
func (db *DB) beforeMigration(o Options, u unfinished, found bool) error {
	from := db.header.Schema
	if found {
		from = u.From
	}
	for ; from < o.Schema; from++ {
		if o.migration(from) == nil {
			return &OpenError{ErrOlderSchema, strconv.Itoa(db.header.Schema), strconv.Itoa(o.Schema)}
		}
	}
	if o.BeforeMigration == nil || found {
		return nil
	}
	if err := o.BeforeMigration(db.header); err != nil {
		return fmt.Errorf("before migration: %w", err)
	}
	return nil
}

func (o Options) migration(from int) *Migration {
	for i := range o.Migrations {
		if o.Migrations[i].From == from {
			return &o.Migrations[i]
		}
	}
	return nil
}

func (db *DB) readUnfinished(ctx context.Context) (u unfinished, found bool, err error) {
	var stored []byte
	err = db.engine.View(ctx, func(tx EngineTx) (err error) {
		stored, err = tx.Get([]byte(keyMigration))
		return err
	})
	if errors.Is(err, ErrNotFound) {
		return u, false, nil
	}
	if err != nil {
		return u, false, err
	}
	plain, err := open(db.system().sealer, SystemTenant, keyMigration, keyMigration, stored)
	if err != nil || json.Unmarshal(plain, &u) != nil {
		return u, false, damaged("its mark of a migration does not open")
	}
	return u, true, nil
}

func (tx *Tx) putUnfinished(u unfinished) error {
	plain, err := json.Marshal(u)
	if err != nil {
		return err
	}
	sealed, err := seal(tx.db.system().sealer, SystemTenant, keyMigration, keyMigration, plain)
	if err != nil {
		return err
	}
	return tx.putOwn([]byte(keyMigration), sealed)
}

// beginMigration marks the store as being migrated to the next schema.
func (db *DB) beginMigration(ctx context.Context) (unfinished, error) {
	u, next := unfinished{From: db.header.Schema}, db.header
	next.Schema++
	err := db.Update(ctx, func(tx *Tx) error { return errors.Join(tx.putHeader(next), tx.putUnfinished(u)) })
	if err == nil {
		db.header = next
	}
	return u, err
}

func (db *DB) runMigration(ctx context.Context, o Options, u unfinished) error {
	m, tenants := o.migration(u.From), db.Tenants()
	for {
		var next string
		err := db.Update(ctx, func(tx *Tx) (err error) {
			if next, err = m.Step(tx, tenants, u.Cursor); err != nil {
				return err
			}
			if next == "" {
				return tx.deleteOwn([]byte(keyMigration))
			}
			return tx.putUnfinished(unfinished{u.From, next})
		})
		if err != nil || next == "" {
			return err
		}
		u.Cursor = next
	}
}

// Format 1 had one root, "!root", and manifests without a lane.
const keyRoot1 = "!root"

// migrateToLanes makes the manifests of format 1 those of the store's own lane, in one transaction: there is one a
// collection, however many records it has.
func (db *DB) migrateToLanes(ctx context.Context, o Options) error {
	report, err := db.examineAs(ctx, db.checkOwn1, false, o.Progress)
	if err != nil {
		return err
	}
	if err := report.damage(); err != nil {
		return err
	}
	next := db.header
	next.Format = 2
	err = db.Update(ctx, func(tx *Tx) error {
		manifests, err := db.checkOwn1(tx.raw) // again: nothing may have changed in between
		if err != nil {
			return err
		}
		own := &root{}
		tx.roots = map[string]*root{OwnLane: own}
		for e, err := range tx.raw.Scan([]byte(prefixOwn), []byte(prefixOwnsAfter), false) {
			switch {
			case err != nil:
				return err
			case string(e.Key) == keyRoot1, bytes.HasPrefix(e.Key, []byte(prefixManifest)):
				err = tx.raw.Delete(e.Key)
			default:
				err = own.add(db.system().digester, e.Key, e.Value)
			}
			if err != nil {
				return err
			}
		}
		for name, m := range manifests {
			key := []byte(prefixManifest + OwnLane + "/" + name)
			sealed, err := db.sealManifest(key, m)
			if err != nil {
				return err
			}
			if err := tx.putOwn(key, sealed); err != nil {
				return err
			}
		}
		return tx.putHeader(next)
	})
	if err == nil {
		db.header = next
	}
	return err
}

// checkOwn1 is checkOwn for format 1.
func (db *DB) checkOwn1(tx EngineTx) (map[string]manifest, error) {
	if err := db.checkHeader(tx); err != nil {
		return nil, err
	}
	var sum manifest
	manifests := map[string]manifest{}
	for e, err := range tx.Scan([]byte(prefixOwn), []byte(prefixOwnsAfter), false) {
		if err != nil {
			return nil, err
		}
		if string(e.Key) == keyRoot1 {
			continue
		}
		if err := sum.add(db.system().digester, e.Key, e.Value); err != nil {
			return nil, err
		}
		if name, ok := strings.CutPrefix(string(e.Key), prefixManifest); ok {
			if manifests[name], err = db.openManifest(e.Key, e.Value); err != nil {
				return nil, damaged("a manifest does not open")
			}
		}
	}
	stored, err := tx.Get([]byte(keyRoot1))
	if err != nil {
		return nil, errors.Join(damaged("its root is missing"), err)
	}
	want, err := db.openManifest([]byte(keyRoot1), stored)
	if err != nil || want != sum {
		return nil, damaged("keys or manifests were taken away, put back or changed")
	}
	return manifests, nil
}
