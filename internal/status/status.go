// Package status owns the daemon's report on itself, which anyone on the socket may read: it holds nothing of any tenant.
package status

import "time"

// Version is set by the build.
var Version = "dev"

// Status is the reply of GET /api/v1/status.
type Status struct {
	Version      string    `json:"version"`
	Plaid        string    `json:"plaid" enum:"simulated,sandbox,production" doc:"The Plaid environment"`
	Simulation   bool      `json:"simulation" doc:"True where no real bank is involved"`
	SimulatorURL string    `json:"simulator_url,omitempty"`
	Ready        bool      `json:"ready"`
	Problem      string    `json:"problem,omitempty" doc:"Why it is not ready"`
	Schema       int       `json:"schema" doc:"Version of the stored form"`
	StartedAt    time.Time `json:"started_at"`
}
