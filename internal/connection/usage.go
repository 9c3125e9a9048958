package connection

import (
	"time"

	"github.com/bankctl/bankctl/internal/quota"
)

// Usage counts the calls to Plaid for one connection.
type Usage struct {
	ConnectionID string      `json:"connection_id"`
	Institution  Institution `json:"institution"`
	Calls        []Calls     `json:"calls"`
}

// Calls counts the calls to one of Plaid's endpoints.
type Calls struct {
	Endpoint  string           `json:"endpoint" doc:"accounts, auth, balance, identity, item, processor, refresh, remove, rotate, sync or webhook"`
	Billed    bool             `json:"billed,omitempty" doc:"Plaid charges for each that succeeds"`
	Total     int64            `json:"total" doc:"Since the connection was made"`
	Month     int64            `json:"month" doc:"In this calendar month, UTC"`
	Refused   int64            `json:"refused,omitempty" doc:"Of all of them, those that Plaid answered with an error"`
	Last      *time.Time       `json:"last,omitempty"`
	Allowance *quota.Allowance `json:"allowance,omitempty" doc:"What Plaid grants a connection a minute"`
}
