package store

import (
	"bytes"
	"context"
	"fmt"
)

// DestroyTenant deletes all records of a tenant, in transactions of at most maxResealed, and then its keys and their
// escrow; done runs with that. A crash in between is followed by another call. Wipe makes the bytes vanish from the disk.
func (db *DB) DestroyTenant(ctx context.Context, tenant string, done func(*Tx) error) error {
	if !ValidID(tenant) || tenant == SystemTenant {
		return ErrBadName
	}
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
	err := db.Update(ctx, func(tx *Tx) error {
		if more, err := tx.deleteSome(tenant); err != nil || more {
			return fmt.Errorf("records of it are still written: %w", err)
		}
		if err := tx.deleteManifests(tenant); err != nil {
			return err
		}
		for _, key := range [][]byte{keysetKey(tenant), escrowKey(tenant)} {
			if err := tx.deleteOwn(key); err != nil {
				return err
			}
		}
		return done(tx)
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
