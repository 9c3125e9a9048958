package ledger

import "math/bits"

// locator is the place of a row: item, segment, ordinal.
type locator uint64

// locate packs 26 bits of segment and 6 of ordinal; items are numbered from 1.
func locate(item, seg uint32, ordinal int) locator {
	return locator(uint64(item)<<32 | uint64(seg)<<6 | uint64(ordinal))
}

func (l locator) item() uint32    { return uint32(l >> 32) }
func (l locator) segment() uint32 { return uint32(l) >> 6 }
func (l locator) ordinal() int    { return int(l & 63) }

const maxSegments = 1<<26 - 1

// index finds an item's rows by a tag of Plaid's id: open addressing, 8 bytes a slot, so that a million rows stay
// small. A tag may lead to several rows, or to a row that has another id by now, so callers compare the id itself.
type index struct {
	slots []uint64 // tag, then segment and ordinal plus one; 0 = free
	used  int
}

// reserve makes room for n rows.
func (x *index) reserve(n int) {
	if want := n + n/3 + 8; want > len(x.slots) {
		x.resize(want)
	}
}

func (x *index) put(tag uint32, at locator) {
	if (x.used+1)*5 > len(x.slots)*4 {
		x.resize(max(64, len(x.slots)+len(x.slots)/2))
	}
	x.insert(uint64(tag)<<32 | uint64(uint32(at)+1))
}

func (x *index) insert(entry uint64) {
	for i := x.start(uint32(entry >> 32)); ; i++ {
		if i == len(x.slots) {
			i = 0
		}
		switch x.slots[i] {
		case 0:
			x.slots[i] = entry
			x.used++
			return
		case entry:
			return
		}
	}
}

// takeIn adds all that another index holds.
func (x *index) takeIn(other *index) {
	x.reserve(x.used + other.used)
	for _, entry := range other.slots {
		if entry != 0 {
			x.put(uint32(entry>>32), locator(uint32(entry)-1))
		}
	}
}

func (x *index) start(tag uint32) int { return int(uint64(tag) * uint64(len(x.slots)) >> 32) }

func (x *index) resize(n int) {
	old := x.slots
	x.slots, x.used = make([]uint64, n), 0
	for _, entry := range old {
		if entry != 0 {
			x.insert(entry)
		}
	}
}

// has reports whether some row has a tag.
func (x *index) has(tag uint32) bool {
	for range x.find(0, tag) {
		return true
	}
	return false
}

// find yields the place of every row with a tag, in the item of that number.
func (x *index) find(item uint32, tag uint32) func(yield func(locator) bool) {
	return func(yield func(locator) bool) {
		if len(x.slots) == 0 {
			return
		}
		for i := x.start(tag); ; i++ {
			if i == len(x.slots) {
				i = 0
			}
			entry := x.slots[i]
			if entry == 0 || uint32(entry>>32) == tag && !yield(locator(uint64(item)<<32|uint64(uint32(entry)-1))) {
				return
			}
		}
	}
}

// tagOf hashes a Plaid id. Segments store the tag: to change the function is to change the segments' version.
func tagOf(id string) uint32 {
	const p1, p2 = 0x9e3779b185ebca87, 0xc2b2ae3d27d4eb4f
	h := uint64(len(id)) * p1
	for ; len(id) >= 8; id = id[8:] {
		h = bits.RotateLeft64(h^first8(id)*p2, 27) * p1
	}
	for i := range len(id) {
		h = bits.RotateLeft64(h^uint64(id[i])*p2, 11) * p1
	}
	h = (h ^ h>>33) * p2
	return uint32((h ^ h>>29) >> 16)
}

func first8(s string) uint64 {
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
