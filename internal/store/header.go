package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"time"
)

// formatVersion is the version of the layout of keys, manifests and values.
const formatVersion = 1

// Header describes a store. It is stored in plain text, for refusals to quote, and sealed, so that a change to it is
// noticed.
type Header struct {
	Format      int       `json:"format"`
	Schema      int       `json:"schema"`
	Environment string    `json:"environment"`
	KEK         string    `json:"kek_id"`
	ID          string    `json:"db_id"`
	CreatedAt   time.Time `json:"created_at"`
}

func (db *DB) open(ctx context.Context, o Options) error {
	var plain []byte
	empty := false
	err := db.engine.View(ctx, func(tx EngineTx) (err error) {
		plain, err = tx.Get([]byte(keyHeader))
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		for _, err := range tx.Scan(nil, nil, false) {
			return errors.Join(err, damaged("its header is missing"))
		}
		empty = true
		return nil
	})
	if err != nil {
		return err
	}
	if empty {
		return db.initialize(ctx, o)
	}
	if err := json.Unmarshal(plain, &db.header); err != nil {
		return damaged("its header cannot be read")
	}
	if err := db.header.accept(db.kek.ID(), o); err != nil {
		return err
	}
	if err := db.loadKeys(ctx); err != nil {
		return err
	}
	return db.engine.View(ctx, func(tx EngineTx) error { return db.check(tx, plain) })
}

// accept compares the header with the key and Options that the store is opened with.
func (h Header) accept(kek string, o Options) error {
	switch {
	case h.Format > formatVersion:
		return &OpenError{ErrNewerSchema, "format " + strconv.Itoa(h.Format), "format " + strconv.Itoa(formatVersion)}
	case h.Format < 1 || h.ID == "":
		return damaged("its header cannot be read")
	case h.KEK != kek:
		return &OpenError{ErrWrongKey, h.KEK, kek}
	case h.Schema > o.Schema:
		return &OpenError{ErrNewerSchema, strconv.Itoa(h.Schema), strconv.Itoa(o.Schema)}
	case h.Schema < o.Schema:
		return &OpenError{ErrOlderSchema, strconv.Itoa(h.Schema), strconv.Itoa(o.Schema)}
	case h.Environment != o.Environment:
		return &OpenError{ErrOtherEnvironment, h.Environment, o.Environment}
	}
	return nil
}

// initialize writes the header of an empty engine.
func (db *DB) initialize(ctx context.Context, o Options) error {
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	db.header = Header{formatVersion, o.Schema, o.Environment, db.kek.ID(), hex.EncodeToString(id[:]), o.Now().UTC()}
	plain, err := json.Marshal(db.header)
	if err != nil {
		return err
	}
	keys, stored, err := makeKeys(ctx, db.kek, SystemTenant)
	if err != nil {
		return err
	}
	db.setKeys(map[string]tenantKeys{SystemTenant: keys})
	sealed, err := seal(keys.sealer, SystemTenant, "!header", keySealed, plain)
	if err != nil {
		return err
	}
	return db.Update(ctx, func(tx *Tx) error {
		return errors.Join(
			tx.putOwn(keysetKey(SystemTenant), stored),
			tx.putOwn([]byte(keyHeader), plain),
			tx.putOwn([]byte(keySealed), sealed),
		)
	})
}

// check compares the header with its seal, the root with the store's own entries, and each manifest's count with its
// records.
func (db *DB) check(tx EngineTx, plain []byte) error {
	stored, err := tx.Get([]byte(keySealed))
	if err != nil {
		return errors.Join(damaged("the seal of its header is missing"), err)
	}
	sealed, err := open(db.system().sealer, SystemTenant, "!header", keySealed, stored)
	if err != nil || !bytes.Equal(sealed, plain) {
		return damaged("its header was changed")
	}
	manifests, err := db.checkRoot(tx)
	if err != nil {
		return err
	}
	return checkCounts(tx, manifests)
}

// checkRoot recomputes the root and returns the manifests by key.
func (db *DB) checkRoot(tx EngineTx) (map[string]manifest, error) {
	var root manifest
	manifests := map[string]manifest{}
	for e, err := range tx.Scan([]byte("!"), []byte("\""), false) {
		if err != nil {
			return nil, err
		}
		if !isOwn(e.Key) {
			continue
		}
		if err := root.add(db.system().digester, e.Key, e.Value); err != nil {
			return nil, err
		}
		if bytes.HasPrefix(e.Key, []byte(prefixManifest)) {
			m, err := db.openManifest(e.Key, e.Value)
			if err != nil {
				return nil, damaged("a manifest does not open")
			}
			manifests[string(e.Key)] = m
		}
	}
	stored, err := tx.Get([]byte(keyRoot))
	if err != nil {
		return nil, errors.Join(damaged("its root is missing"), err)
	}
	want, err := db.openManifest([]byte(keyRoot), stored)
	if err != nil || want != root {
		return nil, damaged("keys or manifests were taken away, put back or changed")
	}
	return manifests, nil
}

func checkCounts(tx EngineTx, manifests map[string]manifest) error {
	counts := map[string]uint64{}
	var run uint64 // of the collection being scanned
	var prefix []byte
	var name string
	for e, err := range tx.PeekRange([]byte("\""), nil) {
		if err != nil {
			return err
		}
		tenant, collection, id, ok := splitKey(e.Key)
		if !ok {
			return damaged("it holds a key that is not its own")
		}
		if at := e.Key[:len(e.Key)-len(id)]; !bytes.Equal(at, prefix) {
			counts[name] += run
			run, prefix, name = 0, append(prefix[:0], at...), string(manifestKey(tenant, collection))
		}
		run++
	}
	counts[name] += run
	delete(counts, "") // the entry before the first collection
	for key, m := range manifests {
		if counts[key] != m.count {
			return damaged("records are missing or too many in a collection")
		}
		delete(counts, key)
	}
	if len(counts) > 0 {
		return damaged("a collection has no manifest")
	}
	return nil
}
