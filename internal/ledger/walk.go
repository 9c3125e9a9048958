package ledger

import (
	"errors"
	"slices"
	"sync"

	"github.com/bankctl/bankctl/internal/store"
)

// place is a selected row, and where it stands in the order of listings: newest day first, then by locator.
type place struct {
	day int32
	at  locator
	it  *item
	seg *segment
}

// walker goes through the selected rows in the order of listings: day by day, item by item, segment by segment. It
// comes to the days that the cells know of, and reads the segments that may hold rows of them.
type walker struct {
	tx     *store.Tx
	tenant string
	sel    *selection

	after *place // rows up to this one are passed over
	skip  int    // and so many; without reading them where the cells can count them

	sources []source
	around  []uint32
	spare   []*segment
}

// source is an item on the way: its next cell, counted down, and the segments read last.
type source struct {
	chosen
	next   int
	recent []recent
}

type recent struct {
	no  uint32
	seg *segment
}

// maxRecent bounds what is held of segments that span several days.
const maxRecent = 8

var errEnough = errors.New("the walk has seen enough")

// walk yields rows until it is told to stop.
func (w *walker) walk(yield func(place) (more bool, err error)) error {
	if w.after != nil {
		w.sel.to = min(w.sel.to, w.after.day)
	}
	w.sources = slices.Grow(w.sources, len(w.sel.items))[:len(w.sel.items)]
	for i, c := range w.sel.items {
		w.sources[i] = source{chosen: c, next: len(c.cells) - 1, recent: w.sources[i].recent}
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
			if err := w.rows(src, day, yield); errors.Is(err, errEnough) {
				return nil
			} else if err != nil {
				return err
			}
		}
		w.sel.to = day - 1
	}
}

// day finds the next day of which there are rows.
func (w *walker) day() (day int32, ok bool) {
	for i := range w.sources {
		src := &w.sources[i]
		for src.next >= 0 && (src.cells[src.next].day > w.sel.to || !w.sel.takes(src.chosen, src.cells[src.next].kind)) {
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
	if w.skip > 0 && w.sel.byCells() && !resumed {
		if n := w.sel.countOf(src.chosen, day, day); n <= w.skip {
			w.skip -= n
			return nil
		}
	}
	w.around = src.item.around(day, w.around[:0])
	for _, no := range w.around {
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
			if h.day != day || resumed && at >= w.after.at || !w.sel.selects(src.chosen, h) {
				continue
			}
			if ok, err := w.sel.says(seg, i); err != nil {
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
				return errEnough
			}
		}
	}
	return nil
}

// segment reads a segment's head, unless it was read for a later day.
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
	} else if n := len(w.spare); n > 0 {
		seg, w.spare = w.spare[n-1], w.spare[:n-1]
	} else {
		seg = &segment{}
	}
	if err := seg.read(w.tx, w.tenant, src.No, no); err != nil {
		return nil, err
	}
	src.recent = append(src.recent, recent{no, seg})
	return seg, nil
}

func (s *segment) read(tx *store.Tx, tenant string, item, no uint32) error {
	if err := segments.Get(tx, tenant, segmentID(item, no), &s.from); err != nil {
		return err
	}
	head, err := s.from.Head(s.head[:0])
	if err != nil {
		return err
	}
	return s.parse(head)
}

// forget leaves nothing of what was read but room for more.
func (s *segment) forget() {
	clear(s.head[:cap(s.head)])
	clear(s.body[:cap(s.body)])
	s.from.Forget()
	*s = segment{head: s.head[:0], body: s.body[:0], from: s.from}
}

func readSegment(tx *store.Tx, tenant string, item, no uint32) (*segment, error) {
	s := &segment{}
	return s, s.read(tx, tenant, item, no)
}

// walkers are used again, without what they have read.
var walkers = sync.Pool{New: func() any { return &walker{} }}

func (w *walker) release() {
	for i := range w.sources {
		src := &w.sources[i]
		for _, r := range src.recent {
			if r.seg.forget(); len(w.spare) < maxRecent {
				w.spare = append(w.spare, r.seg)
			}
		}
		clear(src.recent)
		w.sources[i] = source{recent: src.recent[:0]}
	}
	*w = walker{sources: w.sources[:0], around: w.around[:0], spare: w.spare}
	walkers.Put(w)
}
