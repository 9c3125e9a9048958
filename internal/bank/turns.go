package bank

import (
	"sync"
	"time"
)

// turns gives each of many things its turn in the background: side by side, each one at a time, and a slow one holds up
// no other.
type turns struct {
	slots chan struct{}

	mu   sync.Mutex
	each map[string]*turn
}

type turn struct {
	due    time.Time
	failed int // in a row
	busy   bool
	again  bool // asked for while it was busy
}

func newTurns(most int) *turns {
	return &turns{slots: make(chan struct{}, most), each: map[string]*turn{}}
}

func (t *turns) get(id string) *turn {
	if t.each[id] == nil {
		t.each[id] = &turn{}
	}
	return t.each[id]
}

// begin reports whether a thing's turn has come, and begins it; end must follow.
func (t *turns) begin(id string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if n := t.get(id); n.busy || now.Before(n.due) {
		return false
	}
	select {
	case t.slots <- struct{}{}:
		t.each[id].busy = true
		return true
	default:
		return false
	}
}

// end ends a turn; rest says how long until the next, by how often in a row it has failed.
func (t *turns) end(id string, now time.Time, err error, rest func(failed int) time.Duration) {
	<-t.slots
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.get(id)
	n.busy = false
	n.failed++
	if err == nil {
		n.failed = 0
	}
	n.due = now.Add(rest(n.failed))
	if n.again {
		n.due, n.again = now, false
	}
}

// poke makes a thing due now.
func (t *turns) poke(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := t.get(id)
	n.due, n.again = time.Time{}, n.busy
}

// keep forgets all things but these.
func (t *turns) keep(ids map[string]bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, n := range t.each {
		if !ids[id] && !n.busy {
			delete(t.each, id)
		}
	}
}
