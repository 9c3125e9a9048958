package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/txn"
	"github.com/bankctl/bankctl/internal/vault"
)

const tenant = "default"

// ours is the store as bankd opens it: bbolt, sealed.
type ours struct {
	engine *bolt.Engine
	db     *store.DB
	*ledger.Ledger
	opening time.Duration // of an existing one: pages checked, counts and roots, heads read
}

func storePath(dir string) string { return filepath.Join(dir, "bankd.db") }

func openOurs(ctx context.Context, dir string) (*ours, error) {
	kek, err := vault.OpenFileKEK(filepath.Join(dir, "kek"))
	if errors.Is(err, fs.ErrNotExist) {
		kek, err = vault.CreateFileKEK(filepath.Join(dir, "kek"))
	}
	if err != nil {
		return nil, err
	}
	o := &ours{}
	start := time.Now()
	if o.engine, err = bolt.Open(storePath(dir)); err != nil {
		return nil, err
	}
	if o.db, err = store.Open(ctx, o.engine, kek, store.Options{Environment: "simulated", Schema: 1}); err != nil {
		return nil, err
	}
	if err := o.db.EnsureTenant(ctx, tenant); err != nil {
		return nil, err
	}
	o.Ledger, err = ledger.Open(ctx, o.db, []string{tenant})
	o.opening = time.Since(start)
	return o, err
}

// commit stores a page with its cursor and an audit line, in one transaction.
func (o *ours) commit(ctx context.Context, item int, u txn.Update) error {
	now := time.Now()
	return o.Apply(ctx, tenant, connection(item), u, "HISTORICAL_UPDATE_COMPLETE", now, func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error {
		return o.db.Update(ctx, func(tx *store.Tx) error {
			if _, err := apply(tx); err != nil {
				return err
			}
			_, err := audit.Append(tx, tenant, audit.Record{Time: now, Action: "connection.sync", Object: "connection:" + connection(item), Outcome: audit.OK})
			return err
		})
	})
}

// of gives the connections of an employer; all of them for -1.
func of(employer int) (ids []string) {
	for i := range items {
		if employer < 0 || i%employers == employer {
			ids = append(ids, connection(i))
		}
	}
	return ids
}

func query(pageNo int) txn.Query { return txn.Query{Request: page.Request{Page: pageNo, Limit: 50}} }

func between(q txn.Query, from, to int32) txn.Query {
	q.DateFrom, q.DateTo = txn.Date(from), txn.Date(to)
	return q
}

func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
