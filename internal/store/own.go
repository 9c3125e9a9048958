package store

import (
	"bytes"
	"errors"
	"strings"
)

// checkOwn compares the header with its seal, and each lane's root with the store's own entries. It returns the
// manifests by collection, each the sum over its lanes.
func (db *DB) checkOwn(tx EngineTx) (map[string]manifest, error) {
	if err := db.checkHeader(tx); err != nil {
		return nil, err
	}
	sums, manifests := map[string]manifest{}, map[string]manifest{}
	for e, err := range tx.Scan([]byte(prefixOwn), []byte(prefixOwnsAfter), false) {
		if err != nil {
			return nil, err
		}
		if !isOwn(e.Key) {
			continue
		}
		sum := sums[laneOf(e.Key)]
		if err := sum.add(db.system().digester, e.Key, e.Value); err != nil {
			return nil, err
		}
		sums[laneOf(e.Key)] = sum
		if bytes.HasPrefix(e.Key, []byte(prefixManifest)) {
			m, err := db.openManifest(e.Key, e.Value)
			if err != nil {
				return nil, damaged("a manifest does not open")
			}
			total := manifests[collectionOf(e.Key)]
			total.merge(m)
			manifests[collectionOf(e.Key)] = total
		}
	}
	return manifests, db.checkRoots(tx, sums)
}

func (db *DB) checkHeader(tx EngineTx) error {
	plain, err := tx.Get([]byte(keyHeader))
	if err != nil {
		return errors.Join(damaged("its header is missing"), err)
	}
	stored, err := tx.Get([]byte(keySealed))
	if err != nil {
		return errors.Join(damaged("the seal of its header is missing"), err)
	}
	sealed, err := open(db.system().sealer, SystemTenant, "!header", keySealed, stored)
	if err != nil || !bytes.Equal(sealed, plain) {
		return damaged("its header was changed")
	}
	return nil
}

// checkRoots compares the stored roots with the recomputed sums, by lane.
func (db *DB) checkRoots(tx EngineTx, sums map[string]manifest) error {
	for e, err := range tx.Scan([]byte(prefixRoot), prefixEnd([]byte(prefixRoot)), false) {
		if err != nil {
			return err
		}
		lane := strings.TrimPrefix(string(e.Key), prefixRoot)
		want, err := db.openRoot(lane, e.Value)
		if err != nil || want.manifest != sums[lane] {
			return damaged("keys or manifests were taken away, put back or changed")
		}
		delete(sums, lane)
	}
	if len(sums) > 0 {
		return damaged("a root is missing")
	}
	return nil
}
