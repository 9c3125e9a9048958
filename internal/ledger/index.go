package ledger

// locator is where a row is: item, segment, ordinal.
type locator uint64

// Rows are found by 26 bits of segment and 6 of ordinal, items are numbered from 1.
func locate(item, seg uint32, ordinal int) locator {
	return locator(uint64(item)<<32 | uint64(seg)<<6 | uint64(ordinal))
}

func (l locator) item() uint32 { return uint32(l >> 32) }
func (l locator) seg() uint32  { return uint32(l) >> 6 }
func (l locator) ordinal() int { return int(l & 63) }

const maxSegments = 1<<26 - 1

// index finds an item's rows by a tag of Plaid's id: open addressing, 8 bytes a place, so that a million rows stay
// small. A tag may lead to several rows, and to rows that have another id by now: who looks up compares.
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

// find yields every place, of the item of that number, that a tag leads to.
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

// tagOf is of a Plaid id: FNV-1a, its bits mixed, half of them.
func tagOf(id string) uint32 {
	h := uint64(14695981039346656037)
	for i := range len(id) {
		h = (h ^ uint64(id[i])) * 1099511628211
	}
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	return uint32(h >> 32)
}
