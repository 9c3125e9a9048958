package daemon

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/bankctl/bankctl/internal/store"
)

// simulatorState stores the embedded simulator's state in a sealed collection, so that its Items outlive a restart.
type simulatorState struct{ db *store.DB }

var simulatorRecords = store.NewCollection[[]byte]("simulator")

// Records: the simulator's own state, and its last address.
const (
	stateRecord   = "state"
	addressRecord = "address"
)

// Load returns the state saved last; nil at first.
func (s simulatorState) Load(ctx context.Context) ([]byte, error) { return s.load(ctx, stateRecord) }

func (s simulatorState) load(ctx context.Context, id string) (b []byte, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		b, err = simulatorRecords.Get(tx, store.SystemTenant, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return b, err
}

// Save replaces the saved state.
func (s simulatorState) Save(ctx context.Context, b []byte) error {
	return s.save(ctx, stateRecord, b)
}

func (s simulatorState) save(ctx context.Context, id string, b []byte) error {
	return s.db.Update(ctx, func(tx *store.Tx) error { return simulatorRecords.Put(tx, store.SystemTenant, id, b) })
}

// startingState is simulatorState during the start: on a full disk bankd starts and serves reads, so the simulator's own
// start does without a save. Its next one has everything.
type startingState struct {
	simulatorState
	log     *slog.Logger
	started atomic.Bool
}

// Save is simulatorState's, but lets a disk refuse it until the simulator has started.
func (s *startingState) Save(ctx context.Context, b []byte) error {
	err := s.simulatorState.Save(ctx, b)
	if refused, ok := errors.AsType[*store.DiskError](err); ok && !s.started.Load() {
		s.log.Warn("the simulator's state is not saved", "error", refused.Error())
		return nil
	}
	return err
}

// lastAddress is the simulator's last address, to which open hosted pages lead.
func (s simulatorState) lastAddress(ctx context.Context) (string, error) {
	b, err := s.load(ctx, addressRecord)
	return string(b), err
}

// keepAddress saves the simulator's address.
func (s simulatorState) keepAddress(ctx context.Context, addr string) error {
	return s.save(ctx, addressRecord, []byte(addr))
}
