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
	Notices      []string  `json:"notices,omitempty" doc:"What the operator should know although calls are served, like a full disk"`
	Checking     *Progress `json:"checking,omitempty" doc:"How far the check of all records is, which comes before anything is served"`
	Format       int       `json:"format" doc:"Version of the store's layout"`
	Schema       int       `json:"schema" doc:"Version of the records"`
	Anchor       Anchor    `json:"anchor" doc:"By which an old copy of the data is noticed"`
	StartedAt    time.Time `json:"started_at"`
}

// Progress is how far a piece of work is.
type Progress struct {
	Done  uint64 `json:"done"`
	Total uint64 `json:"total" doc:"0 until it is known"`
}

// Anchor tells when the store's anchor was last kept.
type Anchor struct {
	At      time.Time `json:"at,omitzero"`
	Problem string    `json:"problem,omitempty" doc:"Why none is kept; off where the configuration says so"`
}
