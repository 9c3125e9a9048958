package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
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

// keysetForms are the two stored forms of a tenant's keys.
type keysetForms struct {
	wrapped []byte // by the KEK
	escrow  []byte // by the escrow's recipients; nil = there are none
}

// maxKeysets is how many keysets one transaction writes.
const maxKeysets = 500

func keysetAAD(tenant, kind string) []byte { return vault.Bind("bankd/1", "keyset", tenant, kind) }

func newKeys() (tenantKeys, error) {
	sealer, err := vault.NewDataKey()
	if err != nil {
		return tenantKeys{}, err
	}
	digester, err := vault.NewDigestKey()
	return tenantKeys{sealer, digester}, err
}

// makeKeys makes one tenant's keys. It calls the KEK.
func makeKeys(ctx context.Context, kek vault.KEK, tenant string) (tenantKeys, []byte, error) {
	keys, err := newKeys()
	if err != nil {
		return tenantKeys{}, nil, err
	}
	stored, err := keys.wrap(ctx, kek, tenant)
	return keys, stored, err
}

// wrap calls the KEK.
func (k tenantKeys) wrap(ctx context.Context, kek vault.KEK, tenant string) ([]byte, error) {
	aes, err := k.sealer.Wrap(ctx, kek, keysetAAD(tenant, "aes-gcm"))
	if err != nil {
		return nil, err
	}
	prf, err := k.digester.Wrap(ctx, kek, keysetAAD(tenant, "prf"))
	if err != nil {
		return nil, err
	}
	return json.Marshal(storedKeys{KEK: kek.ID(), AES: aes, PRF: prf})
}

// forms returns the stored forms of a tenant's keys. It calls the KEK, so it must be called outside transactions.
func (db *DB) forms(ctx context.Context, kek vault.KEK, tenant string, keys tenantKeys) (f keysetForms, err error) {
	if f.wrapped, err = keys.wrap(ctx, kek, tenant); err != nil {
		return f, err
	}
	f.escrow, err = keys.escrow(db.Recipients(), db.Header().ID, tenant)
	return f, err
}

// putKeys stores a tenant's keys in all their forms.
func (tx *Tx) putKeys(tenant string, f keysetForms) error {
	if err := tx.putOwn(keysetKey(tenant), f.wrapped); err != nil || f.escrow == nil {
		return err
	}
	return tx.putOwn(escrowKey(tenant), f.escrow)
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
	sealer, err := vault.OpenSealer(ctx, opens, s.AES, keysetAAD(tenant, "aes-gcm"))
	if err != nil {
		return tenantKeys{}, keyError(err)
	}
	digester, err := vault.OpenDigester(ctx, opens, s.PRF, keysetAAD(tenant, "prf"))
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

// loadKeys unwraps the keys of every tenant, and reads the escrow's recipients.
func (db *DB) loadKeys(ctx context.Context) error {
	stored, err := db.readKeysets(ctx, prefixKeyset)
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
	if err := db.loadDoomed(ctx); err != nil {
		return err
	}
	return db.loadRecipients(ctx)
}

// readKeysets reads the stored form of all keysets, by tenant.
func (db *DB) readKeysets(ctx context.Context, prefix string) (map[string][]byte, error) {
	var stored map[string][]byte
	err := db.engine.View(ctx, func(tx EngineTx) error {
		found := map[string][]byte{}
		for e, err := range tx.Scan([]byte(prefix), prefixEnd([]byte(prefix)), false) {
			if err != nil {
				return err
			}
			found[strings.TrimPrefix(string(e.Key), prefix)] = e.Value
		}
		stored = found
		return nil
	})
	return stored, err
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

func (db *DB) dropKeys(tenant string) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.keys, db.doomed = maps.Clone(db.keys), maps.Clone(db.doomed)
	delete(db.keys, tenant)
	delete(db.doomed, tenant)
}

func (db *DB) allKeys() map[string]tenantKeys {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return db.keys
}

// allTenants returns the names of all that have keys, the system's first.
func (db *DB) allTenants() []string {
	names := slices.Sorted(maps.Keys(db.allKeys()))
	return slices.Insert(slices.DeleteFunc(names, func(name string) bool { return name == SystemTenant }), 0, SystemTenant)
}

func (db *DB) tenant(name string) (tenantKeys, error) {
	keys, ok := db.allKeys()[name]
	if !ok {
		return tenantKeys{}, ErrUnknownTenant
	}
	return keys, nil
}

// tenant returns a tenant's keys as they were when the transaction began, so that all of it seals and opens alike while
// a rotation turns them.
func (tx *Tx) tenant(name string) (tenantKeys, error) {
	keys, ok := tx.keyring[name]
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
	if _, err := db.tenant(tenant); err == nil {
		return nil
	}
	db.ensureMu.Lock()
	defer db.ensureMu.Unlock()
	if _, err := db.tenant(tenant); err == nil {
		return nil
	}
	keys, err := newKeys()
	if err != nil {
		return fmt.Errorf("make keys of tenant: %w", err)
	}
	forms, err := db.forms(ctx, vault.Newest(db.kek), tenant, keys)
	if err != nil {
		return fmt.Errorf("make keys of tenant: %w", err)
	}
	err = db.Update(ctx, func(tx *Tx) error {
		if _, err := tx.raw.Get(keysetKey(tenant)); !errors.Is(err, ErrNotFound) {
			return errors.Join(err, damaged("a tenant has keys that were not there at the start"))
		}
		return tx.putKeys(tenant, forms)
	})
	if err != nil {
		return fmt.Errorf("keep keys of tenant: %w", err)
	}
	db.setKeys(map[string]tenantKeys{tenant: keys})
	return nil
}
