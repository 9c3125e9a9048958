// Package audit keeps each tenant's audit log: append-only, each record chained to the one before by a keyed hash,
// written in the same transaction as the event. Callers decide which events to record. Records have no account numbers,
// names or tokens.
package audit

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/trail"
)

// OK is the Outcome of an event that succeeded.
const OK = "ok"

// Package trail declares the log's types, which bankctl shares.
type (
	Record = trail.Record
	Query  = trail.Query
	Report = trail.Report
	Head   = trail.Head
)

const (
	headID      = "head"
	hashPurpose = "audit chain"
)

var (
	records = store.NewCollection[Record]("audit")
	heads   = store.NewCollection[Head]("audit_head")
)

// Append adds r to the tenant's chain and returns it with its Seq, Prev and Hash, which it sets itself.
func Append(tx *store.Tx, tenant string, r Record) (Record, error) {
	head, err := readHead(tx, tenant)
	if err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	r.Seq, r.Prev, r.Time = head.Seq+1, head.Hash, r.Time.UTC()
	if r.Hash, err = hash(tx, tenant, r); err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	if err := records.Put(tx, tenant, RecordID(r.Seq), r); err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	if err := heads.Put(tx, tenant, headID, Head{Seq: r.Seq, Hash: r.Hash}); err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	return r, nil
}

// Get reads the record with a RecordID.
func Get(tx *store.Tx, tenant, id string) (Record, error) {
	r, err := records.Get(tx, tenant, id)
	if err != nil {
		return Record{}, fmt.Errorf("read audit record: %w", err)
	}
	return r, nil
}

func readHead(tx *store.Tx, tenant string) (Head, error) {
	head, err := heads.Get(tx, tenant, headID)
	if errors.Is(err, store.ErrNotFound) {
		return Head{}, nil
	}
	return head, err
}

// RecordID is a key of fixed width, so that keys sort by Seq.
func RecordID(seq uint64) string { return fmt.Sprintf("%020d", seq) }

// hash chains r to r.Prev under the tenant's key. Its JSON is canonical: fields have the order of the struct, map keys
// are sorted.
func hash(tx *store.Tx, tenant string, r Record) (string, error) {
	r.Hash = ""
	text, err := json.Marshal(r)
	if err != nil {
		return "", err
	}
	sum, err := tx.Digest(tenant, hashPurpose, []byte(r.Prev), text)
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(sum[:]), nil
}
