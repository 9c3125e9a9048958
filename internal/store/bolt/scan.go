package bolt

import (
	"bytes"

	bolt "go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/store"
)

// maxEmptyPages ends a walk that would be endless in a damaged file.
const maxEmptyPages = 1 << 22

// scan walks a range. A write invalidates bbolt's cursor, so after one the scan seeks from the last key it yielded.
type scan struct {
	tx       *tx
	from, to []byte
	reverse  bool

	cursor *bolt.Cursor
	writes int
	last   []byte
	lowest []byte // the lowest key, for reverse scans
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

// advances reports whether k comes after the last key, as it must.
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
	if s.cursor == nil || s.writes != s.tx.writes {
		return s.seek()
	}
	if s.reverse {
		return s.prev()
	}
	return s.cursor.Next()
}

func (s *scan) seek() (k, v []byte) {
	s.cursor = s.tx.bucket.Cursor()
	s.writes = s.tx.writes
	if s.reverse {
		k, _ = s.cursor.First()
		s.lowest = bytes.Clone(k)
		s.cursor.Seek(s.upperBound())
		return s.prev()
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

// upperBound is the key that the next key of a reverse scan must be below.
func (s *scan) upperBound() []byte {
	switch {
	case s.last != nil:
		return s.last
	case s.to != nil:
		return s.to
	}
	return bytes.Repeat([]byte{0xff}, s.tx.limits.MaxKey+1)
}

// prev steps to the next lower key. Deletions in the same bbolt transaction leave empty pages, where bbolt's Prev stops
// as if at the start, and its Last never returns if every page is empty. So prev repeats Prev until it passes them, and
// does not use Last.
func (s *scan) prev() (k, v []byte) {
	if s.lowest == nil || bytes.Compare(s.lowest, s.upperBound()) >= 0 {
		return nil, nil
	}
	for range maxEmptyPages {
		if k, v = s.cursor.Prev(); k != nil {
			return k, v
		}
	}
	return s.lowest, nil // without a value: this is damage
}
