package account

import (
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// ProcessorParams names a partner of Plaid's who may move money through an account without seeing its numbers.
type ProcessorParams struct {
	Processor string `json:"processor" doc:"Plaid's name of the partner, such as dwolla, modern_treasury or treasury_prime"`
}

// Check names the bad fields.
func (p ProcessorParams) Check() error {
	var bad fault.Problems
	if bad.Require("processor", p.Processor) {
		for _, r := range p.Processor {
			if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '_' || len(p.Processor) > 64 {
				bad.Add("processor", "is a name in small letters, digits and underscores")
				break
			}
		}
	}
	return bad.Err()
}

// ProcessorToken is the reply. It shows the token this one time.
type ProcessorToken struct {
	ACHID          string    `json:"ach_id"`
	Processor      string    `json:"processor"`
	ProcessorToken string    `json:"processor_token" doc:"For the partner alone; shown this once"`
	CreatedAt      time.Time `json:"created_at"`
	Warning        string    `json:"warning,omitempty" doc:"Where bankd does not know the partner's name"`
}
