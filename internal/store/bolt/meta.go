package bolt

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"

	"github.com/bankctl/bankctl/internal/store"
)

const (
	magic    = 0xED0CDAED
	metaSize = 64
)

// meta is the part of bbolt's meta page that the walk needs.
type meta struct {
	pageSize                       int64
	root, freelist, highWater, txn uint64
}

// readMeta returns the newer of the two meta pages. bbolt falls back to the older one if the newer is damaged. That is
// right after a torn write, but after a bit flip it would take back an acknowledged commit. Flipping one bit repairs a
// flip but not a torn write, which tells the two apart.
func readMeta(f io.ReaderAt) (newest meta, err error) {
	var flipped meta
	found := false
	for _, at := range []int64{0, 1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16} {
		b := make([]byte, metaSize)
		if _, err := f.ReadAt(b, at+pageHeaderSize); err != nil {
			continue
		}
		if m, ok := parseMeta(b, at); ok {
			if !found || m.txn > newest.txn {
				newest, found = m, true
			}
		} else if m, ok := repairBit(b, at); ok {
			flipped = m
		}
	}
	switch {
	case !found:
		return meta{}, fmt.Errorf("%w: no whole meta page", store.ErrDamaged)
	case flipped.txn > newest.txn:
		return meta{}, fmt.Errorf("%w: a bit of the newer meta page has flipped", store.ErrDamaged)
	}
	return newest, nil
}

func parseMeta(b []byte, at int64) (meta, bool) {
	le := binary.LittleEndian
	m := meta{
		pageSize: int64(le.Uint32(b[8:])), root: le.Uint64(b[16:]), freelist: le.Uint64(b[32:]),
		highWater: le.Uint64(b[40:]), txn: le.Uint64(b[48:]),
	}
	if le.Uint32(b) != magic || m.pageSize < 1<<9 || m.pageSize > 1<<16 || at != 0 && at != m.pageSize {
		return meta{}, false
	}
	sum := fnv.New64a()
	sum.Write(b[:56])
	return m, le.Uint64(b[56:]) == sum.Sum64()
}

// repairBit searches the one bit whose flip makes a damaged meta page valid.
func repairBit(b []byte, at int64) (meta, bool) {
	for bit := range 8 * len(b) {
		b[bit/8] ^= 1 << (bit % 8)
		m, ok := parseMeta(b, at)
		b[bit/8] ^= 1 << (bit % 8)
		if ok {
			return m, true
		}
	}
	return meta{}, false
}
