// Package quota owns what is left of calls that are limited by the minute.
package quota

// Allowance is what is left of a minute's calls.
type Allowance struct {
	PerMinute    int `json:"per_minute"`
	Left         int `json:"left"`
	ResetSeconds int `json:"reset_seconds" doc:"Until all of them are there again"`
}

// Near reports whether little is left: a fifth, or one call.
func (a Allowance) Near() bool { return a.PerMinute > 0 && a.Left <= max(1, a.PerMinute/5) }
