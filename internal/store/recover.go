package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/bankctl/bankctl/internal/vault"
)

// ErrNoEscrow means that the keys were never escrowed, or not those of all tenants.
var ErrNoEscrow = errors.New("the data holds no escrow of its keys: `bankctl keys escrow` was not run in time")

// ErrWrongIdentity means that the escrow is not to this identity.
var ErrWrongIdentity = errors.New("the escrow of the keys does not open with this identity")

// Recovered tells what Recover did.
type Recovered struct {
	Header  Header // as it is now
	From    string // id of the KEK before
	Keysets int
	Records int
}

// Recover opens the keys of a store by an identity of its escrow, decrypts every record with them, and then wraps them by
// kek, in one transaction. The lost KEK is not needed. It is for a store that no other process has open.
func Recover(ctx context.Context, engine Engine, id vault.Identity, kek vault.KEK) (Recovered, error) {
	db := &DB{engine: engine, kek: kek, lane: OwnLane, bad: make(chan struct{}), written: make(chan struct{}, 1), unwiped: newUnwiped()}
	var done Recovered
	err := guard(ctx, func(ctx context.Context) (err error) {
		done, err = db.recover(ctx, id)
		return err
	})
	if err != nil {
		return Recovered{}, fmt.Errorf("recover keys: %w", err)
	}
	return done, nil
}

func (db *DB) recover(ctx context.Context, id vault.Identity) (Recovered, error) {
	if err := db.readHeader(ctx); err != nil {
		return Recovered{}, err
	}
	if err := db.openEscrow(ctx, id); err != nil {
		return Recovered{}, err
	}
	report, err := db.examine(ctx, true, nil)
	if err == nil {
		err = report.damage()
	}
	if err != nil {
		return Recovered{}, err
	}
	crashPoint("recover.checked")
	wrapped := map[string][]byte{}
	for _, tenant := range db.allTenants() {
		keys, err := db.tenant(tenant)
		if err != nil {
			return Recovered{}, err
		}
		if wrapped[tenant], err = keys.wrap(ctx, db.kek, tenant); err != nil {
			return Recovered{}, err
		}
	}
	next := db.Header()
	next.KEK = db.kek.ID()
	err = db.Update(ctx, func(tx *Tx) error {
		for tenant, blob := range wrapped {
			if err := tx.putOwn(keysetKey(tenant), blob); err != nil {
				return err
			}
		}
		return tx.putHeader(next)
	})
	if err != nil {
		return Recovered{}, err
	}
	crashPoint("recover.stored")
	return Recovered{Header: next, From: db.header.KEK, Keysets: len(wrapped), Records: report.Records}, db.recheck(ctx)
}

// recheck unwraps what was written by the new KEK.
func (db *DB) recheck(ctx context.Context) error {
	if _, err := db.CheckKeysets(ctx); err != nil {
		return err
	}
	return db.engine.View(ctx, func(tx EngineTx) error {
		_, err := db.checkOwn(tx)
		return err
	})
}

func (db *DB) readHeader(ctx context.Context) error {
	var plain []byte
	err := db.engine.View(ctx, func(tx EngineTx) (err error) {
		plain, err = tx.Get([]byte(keyHeader))
		return err
	})
	if err != nil || json.Unmarshal(plain, &db.header) != nil || db.header.ID == "" {
		return errors.Join(damaged("its header cannot be read"), err)
	}
	if db.header.Format != Format {
		return &OpenError{ErrNewerSchema, "format " + strconv.Itoa(db.header.Format), "format " + strconv.Itoa(Format)}
	}
	return db.loadRecipients(ctx)
}

// openEscrow opens the keys of every tenant that has any.
func (db *DB) openEscrow(ctx context.Context, id vault.Identity) error {
	files, err := db.readKeysets(ctx, prefixEscrow)
	if err != nil {
		return err
	}
	keysets, err := db.readKeysets(ctx, prefixKeyset)
	if err != nil {
		return err
	}
	opened := map[string]tenantKeys{}
	for tenant := range keysets {
		file, ok := files[tenant]
		if !ok {
			return ErrNoEscrow
		}
		sealer, digester, err := vault.OpenEscrow(id, file, "bankd/1", "escrow", db.header.ID, tenant)
		if err != nil {
			return ErrWrongIdentity
		}
		opened[tenant] = tenantKeys{sealer, digester}
	}
	if _, ok := opened[SystemTenant]; !ok {
		return damaged("its own keys are missing")
	}
	db.setKeys(opened)
	return nil
}
