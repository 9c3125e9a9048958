package bank

import (
	"sync"
	"time"
)

// seen remembers the webhooks of the last minutes by what signs them, so that one that is sent again costs nothing.
type seen struct {
	mu  sync.Mutex
	old map[string]time.Time
}

const (
	seenFor  = 10 * time.Minute // longer than a signature is good for
	mostSeen = 50_000
)

// again reports whether one was there already, and remembers it.
func (s *seen) again(id string, now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.old[id]; ok && now.Sub(at) < seenFor {
		return true
	}
	if s.old == nil {
		s.old = map[string]time.Time{}
	}
	if len(s.old) >= mostSeen {
		for k, at := range s.old {
			if now.Sub(at) >= seenFor {
				delete(s.old, k)
			}
		}
		if len(s.old) >= mostSeen {
			clear(s.old) // they are looked at once more: harmless
		}
	}
	s.old[id] = now
	return false
}

// forget has one be taken in again: it could not be stored.
func (s *seen) forget(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.old, id)
}
