package bolt

import (
	"bytes"

	bolt "go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/store"
)

// scan walks a range. A write makes bbolt's cursor useless, so after one it
// seeks again from the last key it yielded.
type scan struct {
	tx       *tx
	from, to []byte
	reverse  bool

	cursor *bolt.Cursor
	writes int
	last   []byte
}

func (s *scan) next() (store.Entry, bool, error) {
	s.tx.broken = true
	k, v := s.move()
	s.tx.broken = false
	if k == nil || s.outside(k) {
		return store.Entry{}, false, nil
	}
	if v == nil || !s.advances(k) {
		return store.Entry{}, false, store.ErrDamaged
	}
	s.last = bytes.Clone(k)
	return store.Entry{Key: bytes.Clone(k), Value: append([]byte{}, v...)}, true, nil
}

// advances tells whether k comes after the last key, as it must.
func (s *scan) advances(k []byte) bool {
	if s.last == nil {
		return true
	}
	if s.reverse {
		return bytes.Compare(k, s.last) < 0
	}
	return bytes.Compare(k, s.last) > 0
}

func (s *scan) outside(k []byte) bool {
	if s.reverse {
		return bytes.Compare(k, s.from) < 0
	}
	return s.to != nil && bytes.Compare(k, s.to) >= 0
}

func (s *scan) move() (k, v []byte) {
	if s.cursor != nil && s.writes == s.tx.writes {
		if s.reverse {
			return s.cursor.Prev()
		}
		return s.cursor.Next()
	}
	s.cursor = s.tx.bucket.Cursor()
	s.writes = s.tx.writes
	if s.reverse {
		return s.seekBelow()
	}
	if s.last == nil {
		return s.cursor.Seek(s.from)
	}
	k, v = s.cursor.Seek(s.last)
	if bytes.Equal(k, s.last) {
		return s.cursor.Next()
	}
	return k, v
}

func (s *scan) seekBelow() (k, v []byte) {
	bound := s.to
	if s.last != nil {
		bound = s.last
	}
	if bound == nil {
		return s.cursor.Last()
	}
	if k, _ = s.cursor.Seek(bound); k == nil {
		return s.cursor.Last()
	}
	return s.cursor.Prev()
}
