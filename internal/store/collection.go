package store

import (
	"encoding/json"
	"fmt"
	"iter"
)

// Collection is a named set of records of one type in every tenant.
type Collection[T any] struct{ name string }

// NewCollection names a collection. It panics unless the name is made of a-z and _.
func NewCollection[T any](name string) Collection[T] {
	if !validCollection(name) {
		panic("store: malformed collection name")
	}
	return Collection[T]{name}
}

// Record is one record of a scan.
type Record[T any] struct {
	ID    string
	Value T
}

// Range selects records: ids that start with Prefix, from From on, below To. An empty To means to the end.
type Range struct {
	Prefix, From, To string
	Reverse          bool
}

// Get returns the record of an id, or ErrNotFound.
func (c Collection[T]) Get(tx *Tx, tenant, id string) (T, error) {
	var zero T
	keys, err := tx.keys(tenant, id)
	if err != nil {
		return zero, err
	}
	stored, err := tx.raw.Get(recordKey(tenant, c.name, id))
	if err != nil {
		return zero, tx.db.noteDamage(err)
	}
	value, err := c.decode(keys, tenant, id, stored)
	return value, tx.db.noteDamage(err)
}

func (c Collection[T]) decode(keys tenantKeys, tenant, id string, stored []byte) (T, error) {
	var value T
	plain, err := open(keys.sealer, tenant, c.name, id, stored)
	if err != nil {
		return value, err
	}
	if err := json.Unmarshal(plain, &value); err != nil {
		return value, fmt.Errorf("%w: record of another form", ErrDamaged) // the cause may quote the record, so it is left out
	}
	return value, nil
}

// Put stores a record under an id, replacing any older one.
func (c Collection[T]) Put(tx *Tx, tenant, id string, value T) error {
	keys, err := tx.keys(tenant, id)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encode record of %s: %w", c.name, err)
	}
	stored, err := seal(keys.sealer, tenant, c.name, id, plain)
	if err != nil {
		return err
	}
	return tx.put(tenant, c.name, recordKey(tenant, c.name, id), stored)
}

// Delete removes a record; removing a missing one is no error.
func (c Collection[T]) Delete(tx *Tx, tenant, id string) error {
	if _, err := tx.keys(tenant, id); err != nil {
		return err
	}
	return tx.delete(tenant, c.name, recordKey(tenant, c.name, id))
}

// Scan yields the records of a range in the order of their ids, or in reverse.
func (c Collection[T]) Scan(tx *Tx, tenant string, r Range) iter.Seq2[Record[T], error] {
	return func(yield func(Record[T], error) bool) {
		keys, err := tx.tenant(tenant)
		if err != nil {
			yield(Record[T]{}, err)
			return
		}
		from, to := r.bounds(tenant, c.name)
		skip := len(recordKey(tenant, c.name, ""))
		for e, err := range tx.raw.Scan(from, to, r.Reverse) {
			var rec Record[T]
			if err == nil {
				rec.ID = string(e.Key[skip:])
				rec.Value, err = c.decode(keys, tenant, rec.ID, e.Value)
			}
			_ = tx.db.noteDamage(err)
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}

// bounds turns a range of ids into one of keys.
func (r Range) bounds(tenant, collection string) (from, to []byte) {
	from = recordKey(tenant, collection, max(r.Prefix, r.From))
	to = prefixEnd(recordKey(tenant, collection, r.Prefix))
	if r.To != "" {
		if below := recordKey(tenant, collection, r.To); string(below) < string(to) {
			to = below
		}
	}
	return from, to
}

// keys returns the tenant's keys, and refuses a malformed id.
func (tx *Tx) keys(tenant, id string) (tenantKeys, error) {
	if !ValidID(id) {
		return tenantKeys{}, ErrBadName
	}
	return tx.tenant(tenant)
}
