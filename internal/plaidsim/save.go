package plaidsim

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"
)

// saver writes the state. Changes are counted under the server's lock; one
// save covers every change counted before it began, so that callers who wait
// together share a write.
type saver struct {
	store   Store
	mu      sync.Mutex // one save at a time
	changed uint64     // guarded by Server.mu
	saved   uint64     // guarded by mu
}

// flush returns once the store holds every change made before the call.
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

// touch notes a change. Callers hold s.mu.
func (s *Server) touch() { s.save.changed++ }

const saveTimeout = 10 * time.Second

// keep is flush for the end of a request: a caller who hangs up must not
// leave a half-told change unsaved.
func (s *Server) keep(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveTimeout)
	defer cancel()
	return s.flush(ctx)
}
