package connection

import "time"

// Usage is what was asked of Plaid for one connection.
type Usage struct {
	ConnectionID string      `json:"connection_id"`
	Institution  Institution `json:"institution"`
	Calls        []Calls     `json:"calls"`
}

// Calls are those to one of Plaid's endpoints.
type Calls struct {
	Endpoint  string     `json:"endpoint" doc:"accounts, auth, balance, identity, item, processor, refresh, remove, rotate, sync or webhook"`
	Billed    bool       `json:"billed,omitempty" doc:"Plaid charges for each that succeeds"`
	Total     int64      `json:"total" doc:"Since the connection was made"`
	Month     int64      `json:"month" doc:"In this calendar month, UTC"`
	Refused   int64      `json:"refused,omitempty" doc:"Of all of them, those that Plaid answered with an error"`
	Last      *time.Time `json:"last,omitempty"`
	Allowance *Allowance `json:"allowance,omitempty" doc:"What Plaid grants a connection a minute"`
}

// Allowance is what is left of a minute's calls.
type Allowance struct {
	PerMinute    int `json:"per_minute"`
	Left         int `json:"left"`
	ResetSeconds int `json:"reset_seconds" doc:"Until all of them are there again"`
}

// Near reports whether little is left: a fifth, or one call.
func (a Allowance) Near() bool { return a.PerMinute > 0 && a.Left <= max(1, a.PerMinute/5) }
