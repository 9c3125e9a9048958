package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/store"
)

// SimulatorState keeps the embedded simulator's state in a sealed collection, so that its Items survive a restart.
type SimulatorState struct{ db *store.DB }

// NewSimulatorState keeps it in an open store.
func NewSimulatorState(db *store.DB) SimulatorState { return SimulatorState{db} }

var simulator = store.NewCollection[[]byte]("simulator")

const simulatorState = "state"

// Load gives what was saved last; nothing at first.
func (s SimulatorState) Load(ctx context.Context) (b []byte, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		b, err = simulator.Get(tx, store.SystemTenant, simulatorState)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return b, err
}

// Save replaces what was saved before.
func (s SimulatorState) Save(ctx context.Context, b []byte) error {
	return s.db.Update(ctx, func(tx *store.Tx) error { return simulator.Put(tx, store.SystemTenant, simulatorState, b) })
}
