package store

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bankctl/bankctl/internal/vault"
)

// Options are the conditions for opening a store.
type Options struct {
	Environment string           // simulated, sandbox or production
	Schema      int              // of this program's records
	Now         func() time.Time // nil: time.Now
}

// DB is an open store.
type DB struct {
	engine Engine
	kek    vault.KEK
	header Header

	ensureMu sync.Mutex // one EnsureTenant at a time
	mu       sync.RWMutex
	keys     map[string]tenantKeys // copied on write
}

// Open opens a store, or writes the header of an empty one. It refuses, with an
// *OpenError and changing nothing, one that needs another key, belongs to
// another environment, has another schema or is damaged.
func Open(ctx context.Context, engine Engine, kek vault.KEK, o Options) (*DB, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	db := &DB{engine: engine, kek: kek}
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
	return db.engine.Update(ctx, func(raw EngineTx) error {
		tx := db.begin(raw)
		if err := fn(tx); err != nil {
			return err
		}
		return tx.flush()
	})
}

// Header returns the store's description of itself.
func (db *DB) Header() Header { return db.header }

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

// ErrBadToken means that SealToken did not make the token for this use.
var ErrBadToken = errors.New("token does not fit")

const tokenFormat = 1

func tokenAAD(tenant, purpose, bind string) []byte {
	return vault.Bind("bankd/1 token", tenant, purpose, bind, string([]byte{tokenFormat}))
}

// SealToken encrypts plaintext to a text. OpenToken opens it with the same tenant, purpose and bind only.
func (db *DB) SealToken(tenant, purpose, bind string, plaintext []byte) (string, error) {
	keys, err := db.tenant(tenant)
	if err != nil {
		return "", err
	}
	sealed, err := keys.sealer.Seal(plaintext, tokenAAD(tenant, purpose, bind))
	if err != nil {
		return "", fmt.Errorf("seal token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte{tokenFormat}, sealed...)), nil
}

// OpenToken is the inverse of SealToken.
func (db *DB) OpenToken(tenant, purpose, bind, token string) ([]byte, error) {
	keys, err := db.tenant(tenant)
	if err != nil {
		return nil, err
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(sealed) == 0 || sealed[0] != tokenFormat {
		return nil, ErrBadToken
	}
	plain, err := keys.sealer.Open(sealed[1:], tokenAAD(tenant, purpose, bind))
	if err != nil {
		return nil, ErrBadToken
	}
	return plain, nil
}
