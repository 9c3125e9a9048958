package bank

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/bankctl/bankctl/internal/plaid"
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

// inTurns gives each connection of a list its turn, again and again until ctx ends. What a list cannot be had for, the
// store says where it matters.
func (b *Bank) inTurns(ctx context.Context, t *turns, list func(context.Context) ([]tenantConnection, error), take func(context.Context, tenantConnection)) {
	var running sync.WaitGroup
	defer running.Wait()
	tick := time.NewTicker(b.lookEvery())
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		all, err := list(ctx)
		if err != nil {
			continue
		}
		ids := map[string]bool{}
		for _, tc := range all {
			ids[tc.conn.ID] = true
			if t.begin(tc.conn.ID, b.now()) {
				running.Go(func() { take(ctx, tc) })
			}
		}
		t.keep(ids)
	}
}

// spread adds up to a quarter, so that connections linked together do not ask together; the simulator's time is quick.
func (b *Bank) spread(rest time.Duration) time.Duration {
	if b.simulated() {
		rest /= 20
	}
	return rest + rand.N(rest/4+1)
}

func (b *Bank) simulated() bool { return b.plaid.Environment() == plaid.Simulated }

// lookEvery is how often background work looks for what is due.
func (b *Bank) lookEvery() time.Duration {
	if b.simulated() {
		return 500 * time.Millisecond
	}
	return 5 * time.Second
}
