package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/vault"
)

// Format is the version of the layout of keys, manifests and values.
//
//  1. one root and one manifest a collection
//  2. roots and manifests by lane, commits counted
const Format = 2

// Header describes a store. It is stored in plain text, for refusals to quote, and sealed, so that a change to it is
// noticed.
type Header struct {
	Format      int       `json:"format"`
	Schema      int       `json:"schema"`
	Environment string    `json:"environment"`
	KEK         string    `json:"kek_id"`
	ID          string    `json:"db_id"`
	CreatedAt   time.Time `json:"created_at"`
}

func (db *DB) open(ctx context.Context, o Options) error {
	var plain []byte
	empty := false
	err := db.engine.View(ctx, func(tx EngineTx) (err error) {
		plain, err = tx.Get([]byte(keyHeader))
		if !errors.Is(err, ErrNotFound) {
			return err
		}
		for _, err := range tx.Scan(nil, nil, false) {
			return errors.Join(err, damaged("its header is missing"))
		}
		empty = true
		return nil
	})
	if err != nil {
		return err
	}
	if empty {
		return db.initialize(ctx, o)
	}
	if err := json.Unmarshal(plain, &db.header); err != nil {
		return damaged("its header cannot be read")
	}
	if err := db.header.accept(db.kek, o); err != nil {
		return err
	}
	if err := db.loadKeys(ctx); err != nil {
		return err
	}
	if err := db.migrate(ctx, o); err != nil {
		return err
	}
	report, err := db.examine(ctx, false, o.Progress)
	if err != nil {
		return err
	}
	return report.damage()
}

// accept compares the header with the key and Options that the store is opened with.
func (h Header) accept(kek vault.KEK, o Options) error {
	_, fits := vault.For(kek, h.KEK)
	switch {
	case h.Format > Format:
		return &OpenError{ErrNewerSchema, "format " + strconv.Itoa(h.Format), "format " + strconv.Itoa(Format)}
	case h.Format < 1 || h.ID == "":
		return damaged("its header cannot be read")
	case !fits:
		return &OpenError{ErrWrongKey, h.KEK, kek.ID()}
	case h.Schema > o.Schema:
		return &OpenError{ErrNewerSchema, strconv.Itoa(h.Schema), strconv.Itoa(o.Schema)}
	case h.Environment != o.Environment:
		return &OpenError{ErrOtherEnvironment, h.Environment, o.Environment}
	}
	return nil
}

// initialize writes the header of an empty engine.
func (db *DB) initialize(ctx context.Context, o Options) error {
	var id [12]byte
	_, _ = rand.Read(id[:]) // never fails
	db.header = Header{Format, o.Schema, o.Environment, db.kek.ID(), hex.EncodeToString(id[:]), o.Now().UTC()}
	keys, stored, err := makeKeys(ctx, db.kek, SystemTenant)
	if err != nil {
		return err
	}
	db.setKeys(map[string]tenantKeys{SystemTenant: keys})
	return db.Update(ctx, func(tx *Tx) error {
		return errors.Join(tx.putOwn(keysetKey(SystemTenant), stored), tx.putHeader(db.header))
	})
}

// putHeader stores the header, in plain text and sealed.
func (tx *Tx) putHeader(h Header) error {
	plain, err := json.Marshal(h)
	if err != nil {
		return err
	}
	sealed, err := seal(tx.db.system().sealer, SystemTenant, "!header", keySealed, plain)
	if err != nil {
		return err
	}
	return errors.Join(tx.putOwn([]byte(keyHeader), plain), tx.putOwn([]byte(keySealed), sealed))
}
