package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/bankctl/bankctl/internal/vault"
)

// tenantKeys are a tenant's data keys, ready for use.
type tenantKeys struct {
	sealer   *vault.Sealer
	digester *vault.Digester
}

// storedKeys are a tenant's data keys as wrapped by the KEK.
type storedKeys struct {
	KEK string `json:"kek"`
	AES []byte `json:"aes_gcm"`
	PRF []byte `json:"prf"`
}

func keysetAAD(tenant, kind string) []byte { return vault.Bind("bankd/1", "keyset", tenant, kind) }

// makeKeys makes one tenant's keys. It calls the KEK.
func makeKeys(ctx context.Context, kek vault.KEK, tenant string) (tenantKeys, []byte, error) {
	sealer, aes, err := vault.NewSealer(ctx, kek, keysetAAD(tenant, "aes-gcm"))
	if err != nil {
		return tenantKeys{}, nil, err
	}
	digester, prf, err := vault.NewDigester(ctx, kek, keysetAAD(tenant, "prf"))
	if err != nil {
		return tenantKeys{}, nil, err
	}
	stored, err := json.Marshal(storedKeys{KEK: kek.ID(), AES: aes, PRF: prf})
	return tenantKeys{sealer, digester}, stored, err
}

// openKeys unwraps one tenant's keys. It calls the KEK.
func openKeys(ctx context.Context, kek vault.KEK, tenant string, stored []byte) (tenantKeys, error) {
	var s storedKeys
	if err := json.Unmarshal(stored, &s); err != nil {
		return tenantKeys{}, damaged("the keys of a tenant cannot be read")
	}
	opens, ok := vault.For(kek, s.KEK)
	if !ok {
		return tenantKeys{}, &OpenError{Kind: ErrWrongKey, Want: s.KEK, Got: kek.ID()}
	}
	kek = opens
	sealer, err := vault.OpenSealer(ctx, kek, s.AES, keysetAAD(tenant, "aes-gcm"))
	if err != nil {
		return tenantKeys{}, keyError(err)
	}
	digester, err := vault.OpenDigester(ctx, kek, s.PRF, keysetAAD(tenant, "prf"))
	if err != nil {
		return tenantKeys{}, keyError(err)
	}
	return tenantKeys{sealer, digester}, nil
}

// keyError reports damage if a key with the right id does not open its blob.
func keyError(err error) error {
	if errors.Is(err, vault.ErrWrongKey) {
		return damaged("the keys of a tenant do not open")
	}
	return err
}

// loadKeys unwraps the keys of every tenant.
func (db *DB) loadKeys(ctx context.Context) error {
	stored := map[string][]byte{}
	err := db.engine.View(ctx, func(tx EngineTx) error {
		found := map[string][]byte{}
		for e, err := range tx.Scan([]byte(prefixKeyset), prefixEnd([]byte(prefixKeyset)), false) {
			if err != nil {
				return err
			}
			found[strings.TrimPrefix(string(e.Key), prefixKeyset)] = e.Value
		}
		stored = found
		return nil
	})
	if err != nil {
		return err
	}
	opened := make(map[string]tenantKeys, len(stored))
	for tenant, blob := range stored {
		if opened[tenant], err = openKeys(ctx, db.kek, tenant, blob); err != nil {
			return err
		}
	}
	if _, ok := opened[SystemTenant]; !ok {
		return damaged("its own keys are missing")
	}
	db.setKeys(opened)
	return nil
}

func (db *DB) setKeys(add map[string]tenantKeys) {
	db.mu.Lock()
	defer db.mu.Unlock()
	next := maps.Clone(db.keys)
	if next == nil {
		next = map[string]tenantKeys{}
	}
	maps.Copy(next, add)
	db.keys = next
}

func (db *DB) tenant(name string) (tenantKeys, error) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	keys, ok := db.keys[name]
	if !ok {
		return tenantKeys{}, ErrUnknownTenant
	}
	return keys, nil
}

func (db *DB) system() tenantKeys {
	keys, _ := db.tenant(SystemTenant) // Open has loaded it
	return keys
}

// EnsureTenant makes a tenant's keys unless they exist. It calls the KEK, so it must be called outside transactions.
func (db *DB) EnsureTenant(ctx context.Context, tenant string) error {
	if !ValidID(tenant) {
		return ErrBadName
	}
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	if _, err := db.tenant(tenant); err == nil {
		return nil
	}
	keys, stored, err := makeKeys(ctx, db.kek, tenant)
	if err != nil {
		return fmt.Errorf("make keys of tenant: %w", err)
	}
	err = db.Update(ctx, func(tx *Tx) error {
		if _, err := tx.raw.Get(keysetKey(tenant)); !errors.Is(err, ErrNotFound) {
			return errors.Join(err, damaged("a tenant has keys that were not there at the start"))
		}
		return tx.putOwn(keysetKey(tenant), stored)
	})
	if err != nil {
		return fmt.Errorf("keep keys of tenant: %w", err)
	}
	db.setKeys(map[string]tenantKeys{tenant: keys})
	return nil
}
