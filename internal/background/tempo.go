package background

import "time"

// Tempo is how long background work rests. A simulated Plaid's time is quick, so everything is then.
type Tempo struct {
	Look            time.Duration // between two looks for what is due
	SessionAwaited  time.Duration // between two questions after a link session that somebody waits for
	SessionIdle     time.Duration // the same, while nobody waits
	EmployeeOpen    time.Duration // between two checks of an employee's account whose verdict may still change by itself
	EmployeeSettled time.Duration // the same, of the others
	Data            time.Duration // how old accounts and numbers may be where ACH accounts rest on them
	ExchangeRetry   time.Duration // before a failed exchange is tried again; it doubles up to a minute

	// Rests that depend on what was found are told for a real Plaid, and divided.
	SyncDivisor, CheckDivisor, RemovalDivisor int
	CheckLeast                                time.Duration // no check comes sooner than this
}

// Real is the tempo with Plaid.
var Real = Tempo{
	Look: 5 * time.Second, SessionAwaited: 2500 * time.Millisecond, SessionIdle: 10 * time.Second,
	EmployeeOpen: 15 * time.Minute, EmployeeSettled: 12 * time.Hour, Data: 6 * time.Hour, ExchangeRetry: time.Second,
	SyncDivisor: 1, CheckDivisor: 1, RemovalDivisor: 1,
}

// Simulated is the tempo with the simulator.
var Simulated = Tempo{
	Look: 500 * time.Millisecond, SessionAwaited: 150 * time.Millisecond, SessionIdle: time.Second,
	EmployeeOpen: 2 * time.Second, EmployeeSettled: 30 * time.Second, Data: 30 * time.Second, ExchangeRetry: time.Second,
	SyncDivisor: 20, CheckDivisor: 720, RemovalDivisor: 20, CheckLeast: 2 * time.Second,
}

// Sync is how long a connection rests after a sync.
func (t Tempo) Sync(rest time.Duration) time.Duration { return rest / time.Duration(t.SyncDivisor) }

// Check is how long a connection rests after a look at its state.
func (t Tempo) Check(rest time.Duration) time.Duration {
	return max(rest/time.Duration(t.CheckDivisor), t.CheckLeast)
}

// Removal is how long an Item rests that Plaid did not remove.
func (t Tempo) Removal(rest time.Duration) time.Duration {
	return rest / time.Duration(t.RemovalDivisor)
}
