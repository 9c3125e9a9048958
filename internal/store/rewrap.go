package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/bankctl/bankctl/internal/vault"
)

// ErrNoRotation means that the KEK's provider makes no new key; its text says what to do.
var ErrNoRotation = vault.ErrNoRotation

// Rewrapped tells what a change of the KEK did.
type Rewrapped struct {
	From, To string // ids of KEKs
	Keysets  int
}

// RotateKEK makes a new key at the KEK's provider and wraps all keysets by it.
func (db *DB) RotateKEK(ctx context.Context, audit func(*Tx, Rewrapped) error) (Rewrapped, error) {
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	next, err := vault.Rotate(ctx, db.kek)
	if err != nil {
		return Rewrapped{}, fmt.Errorf("rotate key: %w", err)
	}
	crashPoint("kek.made")
	return db.rewrap(ctx, next, audit)
}

// Rewrap wraps all keysets by the newest key of the configured provider: after its key was turned elsewhere, or after
// the provider changed.
func (db *DB) Rewrap(ctx context.Context, audit func(*Tx, Rewrapped) error) (Rewrapped, error) {
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	next, err := vault.Renew(ctx, db.kek)
	if err != nil {
		return Rewrapped{}, fmt.Errorf("rewrap keys: %w", err)
	}
	return db.rewrap(ctx, next, audit)
}

// FinishRewrap wraps all keysets by next: the rest of a rotation that a crash ended.
func (db *DB) FinishRewrap(ctx context.Context, next vault.KEK) (Rewrapped, error) {
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	return db.rewrap(ctx, next, func(*Tx, Rewrapped) error { return nil })
}

// rewrap wraps all keysets by next, in transactions of at most maxKeysets, and then the header's id; audit runs with
// that. A crash in between leaves keysets of both keys, which the provider opens. ensureMu is held.
func (db *DB) rewrap(ctx context.Context, next vault.KEK, audit func(*Tx, Rewrapped) error) (Rewrapped, error) {
	done := Rewrapped{From: db.Header().KEK, To: next.ID()}
	for chunk := range slices.Chunk(db.allTenants(), maxKeysets) {
		if err := db.rewrapSome(ctx, next, chunk); err != nil {
			return done, fmt.Errorf("rewrap keys: %w", err)
		}
		done.Keysets += len(chunk)
		crashPoint("kek.wrapped")
	}
	header := db.Header()
	header.KEK = next.ID()
	err := db.Update(ctx, func(tx *Tx) error {
		if err := tx.putHeader(header); err != nil {
			return err
		}
		return audit(tx, done)
	})
	if err != nil {
		return done, fmt.Errorf("rewrap keys: %w", err)
	}
	crashPoint("kek.header")
	db.mu.Lock()
	db.header = header
	db.mu.Unlock()
	db.kek = vault.WithOld(next, db.kek)
	err = vault.Settle(next)
	crashPoint("kek.settled")
	return done, err
}

func (db *DB) rewrapSome(ctx context.Context, next vault.KEK, tenants []string) error {
	wrapped := map[string][]byte{}
	for _, tenant := range tenants {
		keys, err := db.tenant(tenant)
		if err != nil {
			return err
		}
		if wrapped[tenant], err = keys.wrap(ctx, next, tenant); err != nil {
			return err
		}
	}
	return db.Update(ctx, func(tx *Tx) error {
		for _, tenant := range tenants {
			if err := tx.putOwn(keysetKey(tenant), wrapped[tenant]); err != nil {
				return err
			}
		}
		return nil
	})
}

// KEKs counts the stored keysets by the id of the KEK that wrapped them.
func (db *DB) KEKs(ctx context.Context) (map[string]int, error) {
	stored, err := db.readKeysets(ctx, prefixKeyset)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, blob := range stored {
		var s storedKeys
		if json.Unmarshal(blob, &s) != nil {
			return nil, damaged("the keys of a tenant cannot be read")
		}
		counts[s.KEK]++
	}
	return counts, nil
}

// CheckKeysets unwraps every stored keyset by the KEK and returns their number. A keyset that does not open is damage or
// a wrong key; what is in memory goes on.
func (db *DB) CheckKeysets(ctx context.Context) (int, error) {
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	stored, err := db.readKeysets(ctx, prefixKeyset)
	if err != nil {
		return 0, err
	}
	for tenant, blob := range stored {
		if _, err := openKeys(ctx, db.kek, tenant, blob); err != nil {
			return 0, fmt.Errorf("keys of tenant %s: %w", tenant, err)
		}
	}
	return len(stored), nil
}
