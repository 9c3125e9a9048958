package mem

import (
	"bytes"
	"iter"

	"github.com/bankctl/bankctl/internal/store"
)

type tx struct {
	limits   store.Limits
	data     sorted
	readOnly bool
	done     bool
}

func (t *tx) end() { t.done = true }

func (t *tx) Get(key []byte) ([]byte, error) {
	v, err := t.Peek(key)
	return bytes.Clone(v), err
}

func (t *tx) Peek(key []byte) ([]byte, error) {
	if t.done {
		return nil, store.ErrTxDone
	}
	if err := t.limits.CheckKey(key); err != nil {
		return nil, err
	}
	v, ok := t.data.get(key)
	if !ok {
		return nil, store.ErrNotFound
	}
	return v, nil
}

func (t *tx) Put(key, value []byte) error {
	if err := t.writable(); err != nil {
		return err
	}
	if err := t.limits.CheckPut(key, value); err != nil {
		return err
	}
	t.data = t.data.with(bytes.Clone(key), append([]byte{}, value...))
	return nil
}

func (t *tx) Delete(key []byte) error {
	if err := t.writable(); err != nil {
		return err
	}
	if err := t.limits.CheckKey(key); err != nil {
		return err
	}
	t.data = t.data.without(key)
	return nil
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

func (t *tx) Scan(from, to []byte, reverse bool) iter.Seq2[store.Entry, error] {
	return func(yield func(store.Entry, error) bool) {
		lo, hi := bytes.Clone(from), bytes.Clone(to)
		for {
			if t.done {
				yield(store.Entry{}, store.ErrTxDone)
				return
			}
			key, value, ok := t.data.first(lo, hi)
			if reverse {
				key, value, ok = t.data.last(lo, hi)
			}
			if !ok || !yield(store.Entry{Key: bytes.Clone(key), Value: bytes.Clone(value)}, nil) {
				return
			}
			if reverse {
				hi = bytes.Clone(key)
			} else {
				lo = append(bytes.Clone(key), 0)
			}
		}
	}
}

// PeekRange copies all the same, since tests may change what they get.
func (t *tx) PeekRange(from, to []byte) iter.Seq2[store.Entry, error] { return t.Scan(from, to, false) }
