package banktest

import "time"

// patience is how long Eventually waits. It bounds a failing test alone, so it is long enough for a loaded machine.
const patience = time.Minute

// Eventually asks again and again until a condition holds, and reports whether it ever did.
func Eventually(holds func() bool) bool {
	pause := time.Millisecond
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); pause = min(2*pause, 50*time.Millisecond) {
		if holds() {
			return true
		}
		time.Sleep(pause)
	}
	return holds()
}
