package daemon

import (
	"context"
	"errors"

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

// lastAddress is the simulator's last address, to which open hosted pages lead.
func (s simulatorState) lastAddress(ctx context.Context) (string, error) {
	b, err := s.load(ctx, addressRecord)
	return string(b), err
}

// keepAddress saves the simulator's address.
func (s simulatorState) keepAddress(ctx context.Context, addr string) error {
	return s.save(ctx, addressRecord, []byte(addr))
}
