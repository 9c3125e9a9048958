package bolt

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"

	"github.com/bankctl/bankctl/internal/store"
)

// bbolt's pages have no checksums: a flipped bit can hide records, send a cursor round in circles or make the next
// write overwrite live data. So checkPages walks the tree on disk before bbolt opens the file.

const (
	pageHeaderSize = 16
	elementSize    = 16
	branchPage     = 0x01
	leafPage       = 0x02
	freelistPage   = 0x10
	bucketFlag     = 0x01
	noFreelist     = ^uint64(0)
)

// walker checks one file.
type walker struct {
	data []byte
	size int64
	meta
	used []bool // by page
}

func badPage(id uint64, what string) error {
	return fmt.Errorf("%w: page %d: %s", store.ErrDamaged, id, what)
}

// checkPages walks the tree of the file at path: every page occurs once, in bounds, with its keys in order and where a
// look-up finds them.
func checkPages(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	data, unmap, err := mapFile(f, info.Size())
	if err != nil {
		return err
	}
	defer unmap()
	w := &walker{data: data, size: info.Size()}
	if w.meta, err = readMeta(f); err != nil {
		return err
	}
	if w.highWater > uint64(w.size/w.pageSize) {
		return badPage(w.highWater, "lies beyond the end of the file")
	}
	w.used = make([]bool, w.highWater)
	if err := w.tree(w.root, true, nil, nil); err != nil {
		return err
	}
	return w.free()
}

// page is one page with its overflow.
type page struct {
	id    uint64
	flags uint16
	count int
	body  []byte // all bytes, header included
}

func (w *walker) read(id uint64) (page, error) {
	if id < 2 || id >= w.highWater {
		return page{}, badPage(id, "is out of bounds")
	}
	header := w.data[int64(id)*w.pageSize:]
	le := binary.LittleEndian
	overflow := uint64(le.Uint32(header[12:]))
	if le.Uint64(header) != id || overflow >= w.highWater-id {
		return page{}, badPage(id, "has a wrong header")
	}
	for i := id; i <= id+overflow; i++ {
		if w.used[i] {
			return page{}, badPage(i, "is used twice")
		}
		w.used[i] = true
	}
	return page{id, le.Uint16(header[8:]), int(le.Uint16(header[10:])), header[:int64(overflow+1)*w.pageSize]}, nil
}

// tree walks a page whose keys must lie in [low, high); nil means unbounded. top marks bbolt's tree of buckets, which
// must hold ours only.
func (w *walker) tree(id uint64, top bool, low, high []byte) error {
	p, err := w.read(id)
	if err != nil {
		return err
	}
	switch p.flags {
	case branchPage:
		return w.branch(p, top, low, high)
	case leafPage:
		return w.leaf(p, top, low, high)
	}
	return badPage(id, "is neither branch nor leaf")
}

func (w *walker) branch(p page, top bool, low, high []byte) error {
	if p.count == 0 {
		return badPage(p.id, "is an empty branch")
	}
	keys, children := make([][]byte, p.count), make([]uint64, p.count)
	for i := range p.count {
		e := p.element(i)
		if e == nil {
			return badPage(p.id, "has more elements than room")
		}
		le := binary.LittleEndian
		children[i] = le.Uint64(e[8:])
		if keys[i] = p.data(i, le.Uint32(e), le.Uint32(e[4:])); keys[i] == nil {
			return badPage(p.id, "has a key out of bounds")
		}
	}
	if err := inOrder(p.id, keys, low, high); err != nil {
		return err
	}
	for i, child := range children {
		next := high
		if i+1 < len(keys) {
			next = keys[i+1]
		}
		if err := w.tree(child, top, keys[i], next); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) leaf(p page, top bool, low, high []byte) error {
	keys := make([][]byte, p.count)
	for i := range p.count {
		e := p.element(i)
		if e == nil {
			return badPage(p.id, "has more elements than room")
		}
		le := binary.LittleEndian
		keySize := le.Uint32(e[8:])
		both := p.data(i, le.Uint32(e[4:]), keySize+le.Uint32(e[12:]))
		if both == nil || uint64(keySize) > uint64(len(both)) {
			return badPage(p.id, "has a value out of bounds")
		}
		keys[i] = both[:keySize]
		if err := w.value(p.id, top, le.Uint32(e), keys[i], both[keySize:]); err != nil {
			return err
		}
	}
	return inOrder(p.id, keys, low, high)
}

// value checks one element of a leaf. The element of our bucket leads to the bucket's tree.
func (w *walker) value(id uint64, top bool, flags uint32, key, value []byte) error {
	switch {
	case !top && flags != 0, top && (flags != bucketFlag || !bytes.Equal(key, bucketName)), top && len(value) < 16:
		return badPage(id, "holds what bankd does not write")
	case !top:
		return nil
	}
	root := binary.LittleEndian.Uint64(value)
	if root == 0 {
		return w.inline(id, value[16:])
	}
	return w.tree(root, false, nil, nil)
}

// inline checks a bucket stored inside its parent's value.
func (w *walker) inline(id uint64, body []byte) error {
	if len(body) < pageHeaderSize || binary.LittleEndian.Uint16(body[8:]) != leafPage {
		return badPage(id, "holds a broken inline bucket")
	}
	p := page{id: id, flags: leafPage, count: int(binary.LittleEndian.Uint16(body[10:])), body: body}
	return w.leaf(p, false, nil, nil)
}

// element returns the head of element i, or nil if it does not fit in the page.
func (p page) element(i int) []byte {
	at := pageHeaderSize + i*elementSize
	if at+elementSize > len(p.body) {
		return nil
	}
	return p.body[at : at+elementSize]
}

// data returns the bytes at a position counted from element i's head, or nil if they do not fit in the page.
func (p page) data(i int, position, size uint32) []byte {
	from := uint64(pageHeaderSize+i*elementSize) + uint64(position)
	to := from + uint64(size)
	if from < uint64(pageHeaderSize+p.count*elementSize) || to > uint64(len(p.body)) {
		return nil
	}
	return p.body[from:to:to]
}

func inOrder(id uint64, keys [][]byte, low, high []byte) error {
	for i, k := range keys {
		if len(k) == 0 || i > 0 && bytes.Compare(keys[i-1], k) >= 0 {
			return badPage(id, "has keys out of order")
		}
	}
	if len(keys) > 0 && (bytes.Compare(keys[0], low) < 0 || high != nil && bytes.Compare(keys[len(keys)-1], high) >= 0) {
		return badPage(id, "has keys that a look-up would miss")
	}
	return nil
}

// free checks that every page is either used or free, and none is both. Without a list of free pages, which older files
// have, all are free that are not used.
func (w *walker) free() error {
	if w.freelist == noFreelist {
		return nil
	}
	p, err := w.read(w.freelist)
	if err != nil {
		return err
	}
	if p.flags != freelistPage {
		return badPage(p.id, "is no list of free pages")
	}
	ids := p.body[pageHeaderSize:]
	count := uint64(p.count)
	if count == 0xffff {
		count, ids = binary.LittleEndian.Uint64(ids), ids[8:]
	}
	if count > uint64(len(ids)/8) {
		return badPage(p.id, "lists more free pages than it has room for")
	}
	for i := range count {
		id := binary.LittleEndian.Uint64(ids[8*i:])
		if id < 2 || id >= w.highWater || w.used[id] {
			return badPage(id, "is listed as free, though it is not")
		}
		w.used[id] = true
	}
	for id := uint64(2); id < w.highWater; id++ {
		if !w.used[id] {
			return badPage(id, "is neither used nor free")
		}
	}
	return nil
}
