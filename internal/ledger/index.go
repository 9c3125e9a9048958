package ledger

// locator is where a row is: item, segment, ordinal.
type locator uint64

// Rows are found by 32 bits of segment and 6 of ordinal; items are numbered from 1 in 26 bits.
func locate(item, seg uint32, ordinal int) locator {
	return locator(uint64(item)<<38 | uint64(seg)<<6 | uint64(ordinal))
}

func (l locator) item() uint32 { return uint32(l >> 38) }
func (l locator) seg() uint32  { return uint32(l >> 6) }
func (l locator) ordinal() int { return int(l & 63) }

// index finds rows by the hash of Plaid's id: open addressing, 16 bytes a place, so that a million rows stay small. A
// hash may lead to several rows, and to rows that have another id by now: who looks up compares.
type index struct {
	slots []slot
	used  int
}

type slot struct {
	hash uint64
	at   locator // 0 = free; items are numbered from 1
}

func (x *index) put(hash uint64, at locator) {
	if (x.used+1)*4 > len(x.slots)*3 {
		x.grow()
	}
	for i := hash & uint64(len(x.slots)-1); ; i = (i + 1) & uint64(len(x.slots)-1) {
		switch {
		case x.slots[i].at == 0:
			x.slots[i] = slot{hash, at}
			x.used++
			return
		case x.slots[i] == slot{hash, at}:
			return
		}
	}
}

func (x *index) grow() {
	old := x.slots
	x.slots, x.used = make([]slot, max(1024, 2*len(old))), 0
	for _, s := range old {
		if s.at != 0 {
			x.put(s.hash, s.at)
		}
	}
}

// find yields every place that a hash leads to.
func (x *index) find(hash uint64) func(yield func(locator) bool) {
	return func(yield func(locator) bool) {
		if len(x.slots) == 0 {
			return
		}
		for i := hash & uint64(len(x.slots)-1); x.slots[i].at != 0; i = (i + 1) & uint64(len(x.slots)-1) {
			if x.slots[i].hash == hash && !yield(x.slots[i].at) {
				return
			}
		}
	}
}
