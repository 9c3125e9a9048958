package background

import (
	"context"
	"sync"
	"time"
)

// Followers ask after open link sessions until they end, and tell who waits for one.
type Followers struct {
	life  *Life
	tempo Tempo

	mu   sync.Mutex
	open map[string]*followed
}

type followed struct {
	changed chan struct{} // closed and replaced at every change
	poked   chan struct{}
	waiting int
	running bool
}

// NewFollowers makes followers that run within a life.
func NewFollowers(life *Life, tempo Tempo) *Followers {
	return &Followers{life: life, tempo: tempo, open: map[string]*followed{}}
}

func (f *Followers) get(id string) *followed {
	s := f.open[id]
	if s == nil {
		s = &followed{changed: make(chan struct{}), poked: make(chan struct{}, 1)}
		f.open[id] = s
	}
	return s
}

// drop forgets a session that nobody follows or waits for.
func (f *Followers) drop(id string, s *followed) {
	if s.waiting == 0 && !s.running {
		delete(f.open, id)
	}
}

// Tell wakes everybody who waits for a session.
func (f *Followers) Tell(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.open[id]; s != nil {
		close(s.changed)
		s.changed = make(chan struct{})
	}
}

// Poke makes a session's follower look now.
func (f *Followers) Poke(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := f.open[id]; s != nil {
		s.poke()
	}
}

func (s *followed) poke() {
	select {
	case s.poked <- struct{}{}:
	default:
	}
}

// Await counts a waiter of a session in, so that it is asked after more often. changed is closed at the session's next
// change; leave must be called at the end.
func (f *Followers) Await(id string) (changed <-chan struct{}, leave func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.get(id)
	s.waiting++
	s.poke()
	return s.changed, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		s.waiting--
		f.drop(id, s)
	}
}

// Follow calls look for a session again and again until it says that the session has ended, or the daemon stops.
func (f *Followers) Follow(id string, look func(ctx context.Context) (ended bool)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.get(id)
	if s.running || f.life.context() == nil {
		f.drop(id, s)
		return
	}
	s.running = true
	f.life.Outlive(f.life.context(), func(ctx context.Context) {
		defer func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			s.running = false
			f.drop(id, s)
		}()
		began := time.Now()
		for !look(ctx) && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-s.poked:
			case <-time.After(f.pause(s, time.Since(began))):
			}
		}
	})
}

// pause grows with the age of a session that nobody waits for: pages are open for hours, and each question counts.
func (f *Followers) pause(s *followed, age time.Duration) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if s.waiting > 0 {
		return f.tempo.SessionAwaited
	}
	switch {
	case age > time.Hour:
		return 30 * f.tempo.SessionIdle
	case age > 10*time.Minute:
		return 6 * f.tempo.SessionIdle
	}
	return f.tempo.SessionIdle
}
