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

// The records: the simulator's own state, and where it listened last.
const (
	simulatorState   = "state"
	simulatorAddress = "address"
)

// Load gives what was saved last; nothing at first.
func (s SimulatorState) Load(ctx context.Context) ([]byte, error) { return s.load(ctx, simulatorState) }

func (s SimulatorState) load(ctx context.Context, id string) (b []byte, err error) {
	err = s.db.View(ctx, func(tx *store.Tx) error {
		b, err = simulator.Get(tx, store.SystemTenant, id)
		if errors.Is(err, store.ErrNotFound) {
			return nil
		}
		return err
	})
	return b, err
}

// Save replaces what was saved before.
func (s SimulatorState) Save(ctx context.Context, b []byte) error {
	return s.save(ctx, simulatorState, b)
}

func (s SimulatorState) save(ctx context.Context, id string, b []byte) error {
	return s.db.Update(ctx, func(tx *store.Tx) error { return simulator.Put(tx, store.SystemTenant, id, b) })
}

// LastAddress is where the simulator listened last: hosted pages that are open somewhere lead there.
func (s SimulatorState) LastAddress(ctx context.Context) (string, error) {
	b, err := s.load(ctx, simulatorAddress)
	return string(b), err
}

// KeepAddress notes where it listens now.
func (s SimulatorState) KeepAddress(ctx context.Context, addr string) error {
	return s.save(ctx, simulatorAddress, []byte(addr))
}
