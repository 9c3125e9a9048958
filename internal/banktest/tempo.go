package banktest

import (
	"time"

	"github.com/bankctl/bankctl/internal/background"
)

// Quick is the tempo of tests: rests of milliseconds.
var Quick = background.Tempo{
	Look: 5 * time.Millisecond, SessionAwaited: 10 * time.Millisecond, SessionIdle: 50 * time.Millisecond,
	EmployeeOpen: 50 * time.Millisecond, EmployeeSettled: time.Second, Data: 500 * time.Millisecond, ExchangeRetry: 20 * time.Millisecond,
	SyncDivisor: 1000, CheckDivisor: 36000, RemovalDivisor: 1000, CheckLeast: 25 * time.Millisecond,
}
