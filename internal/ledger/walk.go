package ledger

import (
	"errors"
	"slices"
	"sync"

	"github.com/bankctl/bankctl/internal/store"
)

// place is a selected row with its position in listings: newest day first, then by locator.
type place struct {
	day int32
	at  locator
	it  *item
	seg *segment
}

// walker goes through the selected rows in the order of listings: day by day, item by item, segment by segment. The
// cells tell it the days, and it reads only segments that may hold rows of them.
type walker struct {
	tx     *store.Tx
	tenant string
	sel    *selection

	after *place // skip all rows up to and including this one
	skip  int    // skip so many more; the cells count them where they can, without reading rows

	sources  []source
	segments []uint32
	reuse    []*segment
}

// source is the walker's position in one item: the next cell, counted down, and the segments read last.
type source struct {
	selectedItem
	next   int
	recent []recent
}

type recent struct {
	no  uint32
	seg *segment
}

// maxRecent bounds the segments that a source keeps because they span several days.
const maxRecent = 8

var errStop = errors.New("walk stopped")

// walk yields rows until yield returns false.
func (w *walker) walk(yield func(place) (more bool, err error)) error {
	if w.after != nil {
		w.sel.to = min(w.sel.to, w.after.day)
	}
	w.sources = slices.Grow(w.sources, len(w.sel.items))[:len(w.sel.items)]
	for i, c := range w.sel.items {
		w.sources[i] = source{selectedItem: c, next: len(c.cells) - 1, recent: w.sources[i].recent}
		if end := int64(w.sel.to) + 1; end <= int64(1<<31-1) {
			w.sources[i].next = c.firstFrom(int32(end)) - 1
		}
	}
	for {
		day, ok := w.day()
		if !ok {
			return nil
		}
		for i := range w.sources {
			src := &w.sources[i]
			if !src.has(day) {
				continue
			}
			if err := w.rows(src, day, yield); errors.Is(err, errStop) {
				return nil
			} else if err != nil {
				return err
			}
		}
		w.sel.to = day - 1
	}
}

// day finds the next day that has rows.
func (w *walker) day() (day int32, ok bool) {
	for i := range w.sources {
		src := &w.sources[i]
		for src.next >= 0 && (src.cells[src.next].day > w.sel.to || !w.sel.matchesKind(src.selectedItem, src.cells[src.next].kind)) {
			src.next--
		}
		if src.next >= 0 && src.cells[src.next].day >= w.sel.from && (!ok || src.cells[src.next].day > day) {
			day, ok = src.cells[src.next].day, true
		}
	}
	return day, ok
}

func (s *source) has(day int32) bool { return s.next >= 0 && s.cells[s.next].day == day }

// rows yields one item's rows of a day.
func (w *walker) rows(src *source, day int32, yield func(place) (bool, error)) error {
	resumed := w.after != nil && w.after.day == day
	if resumed && src.No > w.after.at.item() {
		return nil
	}
	if w.skip > 0 && w.sel.cellsSuffice() && !resumed {
		if n := w.sel.countOf(src.selectedItem, day, day); n <= w.skip {
			w.skip -= n
			return nil
		}
	}
	w.segments = src.item.segmentsOn(day, w.segments[:0])
	for _, no := range w.segments {
		if resumed && locate(src.No, no, 0) >= w.after.at {
			continue
		}
		seg, err := w.segment(src, no)
		if err != nil {
			return err
		}
		for i := seg.n - 1; i >= 0; i-- {
			at := locate(src.No, no, i)
			h := seg.header(i)
			if h.day != day || resumed && at >= w.after.at || !w.sel.matchesHeader(src.selectedItem, h) {
				continue
			}
			if ok, err := w.sel.matchesText(seg, i); err != nil {
				return err
			} else if !ok {
				continue
			}
			if w.skip > 0 {
				w.skip--
				continue
			}
			if more, err := yield(place{day, at, src.item, seg}); err != nil {
				return err
			} else if !more {
				return errStop
			}
		}
	}
	return nil
}

// segment reads a segment's head, or returns it if a later day's walk has read it already.
func (w *walker) segment(src *source, no uint32) (*segment, error) {
	for _, r := range src.recent {
		if r.no == no {
			return r.seg, nil
		}
	}
	var seg *segment
	if len(src.recent) == maxRecent {
		seg = src.recent[0].seg
		src.recent = slices.Delete(src.recent, 0, 1)
	} else if n := len(w.reuse); n > 0 {
		seg, w.reuse = w.reuse[n-1], w.reuse[:n-1]
	} else {
		seg = &segment{}
	}
	if err := seg.read(w.tx, w.tenant, src.item, no); err != nil {
		return nil, err
	}
	src.recent = append(src.recent, recent{no, seg})
	return seg, nil
}

func (s *segment) read(tx *store.Tx, tenant string, it *item, no uint32) error {
	from := segments
	if it.staged[no] {
		from = staged
	}
	if err := from.Get(tx, tenant, segmentID(it.No, no), &s.from); err != nil {
		return err
	}
	head, err := s.from.Head(s.head[:0])
	if err != nil {
		return err
	}
	return s.parse(head)
}

// reset drops the contents and keeps the buffers.
func (s *segment) reset() {
	clear(s.head[:cap(s.head)])
	clear(s.body[:cap(s.body)])
	s.from.Reset()
	*s = segment{head: s.head[:0], body: s.body[:0], from: s.from}
}

func readSegment(tx *store.Tx, tenant string, it *item, no uint32) (*segment, error) {
	s := &segment{}
	return s, s.read(tx, tenant, it, no)
}

// walkers recycles walkers; each is reset before it goes back.
var walkers = sync.Pool{New: func() any { return &walker{} }}

func (w *walker) release() {
	for i := range w.sources {
		src := &w.sources[i]
		for _, r := range src.recent {
			if r.seg.reset(); len(w.reuse) < maxRecent {
				w.reuse = append(w.reuse, r.seg)
			}
		}
		clear(src.recent)
		w.sources[i] = source{recent: src.recent[:0]}
	}
	*w = walker{sources: w.sources[:0], segments: w.segments[:0], reuse: w.reuse}
	walkers.Put(w)
}
