// Package audit keeps each tenant's audit log: append-only, each record chained to the one before by a keyed hash,
// written in the same transaction as the event. A tenant has one chain a lane of the store: one, unless several processes
// write the store. Every record names the ends of the other chains that its writer had seen, so that a lane which was cut
// off shows. Callers decide which events to record. Records have no account numbers,
// names or tokens.
package audit

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

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
	headID      = "head" // of the store's own lane
	hashPurpose = "audit chain"
)

var (
	records = store.NewCollection[Record]("audit")
	heads   = store.NewCollection[Head]("audit_head")
)

// Append adds r to the tenant's chain in the store's lane and returns it with its Lane, Seq, Others, Prev and Hash, which
// it sets itself.
func Append(tx *store.Tx, tenant string, r Record) (Record, error) {
	lane := tx.Lane()
	head, err := readHead(tx, tenant, lane)
	if err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	r.Lane, r.Seq, r.Prev, r.Time, r.Others = lane, head.Seq+1, head.Hash, r.Time.UTC(), nil
	if lane == store.OwnLane {
		r.Lane = ""
	} else if r.Others, err = otherHeads(tx, tenant, lane); err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	if r.Hash, err = hash(tx, tenant, r); err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	if err := records.Put(tx, tenant, RecordID(lane, r.Seq), r); err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	if err := heads.Put(tx, tenant, idOfHead(lane), Head{Seq: r.Seq, Hash: r.Hash}); err != nil {
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

func readHead(tx *store.Tx, tenant, lane string) (Head, error) {
	head, err := heads.Get(tx, tenant, idOfHead(lane))
	if errors.Is(err, store.ErrNotFound) {
		return Head{}, nil
	}
	return head, err
}

// Heads returns the ends of the tenant's chains, by lane.
func Heads(tx *store.Tx, tenant string) (map[string]Head, error) {
	found := map[string]Head{}
	for rec, err := range heads.Scan(tx, tenant, store.Range{}) {
		if err != nil {
			return nil, fmt.Errorf("read audit heads: %w", err)
		}
		lane, ok := strings.CutPrefix(rec.ID, headID+".")
		if !ok {
			lane = store.OwnLane
		}
		found[lane] = rec.Value
	}
	return found, nil
}

func otherHeads(tx *store.Tx, tenant, lane string) (map[string]Head, error) {
	found, err := Heads(tx, tenant)
	delete(found, lane)
	return found, err
}

func idOfHead(lane string) string {
	if lane == store.OwnLane {
		return headID
	}
	return headID + "." + lane
}

// RecordID is the key of a record. Its number has a fixed width, so that the keys of a lane sort by Seq.
func RecordID(lane string, seq uint64) string {
	id := fmt.Sprintf("%020d", seq)
	if lane == store.OwnLane || lane == "" {
		return id
	}
	return lanePrefix(lane) + id
}

// lanePrefix sorts the other lanes' records behind those of the store's own, whose keys begin with a digit.
func lanePrefix(lane string) string { return "lane-" + lane + "." }

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
