package background

import "sync"

// Bell wakes those who wait for something to happen, by name. It counts nothing: whoever is woken looks for itself.
type Bell struct {
	mu    sync.Mutex
	rings map[string]chan struct{} // closed at the next ring
}

// Listen gives a channel that closes at the next ring of a name.
func (b *Bell) Listen(name string) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rings == nil {
		b.rings = map[string]chan struct{}{}
	}
	c := b.rings[name]
	if c == nil {
		c = make(chan struct{})
		b.rings[name] = c
	}
	return c
}

// Ring wakes all who listen to a name.
func (b *Bell) Ring(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if c := b.rings[name]; c != nil {
		close(c)
		delete(b.rings, name)
	}
}
