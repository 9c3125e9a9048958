package store

import (
	"encoding/binary"
	"fmt"
	"iter"

	"github.com/bankctl/bankctl/internal/vault"
)

// Blobs is a named set of values in two parts: a small head that can be read alone, and a body. Both are sealed, bound
// to their place and to each other, and counted in the manifest like a record.
type Blobs struct{ name string }

// NewBlobs names a set. It panics unless the name is made of a-z and _.
func NewBlobs(name string) Blobs {
	if !validCollection(name) {
		panic("store: malformed collection name")
	}
	return Blobs{name}
}

// Blob is a stored value. It is valid until its transaction writes or ends.
type Blob struct {
	db               *DB
	sealer           *vault.Sealer
	tenant, name, id string
	stored           []byte
	scratch          []byte // buffer for keys and associated data
}

// Get finds the value of an id, or ErrNotFound, and decrypts nothing yet. b may be reused for another value.
func (c Blobs) Get(tx *Tx, tenant, id string, b *Blob) error {
	keys, err := tx.keys(tenant, id)
	if err != nil {
		return err
	}
	scratch := appendRecordKey(b.scratch[:0], tenant, c.name, id)
	stored, err := tx.raw.Peek(scratch)
	*b = Blob{tx.db, keys.sealer, tenant, c.name, id, stored, scratch}
	return err
}

// Reset drops the value and keeps the buffers.
func (b *Blob) Reset() { *b = Blob{scratch: b.scratch} }

// Head appends the decrypted head to dst.
func (b *Blob) Head(dst []byte) ([]byte, error) {
	head, _, err := splitParts(b.stored)
	if err != nil {
		return dst, err
	}
	b.scratch = appendHeadAAD(b.scratch[:0], b.tenant, b.name, b.id)
	return b.append(dst, head)
}

// Body appends the decrypted body to dst.
func (b *Blob) Body(dst []byte) ([]byte, error) {
	head, body, err := splitParts(b.stored)
	if err != nil {
		return dst, err
	}
	b.scratch = appendBodyAAD(b.scratch[:0], b.tenant, b.name, b.id, head)
	return b.append(dst, body)
}

// append decrypts a part whose associated data is in scratch.
func (b *Blob) append(dst, part []byte) ([]byte, error) {
	plain, err := appendPart(dst, b.sealer, part, b.scratch)
	return plain, b.db.noteDamage(err)
}

// Put stores a value under an id, replacing any older one.
func (c Blobs) Put(tx *Tx, tenant, id string, head, body []byte) error {
	keys, err := tx.keys(tenant, id)
	if err != nil {
		return err
	}
	stored, err := sealParts(keys.sealer, tenant, c.name, id, head, body)
	if err != nil {
		return err
	}
	return tx.put(tenant, c.name, recordKey(tenant, c.name, id), stored)
}

// Delete removes a value; removing a missing one is no error.
func (c Blobs) Delete(tx *Tx, tenant, id string) error {
	if _, err := tx.keys(tenant, id); err != nil {
		return err
	}
	return tx.delete(tenant, c.name, recordKey(tenant, c.name, id))
}

// Heads yields the heads of a range in the order of their ids. Do not write while it runs.
func (c Blobs) Heads(tx *Tx, tenant string, r Range) iter.Seq2[Record[[]byte], error] {
	return func(yield func(Record[[]byte], error) bool) {
		keys, err := tx.tenant(tenant)
		if err != nil {
			yield(Record[[]byte]{}, err)
			return
		}
		from, to := r.bounds(tenant, c.name)
		skip := len(recordKey(tenant, c.name, ""))
		for e, err := range tx.raw.PeekRange(from, to) {
			var rec Record[[]byte]
			if err == nil {
				rec.ID = string(e.Key[skip:])
				rec.Value, err = openHead(keys.sealer, tenant, c.name, rec.ID, e.Value)
			}
			_ = tx.db.noteDamage(err)
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// A stored blob is a format byte, the length of its sealed head in 4 bytes, the sealed head, the sealed body. The tag
// at the end of the sealed head is part of the body's associated data, so head and body of two writes do not open
// together.
const (
	partsFormat = 2
	partsLead   = 1 + 4
	tagSize     = 16
)

const partsMark = string(rune(partsFormat))

func appendHeadAAD(dst []byte, tenant, collection, id string) []byte {
	return vault.AppendBind(dst, "bankd/1 blob head", tenant, collection, id, partsMark)
}

func appendBodyAAD(dst []byte, tenant, collection, id string, head []byte) []byte {
	return vault.AppendBind(dst, "bankd/1 blob body", tenant, collection, id, partsMark, string(head[max(0, len(head)-tagSize):]))
}

func headAAD(tenant, collection, id string) []byte { return appendHeadAAD(nil, tenant, collection, id) }

func bodyAAD(tenant, collection, id string, head []byte) []byte {
	return appendBodyAAD(nil, tenant, collection, id, head)
}

func sealParts(s *vault.Sealer, tenant, collection, id string, head, body []byte) ([]byte, error) {
	first, err := sealValue(s, head, headAAD(tenant, collection, id))
	if err != nil {
		return nil, fmt.Errorf("seal value: %w", err)
	}
	second, err := sealValue(s, body, bodyAAD(tenant, collection, id, first))
	if err != nil {
		return nil, fmt.Errorf("seal value: %w", err)
	}
	out := make([]byte, 0, partsLead+len(first)+len(second))
	out = binary.BigEndian.AppendUint32(append(out, storedInParts), uint32(len(first)))
	return append(append(out, first...), second...), nil
}

func splitParts(stored []byte) (head, body []byte, err error) {
	if len(stored) < partsLead || stored[0] != storedInParts {
		return nil, nil, fmt.Errorf("%w: value of an unknown format", ErrDamaged)
	}
	n, rest := binary.BigEndian.Uint32(stored[1:]), stored[partsLead:]
	if uint64(n) > uint64(len(rest)) {
		return nil, nil, fmt.Errorf("%w: value of an unknown format", ErrDamaged)
	}
	return rest[:n], rest[n:], nil
}

func openHead(s *vault.Sealer, tenant, collection, id string, stored []byte) ([]byte, error) {
	head, _, err := splitParts(stored)
	if err != nil {
		return nil, err
	}
	return openPart(s, head, headAAD(tenant, collection, id))
}

func openBody(s *vault.Sealer, tenant, collection, id string, stored []byte) ([]byte, error) {
	head, body, err := splitParts(stored)
	if err != nil {
		return nil, err
	}
	return openPart(s, body, bodyAAD(tenant, collection, id, head))
}

func openPart(s *vault.Sealer, sealed, aad []byte) ([]byte, error) {
	return appendPart(nil, s, sealed, aad)
}

func appendPart(dst []byte, s *vault.Sealer, sealed, aad []byte) ([]byte, error) {
	plain, err := appendOpened(dst, s, sealed, aad)
	if err != nil {
		return dst, fmt.Errorf("%w: value does not fit its place or key", ErrDamaged)
	}
	return plain, nil
}

// checkOpens checks that a stored value, of a record or a blob, decrypts in its place.
func checkOpens(s *vault.Sealer, tenant, collection, id string, stored []byte) error {
	if len(stored) == 0 || stored[0] != storedInParts {
		_, err := open(s, tenant, collection, id, stored)
		return err
	}
	if _, err := openHead(s, tenant, collection, id, stored); err != nil {
		return err
	}
	_, err := openBody(s, tenant, collection, id, stored)
	return err
}
