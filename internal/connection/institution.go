package connection

// BankInfo is a bank in Plaid's catalogue.
type BankInfo struct {
	Institution
	Products []string `json:"products" doc:"What Plaid offers for it"`
	OAuth    bool     `json:"oauth" doc:"Users sign in on the bank's own site"`
	Status   string   `json:"status,omitempty" doc:"HEALTHY, DEGRADED or DOWN for sign-ins; left out where Plaid does not tell, as in its sandbox"`
}

// BankQuery finds banks by their name.
type BankQuery struct {
	Query string `query:"query" doc:"part of the bank's name"`
}
