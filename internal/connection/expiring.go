package connection

import "time"

// Expiring is one end that is near or past.
type Expiring struct {
	At           time.Time `json:"at"`
	Kind         string    `json:"kind" enum:"disconnect,consent,micro_deposit,stale_balance" doc:"What ends: the bank's access, the user's consent, the time to confirm a deposit, a balance's worth"`
	ConnectionID string    `json:"connection_id,omitempty"`
	ACHID        string    `json:"ach_id,omitempty"`
	Institution  string    `json:"institution"`
	EmployerID   string    `json:"employer_id,omitempty"`
	CarrierID    string    `json:"carrier_id,omitempty"`
	Hint         string    `json:"hint" doc:"The command that puts it off"`
}

// Kinds of ends.
const (
	EndDisconnect   = "disconnect"
	EndConsent      = "consent"
	EndMicroDeposit = "micro_deposit"
	EndStaleBalance = "stale_balance"
)

// EndKinds lists all kinds.
var EndKinds = []string{EndDisconnect, EndConsent, EndMicroDeposit, EndStaleBalance}
