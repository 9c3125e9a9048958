package store

import "iter"

// Blobs is a named set of values that are bytes already: sealed, bound to their place and counted in the manifest as
// every record is.
type Blobs struct{ name string }

// NewBlobs names a set. It panics unless the name is made of a-z and _.
func NewBlobs(name string) Blobs {
	if !validCollection(name) {
		panic("store: malformed collection name")
	}
	return Blobs{name}
}

// Get returns the value of an id, or ErrNotFound.
func (c Blobs) Get(tx *Tx, tenant, id string) ([]byte, error) {
	keys, err := tx.keys(tenant, id)
	if err != nil {
		return nil, err
	}
	stored, err := tx.raw.Get(recordKey(tenant, c.name, id))
	if err != nil {
		return nil, err
	}
	return open(keys.sealer, tenant, c.name, id, stored)
}

// Put stores a value in place of the one of that id, if there is one.
func (c Blobs) Put(tx *Tx, tenant, id string, value []byte) error {
	keys, err := tx.keys(tenant, id)
	if err != nil {
		return err
	}
	stored, err := seal(keys.sealer, tenant, c.name, id, value)
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

// Scan yields the values of a range in the order of their ids, or backwards.
func (c Blobs) Scan(tx *Tx, tenant string, r Range) iter.Seq2[Record[[]byte], error] {
	return func(yield func(Record[[]byte], error) bool) {
		keys, err := tx.db.tenant(tenant)
		if err != nil {
			yield(Record[[]byte]{}, err)
			return
		}
		from, to := r.bounds(tenant, c.name)
		skip := len(recordKey(tenant, c.name, ""))
		for e, err := range tx.raw.Scan(from, to, r.Reverse) {
			var rec Record[[]byte]
			if err == nil {
				rec.ID = string(e.Key[skip:])
				rec.Value, err = open(keys.sealer, tenant, c.name, rec.ID, e.Value)
			}
			if !yield(rec, err) || err != nil {
				return
			}
		}
	}
}
