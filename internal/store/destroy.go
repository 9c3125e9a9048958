package store

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"
)

// Doom marks a tenant as one to destroy, so that a later start goes on with it.
func (tx *Tx) Doom(tenant string) error {
	if !ValidID(tenant) || tenant == SystemTenant {
		return ErrBadName
	}
	return tx.putOwn(doomedKey(tenant), []byte("doomed"))
}

// Doomed returns the tenants that are marked by Doom and not destroyed yet.
func (db *DB) Doomed(ctx context.Context) ([]string, error) {
	marks, err := db.readKeysets(ctx, prefixDoomed)
	return slices.Sorted(maps.Keys(marks)), err
}

func (db *DB) loadDoomed(ctx context.Context) error {
	names, err := db.Doomed(ctx)
	for _, name := range names {
		db.setDoomed(name)
	}
	return err
}

func (db *DB) setDoomed(tenant string) {
	db.mu.Lock()
	defer db.mu.Unlock()
	next := maps.Clone(db.doomed)
	if next == nil {
		next = map[string]bool{}
	}
	next[tenant] = true
	db.doomed = next
}

// DestroyTenant deletes all records of a tenant that is marked by Doom, in transactions of at most maxResealed, and then
// its keys and their escrow. A crash in between is followed by another call. Wipe makes the bytes vanish from the disk.
func (db *DB) DestroyTenant(ctx context.Context, tenant string) error {
	err := db.engine.View(ctx, func(tx EngineTx) error {
		_, err := tx.Get(doomedKey(tenant))
		return err
	})
	if err != nil {
		return fmt.Errorf("destroy tenant: %w", err)
	}
	db.setDoomed(tenant)
	for {
		left := false
		err := db.Update(ctx, func(tx *Tx) (err error) {
			left, err = tx.deleteSome(tenant)
			return err
		})
		if err != nil {
			return fmt.Errorf("destroy tenant: %w", err)
		}
		crashPoint("tenant.records")
		if !left {
			break
		}
	}
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	err = db.Update(ctx, func(tx *Tx) error {
		if more, err := tx.deleteSome(tenant); err != nil || more {
			return fmt.Errorf("records of it are still written: %w", err)
		}
		if err := tx.deleteManifests(tenant); err != nil {
			return err
		}
		for _, key := range [][]byte{keysetKey(tenant), escrowKey(tenant), doomedKey(tenant)} {
			if err := tx.deleteOwn(key); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("destroy tenant: %w", err)
	}
	db.dropKeys(tenant)
	db.unwiped.note(true)
	crashPoint("tenant.gone")
	return nil
}

func (tx *Tx) deleteSome(tenant string) (more bool, err error) {
	prefix := []byte(tenant + "/")
	var keys [][]byte
	for e, err := range tx.raw.PeekRange(prefix, prefixEnd(prefix)) {
		if err != nil {
			return false, err
		}
		if len(keys) == maxResealed {
			more = true
			break
		}
		keys = append(keys, bytes.Clone(e.Key))
	}
	for _, key := range keys {
		_, collection, _, ok := splitKey(key)
		if !ok {
			return false, tx.db.noteDamage(damaged("a key that is not of this store"))
		}
		if err := tx.delete(tenant, collection, key); err != nil {
			return false, err
		}
	}
	return more, nil
}

// deleteManifests deletes the manifests of a tenant's collections in all lanes, whose sums are those of no record.
func (tx *Tx) deleteManifests(tenant string) error {
	var keys [][]byte
	for e, err := range tx.raw.PeekRange([]byte(prefixManifest), prefixEnd([]byte(prefixManifest))) {
		if err != nil {
			return err
		}
		if name := collectionOf(e.Key); len(name) > len(tenant) && name[:len(tenant)+1] == tenant+"/" {
			keys = append(keys, bytes.Clone(e.Key))
		}
	}
	for _, key := range keys {
		delete(tx.manifests, string(key))
		if err := tx.deleteOwn(key); err != nil {
			return err
		}
	}
	return nil
}
