package store

import (
	"bytes"
	"errors"
	"slices"
)

// Tx is a transaction of a DB. Use it on one goroutine, and only inside the function that got it.
type Tx struct {
	db        *DB
	raw       EngineTx
	keyring   map[string]tenantKeys      // as it was when the transaction began
	manifests map[string]*loadedManifest // of this process's lane, by manifest key
	roots     map[string]*root           // that the transaction has changed, by lane
	deleted   bool                       // a value, whose space is to be wiped
}

// loadedManifest is a manifest that the transaction has read and may have changed.
type loadedManifest struct {
	now   manifest
	dirty bool
}

func (db *DB) begin(raw EngineTx) *Tx {
	return &Tx{db: db, raw: raw, keyring: db.allKeys()}
}

// manifest returns the collection's manifest in this process's lane as this transaction sees it.
func (tx *Tx) manifest(tenant, collection string) (*loadedManifest, error) {
	key := manifestKey(tx.db.lane, tenant, collection)
	if m, ok := tx.manifests[string(key)]; ok {
		return m, nil
	}
	m := &loadedManifest{}
	stored, err := tx.raw.Get(key)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return nil, err
	default:
		if m.now, err = tx.db.openManifest(key, stored); err != nil {
			return nil, tx.db.noteDamage(err)
		}
	}
	if tx.manifests == nil {
		tx.manifests = map[string]*loadedManifest{}
	}
	tx.manifests[string(key)] = m
	return m, nil
}

func (db *DB) openManifest(key, stored []byte) (manifest, error) {
	plain, err := open(db.system().sealer, SystemTenant, "!manifest", string(key), stored)
	if err != nil {
		return manifest{}, err
	}
	return decodeManifest(plain)
}

func (db *DB) sealManifest(key []byte, m manifest) ([]byte, error) {
	return seal(db.system().sealer, SystemTenant, "!manifest", string(key), m.encode())
}

func (db *DB) openRoot(lane string, stored []byte) (root, error) {
	plain, err := open(db.system().sealer, SystemTenant, "!root", string(rootKey(lane)), stored)
	if err != nil {
		return root{}, err
	}
	return decodeRoot(plain)
}

// put stores a sealed value and adds it to its collection's manifest.
func (tx *Tx) put(tenant, collection string, key, stored []byte) error {
	m, err := tx.removeEntry(tenant, collection, key)
	if err != nil {
		return err
	}
	if err := tx.raw.Put(key, stored); err != nil {
		return err
	}
	return m.now.add(tx.db.system().digester, key, stored)
}

func (tx *Tx) delete(tenant, collection string, key []byte) error {
	if _, err := tx.removeEntry(tenant, collection, key); err != nil {
		return err
	}
	tx.deleted = true
	return tx.raw.Delete(key)
}

// removeEntry takes the entry at key, if any, out of the manifest.
func (tx *Tx) removeEntry(tenant, collection string, key []byte) (*loadedManifest, error) {
	m, err := tx.manifest(tenant, collection)
	if err != nil {
		return nil, err
	}
	m.dirty = true
	old, err := tx.raw.Peek(key)
	if errors.Is(err, ErrNotFound) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	return m, m.now.remove(tx.db.system().digester, key, old)
}

// flush writes the changed manifests, then the roots over them.
func (tx *Tx) flush() error {
	keys := make([]string, 0, len(tx.manifests))
	for key, m := range tx.manifests {
		if m.dirty {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		stored, err := tx.db.sealManifest([]byte(key), tx.manifests[key].now)
		if err != nil {
			return err
		}
		if err := tx.putOwn([]byte(key), stored); err != nil {
			return err
		}
	}
	for lane, r := range tx.roots {
		r.commits++
		stored, err := seal(tx.db.system().sealer, SystemTenant, "!root", string(rootKey(lane)), r.encode())
		if err != nil {
			return err
		}
		if err := tx.raw.Put(rootKey(lane), stored); err != nil {
			return err
		}
	}
	return nil
}

// putOwn stores one of the store's own entries and adds it to its lane's root.
func (tx *Tx) putOwn(key, stored []byte) error {
	r, err := tx.removeOwn(key)
	if err != nil {
		return err
	}
	if err := tx.raw.Put(key, stored); err != nil {
		return err
	}
	return r.add(tx.db.system().digester, key, stored)
}

// deleteOwn deletes one of the store's own entries.
func (tx *Tx) deleteOwn(key []byte) error {
	if _, err := tx.removeOwn(key); err != nil {
		return err
	}
	return tx.raw.Delete(key)
}

// removeOwn takes one of the store's own entries, if it is there, out of its lane's root.
func (tx *Tx) removeOwn(key []byte) (*root, error) {
	r, err := tx.changedRoot(laneOf(key))
	if err != nil {
		return nil, err
	}
	old, err := tx.raw.Get(key)
	if errors.Is(err, ErrNotFound) {
		return r, nil
	}
	if err != nil {
		return nil, err
	}
	return r, r.remove(tx.db.system().digester, key, old)
}

// changedRoot returns the lane's root, to be changed and written by flush.
func (tx *Tx) changedRoot(lane string) (*root, error) {
	if r, ok := tx.roots[lane]; ok {
		return r, nil
	}
	r, err := tx.root(lane)
	if err != nil {
		return nil, err
	}
	if tx.roots == nil {
		tx.roots = map[string]*root{}
	}
	tx.roots[lane] = &r
	return &r, nil
}

// root reads a lane's root. Only the first transaction of a lane finds none.
func (tx *Tx) root(lane string) (root, error) {
	stored, err := tx.raw.Get(rootKey(lane))
	if errors.Is(err, ErrNotFound) {
		if lane != OwnLane {
			return root{}, nil // the total over all lanes shows a lane that was taken away
		}
		if _, err := tx.raw.Get([]byte(keyHeader)); errors.Is(err, ErrNotFound) {
			return root{}, nil
		}
		return root{}, tx.db.noteDamage(damaged("its root is missing"))
	}
	if err != nil {
		return root{}, err
	}
	r, err := tx.db.openRoot(lane, stored)
	return r, tx.db.noteDamage(err)
}

// isOwn reports whether a root covers key.
func isOwn(key []byte) bool {
	return bytes.HasPrefix(key, []byte(prefixOwn)) && !bytes.HasPrefix(key, []byte(prefixRoot))
}
