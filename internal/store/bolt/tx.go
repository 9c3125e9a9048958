package bolt

import (
	"bytes"
	"iter"

	bolt "go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/store"
)

// tx is one update or view. Its bbolt transaction may be shared with others, so it keeps a log to undo its own writes.
type tx struct {
	limits   store.Limits
	bucket   *bolt.Bucket
	readOnly bool
	done     bool

	cursor *bolt.Cursor // for reads; valid until the next write

	log    []change
	bytes  int
	writes int  // counts changes; a scan compares it to notice writes
	broken bool // true while inside bbolt; a panic there leaves it true
}

// change is the value of a key before a write.
type change struct {
	key, old []byte
	existed  bool
}

func (t *tx) end() { t.done = true }

func (t *tx) Get(key []byte) ([]byte, error) {
	v, err := t.Peek(key)
	if err != nil {
		return nil, err
	}
	return append([]byte{}, v...), nil
}

// Peek returns bytes of the mapped file, valid until the transaction ends.
func (t *tx) Peek(key []byte) ([]byte, error) {
	if t.done {
		return nil, store.ErrTxDone
	}
	if err := t.limits.CheckKey(key); err != nil {
		return nil, err
	}
	v := t.get(key)
	if v == nil {
		return nil, store.ErrNotFound
	}
	return v, nil
}

func (t *tx) get(key []byte) []byte {
	t.broken = true
	v := t.find(key)
	t.broken = false
	return v
}

// find is bbolt's Get with one shared cursor; bbolt makes a cursor for each key.
func (t *tx) find(key []byte) []byte {
	if !t.readOnly {
		return t.bucket.Get(key)
	}
	if t.cursor == nil {
		t.cursor = t.bucket.Cursor()
	}
	if k, v := t.cursor.Seek(key); bytes.Equal(k, key) {
		return v
	}
	return nil
}

func (t *tx) Put(key, value []byte) error {
	if err := t.writable(); err != nil {
		return err
	}
	if err := t.limits.CheckPut(key, value); err != nil {
		return err
	}
	t.remember(key)
	t.bytes += len(key) + len(value)
	return t.put(bytes.Clone(key), append([]byte{}, value...))
}

func (t *tx) Delete(key []byte) error {
	if err := t.writable(); err != nil {
		return err
	}
	if err := t.limits.CheckKey(key); err != nil {
		return err
	}
	if t.get(key) == nil {
		return nil
	}
	t.remember(key)
	return t.delete(key)
}

func (t *tx) writable() error {
	switch {
	case t.done:
		return store.ErrTxDone
	case t.readOnly:
		return store.ErrReadOnly
	}
	return nil
}

func (t *tx) remember(key []byte) {
	old := t.get(key)
	t.log = append(t.log, change{key: bytes.Clone(key), old: append([]byte{}, old...), existed: old != nil})
	t.writes++
}

func (t *tx) put(key, value []byte) error {
	t.broken = true
	err := t.bucket.Put(key, value)
	t.broken = err != nil
	return err
}

func (t *tx) delete(key []byte) error {
	t.broken = true
	err := t.bucket.Delete(key)
	t.broken = err != nil
	return err
}

// undo takes back the update's writes, so that its group can go on.
func (t *tx) undo() (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = store.ErrDamaged
		}
	}()
	for i := len(t.log) - 1; i >= 0; i-- {
		c := t.log[i]
		if c.existed {
			err = t.put(c.key, c.old)
		} else {
			err = t.delete(c.key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Scan refuses keys out of order: a damaged page could yield keys without end.
func (t *tx) Scan(from, to []byte, reverse bool) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		s := scan{tx: t, from: bytes.Clone(from), to: bytes.Clone(to), reverse: reverse}
		for {
			if t.done {
				yield(store.Entry{}, store.ErrTxDone)
				return
			}
			entry, ok, err := s.next()
			if err != nil {
				yield(store.Entry{}, err)
				return
			}
			if !ok || !yield(entry, nil) {
				return
			}
		}
	}
}

// PeekRange walks the mapped file, so that values the caller skips are not read.
func (t *tx) PeekRange(from, to []byte) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		var last []byte
		cursor := t.bucket.Cursor()
		for first := true; ; first = false {
			if t.done {
				yield(store.Entry{}, store.ErrTxDone)
				return
			}
			t.broken = true
			k, v := t.step(cursor, first, from)
			t.broken = false
			if k == nil || to != nil && bytes.Compare(k, to) >= 0 {
				return
			}
			if v == nil || !first && bytes.Compare(k, last) <= 0 {
				yield(store.Entry{}, store.ErrDamaged)
				return
			}
			last = append(last[:0], k...)
			if !yield(store.Entry{Key: k, Value: v}, nil) {
				return
			}
		}
	}
}

func (t *tx) step(cursor *bolt.Cursor, first bool, from []byte) (k, v []byte) {
	if first {
		return cursor.Seek(from)
	}
	return cursor.Next()
}
