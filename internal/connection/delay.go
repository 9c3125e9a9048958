package connection

import (
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// Delay tells what keeps a link session from its next step. bankd tries again by itself.
type Delay struct {
	Since     time.Time  `json:"since"`
	Code      fault.Code `json:"code" doc:"Of the failure that the last try met"`
	PlaidCode string     `json:"plaid_code,omitempty" doc:"Plaid's error_code"`
	Message   string     `json:"message"`
	Tries     int        `json:"tries"`
}
