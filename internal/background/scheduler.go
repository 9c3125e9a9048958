package background

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// Task is one thing that gets its turn again and again.
type Task struct {
	ID string
	// Rest is how long the thing rests after a turn, by how often in a row it has failed. It is asked at every look, so it
	// may follow the thing's state. The scheduler adds up to a quarter, so that what began together does not go on together.
	Rest func(failed int) time.Duration
	// Rested says that the thing had its turn just before the start: the first one here comes after a rest.
	Rested bool
	// Do is the turn.
	Do func(ctx context.Context) error
}

// Scheduler gives each of many things its turn: side by side, each one at a time, so that a slow one holds up no other.
type Scheduler struct {
	now   func() time.Time
	slots chan struct{}
	wake  chan struct{}

	mu    sync.Mutex
	tasks map[string]*turn
}

type turn struct {
	ended  time.Time // zero = none was taken yet
	jitter float64   // the part of a quarter of its rest that is added to it
	failed int       // in a row
	busy   bool
	due    bool // asked for by Poke
}

// NewScheduler makes one that takes at most so many turns at once.
func NewScheduler(most int, now func() time.Time) *Scheduler {
	return &Scheduler{now: now, slots: make(chan struct{}, most), wake: make(chan struct{}, 1), tasks: map[string]*turn{}}
}

// Run takes turns until ctx ends: it lists the tasks every so often, and after a Poke. A list that fails is asked for
// again at the next look.
func (s *Scheduler) Run(ctx context.Context, every time.Duration, list func(context.Context) ([]Task, error)) {
	var running sync.WaitGroup
	defer running.Wait()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.wake:
		}
		tasks, err := list(ctx)
		if err != nil {
			continue
		}
		listed := make(map[string]bool, len(tasks))
		for _, t := range tasks {
			listed[t.ID] = true
			if s.begin(t) {
				running.Go(func() { s.take(ctx, t) })
			}
		}
		s.forgetOthers(listed)
	}
}

// Poke makes a thing's turn come now; one that is taken just then is followed by another.
func (s *Scheduler) Poke(id string) {
	s.mu.Lock()
	s.get(id).due = true
	s.mu.Unlock()
	s.wakeUp()
}

func (s *Scheduler) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Scheduler) get(id string) *turn {
	t := s.tasks[id]
	if t == nil {
		t = &turn{jitter: rand.Float64()}
		s.tasks[id] = t
	}
	return t
}

// begin reports whether a task's turn has come; end must follow.
func (s *Scheduler) begin(task Task) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, now := s.get(task.ID), s.now()
	if t.busy {
		return false
	}
	if t.ended.IsZero() && task.Rested && !t.due {
		t.ended = now
	}
	if !t.due && !t.ended.IsZero() {
		rest := task.Rest(t.failed)
		if now.Sub(t.ended) < rest+time.Duration(t.jitter*float64(rest/4)) {
			return false
		}
	}
	t.busy, t.due = true, false
	return true
}

// take waits for a slot and takes the turn.
func (s *Scheduler) take(ctx context.Context, task Task) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		s.end(task.ID, task.Do(ctx))
	case <-ctx.Done():
		s.end(task.ID, ctx.Err())
	}
}

func (s *Scheduler) end(id string, err error) {
	s.mu.Lock()
	t := s.get(id)
	t.busy, t.ended, t.jitter = false, s.now(), rand.Float64()
	t.failed++
	if err == nil {
		t.failed = 0
	}
	due := t.due
	s.mu.Unlock()
	if due {
		s.wakeUp()
	}
}

// forgetOthers drops what is not listed any more.
func (s *Scheduler) forgetOthers(listed map[string]bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, t := range s.tasks {
		if !listed[id] && !t.busy {
			delete(s.tasks, id)
		}
	}
}
