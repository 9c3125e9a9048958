package daemon

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/store"
)

// simulatorState keeps the embedded simulator's state in a sealed collection, so that its Items survive a restart.
type simulatorState struct{ db *store.DB }

var simulatorRecords = store.NewCollection[[]byte]("simulator")

// The records: the simulator's own state, and where it listened last.
const (
	stateRecord   = "state"
	addressRecord = "address"
)

// Load gives what was saved last; nothing at first.
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

// Save replaces what was saved before.
func (s simulatorState) Save(ctx context.Context, b []byte) error {
	return s.save(ctx, stateRecord, b)
}

func (s simulatorState) save(ctx context.Context, id string, b []byte) error {
	return s.db.Update(ctx, func(tx *store.Tx) error { return simulatorRecords.Put(tx, store.SystemTenant, id, b) })
}

// lastAddress is where the simulator listened last: hosted pages that are open somewhere lead there.
func (s simulatorState) lastAddress(ctx context.Context) (string, error) {
	b, err := s.load(ctx, addressRecord)
	return string(b), err
}

// keepAddress notes where it listens now.
func (s simulatorState) keepAddress(ctx context.Context, addr string) error {
	return s.save(ctx, addressRecord, []byte(addr))
}
