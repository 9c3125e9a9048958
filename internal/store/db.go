package store

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bankctl/bankctl/internal/vault"
)

// Options are the conditions for opening a store.
type Options struct {
	Environment string           // simulated, sandbox or production
	Schema      int              // of this program's records
	Now         func() time.Time // nil: time.Now
	Lane        string           // of this process; "" is OwnLane, for the only process that writes the store
	Migrations  []Migration      // from older schemas
	// BeforeMigration, if set, is called before a migration changes the store, and can refuse it.
	BeforeMigration func(from Header) error
	Progress        *Progress // of the check of all records; may be nil
}

// DB is an open store.
type DB struct {
	engine Engine
	kek    vault.KEK
	header Header
	lane   string

	damage atomic.Pointer[error] // the first damage that was found
	bad    chan struct{}         // closed then

	written chan struct{} // holds one signal at most

	ensureMu   sync.Mutex // one change of keysets at a time; guards kek
	mu         sync.RWMutex
	keys       map[string]tenantKeys // copied on write
	recipients []Recipient           // of the escrow
	doomed     map[string]bool       // tenants that are being destroyed; copied on write
	turning    turningRate
	unwiped    unwiped
}

// Open opens a store, or writes the header of an empty one. It checks every record against its manifest first, and
// migrates an older format or schema. It refuses, with an *OpenError and changing nothing, one that needs another key,
// belongs to another environment, has a newer schema or is damaged.
func Open(ctx context.Context, engine Engine, kek vault.KEK, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Lane == "" {
		o.Lane = OwnLane
	}
	if !ValidLane(o.Lane) {
		return nil, ErrBadName
	}
	db := &DB{engine: engine, kek: kek, lane: o.Lane, bad: make(chan struct{}), written: make(chan struct{}, 1), unwiped: newUnwiped()}
	err := guard(ctx, func(ctx context.Context) error { return db.open(ctx, o) })
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return db, nil
}

// View runs fn on a snapshot.
func (db *DB) View(ctx context.Context, fn func(*Tx) error) error {
	return db.engine.View(ctx, func(raw EngineTx) error { return fn(db.begin(raw)) })
}

// Update runs fn and commits its writes, or nothing if it returns an error. fn may run more than once: no network, no
// output, no appending to captured variables.
func (db *DB) Update(ctx context.Context, fn func(*Tx) error) error {
	if err := db.Damage(); err != nil {
		return err
	}
	deleted := false
	err := db.engine.Update(ctx, func(raw EngineTx) error {
		tx := db.begin(raw)
		if err := fn(tx); err != nil {
			return err
		}
		deleted = tx.deleted
		return tx.flush()
	})
	if err == nil {
		db.unwiped.note(deleted)
		select {
		case db.written <- struct{}{}:
		default:
		}
	}
	return err
}

// Lane returns the lane that this process writes.
func (tx *Tx) Lane() string { return tx.db.lane }

// Header returns the store's description of itself.
func (db *DB) Header() Header {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.header
}

// Damage returns the damage that was found since Open, or nil. It ends all writes.
func (db *DB) Damage() error {
	if err := db.damage.Load(); err != nil {
		return *err
	}
	return nil
}

// Damaged is closed when damage is found.
func (db *DB) Damaged() <-chan struct{} { return db.bad }

// noteDamage remembers err if it means damage, and returns it.
func (db *DB) noteDamage(err error) error {
	if errors.Is(err, ErrDamaged) && db.damage.CompareAndSwap(nil, &err) {
		close(db.bad)
	}
	return err
}

// Tenants returns the names of all tenants but the system's and those that are being destroyed, sorted.
func (db *DB) Tenants() []string {
	db.mu.RLock()
	defer db.mu.RUnlock()
	names := slices.Sorted(maps.Keys(db.keys))
	return slices.DeleteFunc(names, func(name string) bool { return name == SystemTenant || db.doomed[name] })
}

// Commits returns how many transactions each lane has committed.
func (tx *Tx) Commits() (map[string]uint64, error) {
	counts := map[string]uint64{}
	for e, err := range tx.raw.Scan([]byte(prefixRoot), prefixEnd([]byte(prefixRoot)), false) {
		if err != nil {
			return nil, err
		}
		lane := strings.TrimPrefix(string(e.Key), prefixRoot)
		r, err := tx.db.openRoot(lane, e.Value)
		if err != nil {
			return nil, tx.db.noteDamage(err)
		}
		counts[lane] = r.commits
	}
	return counts, nil
}

// Written is signalled after writes. One signal can stand for several.
func (db *DB) Written() <-chan struct{} { return db.written }

// Poisoned is closed after a failed commit: the process must end and reopen the store.
func (db *DB) Poisoned() <-chan struct{} { return db.engine.Poisoned() }

// Close closes the engine.
func (db *DB) Close() error { return db.engine.Close() }

// Digest returns a digest of parts under the tenant's key. Different purposes give different digests, and so do parts
// that are split differently.
func (db *DB) Digest(tenant, purpose string, parts ...[]byte) ([vault.DigestSize]byte, error) {
	keys, err := db.tenant(tenant)
	if err != nil {
		return [vault.DigestSize]byte{}, err
	}
	bound := vault.AppendBind(make([]byte, 0, 256), "bankd/1 digest", tenant, purpose)
	for _, p := range parts {
		bound = vault.AppendBind(bound, string(p))
	}
	return keys.digester.Sum(bound)
}

// Digest is DB.Digest inside a transaction.
func (tx *Tx) Digest(tenant, purpose string, parts ...[]byte) ([vault.DigestSize]byte, error) {
	return tx.db.Digest(tenant, purpose, parts...)
}

// Fingerprint is the first half of Digest in hex, short enough for an id.
func (db *DB) Fingerprint(tenant, purpose string, parts ...[]byte) (string, error) {
	sum, err := db.Digest(tenant, purpose, parts...)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sum[:16]), nil
}
