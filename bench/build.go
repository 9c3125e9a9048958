package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"time"

	bbolt "go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/txn"
)

// build fills our store page by page, in turn with a bare bbolt file that gets one put a record.
func build(ctx context.Context, t *table, d *data, dir string, full bool) (*ours, error) {
	o, err := openOurs(ctx, dir, d.tenant)
	if err != nil {
		return nil, err
	}
	raw, err := bbolt.Open(filepath.Join(dir, "raw.db"), 0o600, &bbolt.Options{FreelistType: bbolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	defer raw.Close()
	var sealed, bare timings
	var plainBytes int64
	n := 0
	now := time.Now().UnixMicro()
	for item, page := range d.pages {
		n++
		values := make([][]byte, len(page))
		u := txn.Update{To: fmt.Sprintf("cursor-%d-%040d", item, n), Added: make([]txn.Raw, len(page))}
		for i, f := range page {
			u.Added[i] = f.Raw
			values[i] = d.plain(nil, f, now)
			plainBytes += int64(len(values[i]))
		}
		ourTurn := func() error {
			return sealed.run(func() error { return o.commit(ctx, d.connections[item], u) })
		}
		theirs := func() error { return bare.run(func() error { return put(raw, item, page, values) }) }
		if n%2 == 0 {
			ourTurn, theirs = theirs, ourTurn
		}
		if err := ourTurn(); err != nil {
			return nil, err
		}
		if err := theirs(); err != nil {
			return nil, err
		}
	}
	if full {
		t.add("commit of 500 rows (ours sealed, with audit line, manifest, cursor)", "raw bbolt puts", bare, sealed, 0.9)
		t.note("the same by CPU: ours %v, raw puts %v a commit", sealed.cpu(), bare.cpu())
		size := fileSize(storePath(dir))
		t.goal("file / plain bytes of the records", float64(size)/float64(plainBytes), 1.3, fmt.Sprintf("%.0f MB / %.0f MB (%.0f bytes a record); the raw bbolt file has %.0f MB",
			float64(size)/1e6, float64(plainBytes)/1e6, float64(plainBytes)/float64(d.rows), float64(fileSize(filepath.Join(dir, "raw.db")))/1e6))
	}
	return o, nil
}

// put stores records under ascending keys of an item, in pages filled for appending: bbolt at its best.
func put(raw *bbolt.DB, item int, page []record, values [][]byte) error {
	return raw.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucketIfNotExists([]byte("txns"))
		if err != nil {
			return err
		}
		b.FillPercent = 0.95
		for i, f := range page {
			var key [12]byte
			binary.BigEndian.PutUint32(key[:], uint32(item))
			binary.BigEndian.PutUint64(key[4:], uint64(f.seq))
			if err := b.Put(key[:], values[i]); err != nil {
				return err
			}
		}
		return nil
	})
}
