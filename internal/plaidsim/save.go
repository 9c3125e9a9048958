package plaidsim

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// saver writes the state. Server.mu guards the count of changes; one save covers every change counted before it began,
// so that callers who wait at the same time share a write.
type saver struct {
	store   Store
	mu      sync.Mutex // one save at a time
	changed uint64     // guarded by Server.mu
	saved   uint64     // guarded by mu
}

// flush returns after the store has every change made before the call.
func (s *Server) flush(ctx context.Context) error {
	if s.save.store == nil {
		return nil
	}
	s.mu.Lock()
	want := s.save.changed
	s.mu.Unlock()

	s.save.mu.Lock()
	defer s.save.mu.Unlock()
	if s.save.saved >= want {
		return nil
	}
	s.mu.Lock()
	have := s.save.changed
	raw, err := json.Marshal(s.st)
	s.mu.Unlock()
	if err != nil {
		return fmt.Errorf("encode simulator state: %w", err)
	}
	if err := s.save.store.Save(ctx, raw); err != nil {
		return fmt.Errorf("save simulator state: %w", err)
	}
	s.save.saved = have
	return nil
}

// markChanged counts a change. Callers hold s.mu.
func (s *Server) markChanged() { s.save.changed++ }

const saveTimeout = 10 * time.Second

// flushUncancelled is flush at the end of a request: a caller who hangs up must not leave a change unsaved.
func (s *Server) flushUncancelled(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	return s.flush(ctx)
}
