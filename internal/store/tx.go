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
	manifests map[string]*loadedManifest // by manifest key
	own       manifest                   // the root: the manifest of the store's own entries
	ownDirty  bool
}

// loadedManifest is a manifest that the transaction has read and may have changed.
type loadedManifest struct {
	tenant, collection string
	now                manifest
	stored             []byte // nil: none yet
	dirty              bool
}

func (db *DB) begin(raw EngineTx) *Tx {
	return &Tx{db: db, raw: raw}
}

// manifest returns the collection's manifest as this transaction sees it.
func (tx *Tx) manifest(tenant, collection string) (*loadedManifest, error) {
	key := manifestKey(tenant, collection)
	if m, ok := tx.manifests[string(key)]; ok {
		return m, nil
	}
	m := &loadedManifest{tenant: tenant, collection: collection}
	stored, err := tx.raw.Get(key)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return nil, err
	default:
		m.stored = stored
		if m.now, err = tx.db.openManifest(key, stored); err != nil {
			return nil, err
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

// flush writes the changed manifests, then the root over them.
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
	if !tx.ownDirty {
		return nil
	}
	root, err := tx.db.sealManifest([]byte(keyRoot), tx.own)
	if err != nil {
		return err
	}
	return tx.raw.Put([]byte(keyRoot), root)
}

// putOwn stores one of the store's own entries and adds it to the root.
func (tx *Tx) putOwn(key, stored []byte) error {
	if !tx.ownDirty {
		root, err := tx.root()
		if err != nil {
			return err
		}
		tx.own, tx.ownDirty = root, true
	}
	old, err := tx.raw.Get(key)
	switch {
	case errors.Is(err, ErrNotFound):
	case err != nil:
		return err
	default:
		if err := tx.own.remove(tx.db.system().digester, key, old); err != nil {
			return err
		}
	}
	if err := tx.raw.Put(key, stored); err != nil {
		return err
	}
	return tx.own.add(tx.db.system().digester, key, stored)
}

// root reads the root; only the first transaction of a store finds none.
func (tx *Tx) root() (manifest, error) {
	stored, err := tx.raw.Get([]byte(keyRoot))
	if errors.Is(err, ErrNotFound) {
		if _, err := tx.raw.Get([]byte(keyHeader)); errors.Is(err, ErrNotFound) {
			return manifest{}, nil
		}
		return manifest{}, damaged("its root is missing")
	}
	if err != nil {
		return manifest{}, err
	}
	return tx.db.openManifest([]byte(keyRoot), stored)
}

// isOwn reports whether the root covers key.
func isOwn(key []byte) bool {
	return bytes.HasPrefix(key, []byte("!")) && string(key) != keyRoot
}
