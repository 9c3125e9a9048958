package main

import (
	"context"
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

// ours is the store as bankd opens it: bbolt, sealed.
type ours struct {
	tenant string
	engine *bolt.Engine
	db     *store.DB
	*ledger.Ledger
	opening time.Duration // time to open an existing store: check pages, counts and roots, read heads
}

func dataDir(dir string) string   { return filepath.Join(dir, "data") }
func storePath(dir string) string { return filepath.Join(dataDir(dir), "bankd.db") }
func keyPath(dir string) string   { return filepath.Join(dir, "kek") }

// openOurs opens the store of a bankd that is not running.
func openOurs(ctx context.Context, dir, tenant string) (*ours, error) {
	kek, err := vault.OpenFileKEK(keyPath(dir))
	if err != nil {
		return nil, err
	}
	o := &ours{tenant: tenant}
	start := time.Now()
	if o.engine, err = bolt.Open(storePath(dir)); err != nil {
		return nil, err
	}
	if o.db, err = store.Open(ctx, o.engine, kek, store.Options{Environment: "simulated", Schema: 1}); err != nil {
		return nil, err
	}
	o.Ledger, err = ledger.Open(ctx, o.db, []string{tenant})
	o.opening = time.Since(start)
	return o, err
}

// commit stores a page with its cursor and an audit event in one transaction.
func (o *ours) commit(ctx context.Context, connection string, u txn.Update) error {
	now := time.Now()
	return o.Apply(ctx, o.tenant, connection, u, "HISTORICAL_UPDATE_COMPLETE", now, func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error {
		return o.db.Update(ctx, func(tx *store.Tx) error {
			if _, err := apply(tx); err != nil {
				return err
			}
			_, err := audit.Append(tx, o.tenant, audit.Record{Time: now, Action: "connection.sync", Object: "connection:" + connection, Outcome: audit.OK})
			return err
		})
	})
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
