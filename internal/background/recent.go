package background

import (
	"sync"
	"time"
)

// Recent remembers ids for a while, so that what comes twice costs nothing the second time.
type Recent struct {
	keep time.Duration
	most int

	mu   sync.Mutex
	seen map[string]time.Time
}

// NewRecent remembers at most so many ids, each for so long. Where they are too many it forgets all: an id that comes
// again then counts as new.
func NewRecent(keep time.Duration, most int) *Recent {
	return &Recent{keep: keep, most: most, seen: map[string]time.Time{}}
}

// Again reports whether an id came before, and remembers it.
func (r *Recent) Again(id string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if at, ok := r.seen[id]; ok && now.Sub(at) < r.keep {
		return true
	}
	if len(r.seen) >= r.most {
		for k, at := range r.seen {
			if now.Sub(at) >= r.keep {
				delete(r.seen, k)
			}
		}
		if len(r.seen) >= r.most {
			clear(r.seen)
		}
	}
	r.seen[id] = now
	return false
}

// Forget drops an id, so that it counts as new.
func (r *Recent) Forget(id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, id)
}
