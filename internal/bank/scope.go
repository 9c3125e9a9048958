package bank

import (
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// allowed refuses making an object for owners outside the caller's scope (A25).
func allowed(c tenant.Caller, employer, carrier string) error {
	if c.Owns(employer, carrier) {
		return nil
	}
	if employer == "" && carrier == "" {
		return fault.New(fault.Forbidden, "an object of no owner needs a client of all employers or all carriers").
			WithHint("name an employer_id or carrier_id of your scope")
	}
	return fault.New(fault.Forbidden, "this owner is outside the client's scope")
}

// writable refuses a change of an object the caller sees but does not wholly own; what it does not see is missing.
func writable(c tenant.Caller, employer, carrier, noun string) error {
	if !c.Sees(employer, carrier) {
		return fault.New(fault.NotFound, "no such %s", noun)
	}
	if !c.Owns(employer, carrier) {
		return fault.New(fault.Forbidden, "to change it, the client needs both its employer and its carrier in scope")
	}
	return nil
}
