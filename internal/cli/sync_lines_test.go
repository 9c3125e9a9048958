package cli

import (
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
)

// The line tells its progress: none yet, rows and rate, or a share and the time left.
func TestReadingLine(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 20, 0, time.UTC)
	since := now.Add(-10 * time.Second)
	for want, r := range map[string]*connection.Reading{
		"reading accounts and transactions, 20s":                               nil,
		"12000 transactions, 1200/s, 10s":                                      {Rows: 12000, Since: since},
		"█████                25%, 12000 transactions, 1200/s, about 30s left": {Rows: 12000, Percent: 25, Since: since},
	} {
		if got := readingLine(r, now.Add(-20*time.Second), now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
