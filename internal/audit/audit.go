// Package audit keeps, per tenant, the log of what was done: append-only,
// each record chained to the one before by a keyed hash, written in the same
// transaction as the deed. It leaves to its callers what is worth a record,
// and holds no numbers, names or tokens.
package audit

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/store"
)

// OK is the Outcome of a deed that was done.
const OK = "ok"

// Record says who did what to which object, and how it ended.
type Record struct {
	Seq        uint64            `json:"seq"`
	Time       time.Time         `json:"time"`
	Action     string            `json:"action"`
	Object     string            `json:"object,omitempty"` // "kind:id"
	Outcome    string            `json:"outcome"`          // OK or a fault code
	RequestID  string            `json:"request_id,omitempty"`
	ClientID   string            `json:"client_id,omitempty"`
	ClientName string            `json:"client_name,omitempty"`
	UID        *int              `json:"uid,omitempty"`       // the peer's, from the socket
	OnBehalf   string            `json:"on_behalf,omitempty"` // "company/employee"
	Details    map[string]string `json:"details,omitempty"`   // ids and reasons only
	Prev       string            `json:"prev"`                // the hash of the record before; "" for the first
	Hash       string            `json:"hash"`
}

// Head is the end of a chain. It is kept apart, so that a chain cut short shows.
type Head struct {
	Seq  uint64 `json:"seq"`
	Hash string `json:"hash"`
}

const (
	headID      = "head"
	hashPurpose = "audit chain"
)

var (
	records = store.NewCollection[Record]("audit")
	heads   = store.NewCollection[Head]("audit_head")
)

// Append adds r to the tenant's chain and returns it with its Seq, Prev and
// Hash. What r holds there is ignored.
func Append(tx *store.Tx, tenant string, r Record) (Record, error) {
	head, err := readHead(tx, tenant)
	if err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	r.Seq, r.Prev, r.Time = head.Seq+1, head.Hash, r.Time.UTC()
	if r.Hash, err = hash(tx, tenant, r); err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	if err := records.Put(tx, tenant, recordID(r.Seq), r); err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
	}
	if err := heads.Put(tx, tenant, headID, Head{r.Seq, r.Hash}); err != nil {
		return Record{}, fmt.Errorf("append audit record: %w", err)
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

// recordID is a key of fixed width, so that keys stand in the order of Seq.
func recordID(seq uint64) string { return fmt.Sprintf("%020d", seq) }

// hash chains r to r.Prev under the tenant's key. JSON is canonical here:
// fields stand in the order of the struct, map keys are sorted.
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
