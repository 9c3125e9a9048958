package mem

import (
	"bytes"
	"slices"
	"sort"
)

type pair struct{ key, value []byte }

// sorted is an ordered map that copies itself before its first change, so that the map it came from stays a snapshot.
type sorted struct {
	pairs []pair
	owned bool
}

func (s sorted) find(key []byte) (int, bool) {
	i := sort.Search(len(s.pairs), func(i int) bool { return bytes.Compare(s.pairs[i].key, key) >= 0 })
	return i, i < len(s.pairs) && bytes.Equal(s.pairs[i].key, key)
}

func (s sorted) get(key []byte) ([]byte, bool) {
	i, ok := s.find(key)
	if !ok {
		return nil, false
	}
	return s.pairs[i].value, true
}

func (s sorted) own() sorted {
	if s.owned {
		return s
	}
	return sorted{pairs: slices.Clone(s.pairs), owned: true}
}

func (s sorted) with(key, value []byte) sorted {
	s = s.own()
	i, ok := s.find(key)
	if ok {
		s.pairs[i] = pair{key, value}
	} else {
		s.pairs = slices.Insert(s.pairs, i, pair{key, value})
	}
	return s
}

func (s sorted) without(key []byte) sorted {
	i, ok := s.find(key)
	if !ok {
		return s
	}
	s = s.own()
	s.pairs = slices.Delete(s.pairs, i, i+1)
	return s
}

// first returns the lowest entry of [from, to).
func (s sorted) first(from, to []byte) (key, value []byte, ok bool) {
	i, _ := s.find(from)
	if i == len(s.pairs) || to != nil && bytes.Compare(s.pairs[i].key, to) >= 0 {
		return nil, nil, false
	}
	return s.pairs[i].key, s.pairs[i].value, true
}

// last returns the highest entry of [from, to).
func (s sorted) last(from, to []byte) (key, value []byte, ok bool) {
	i := len(s.pairs)
	if to != nil {
		i, _ = s.find(to)
	}
	if i == 0 || bytes.Compare(s.pairs[i-1].key, from) < 0 {
		return nil, nil, false
	}
	return s.pairs[i-1].key, s.pairs[i-1].value, true
}
