package employee

import (
	"time"

	"github.com/bankctl/bankctl/internal/account"
)

// Comparisons.
const (
	ComparedNumbers = "numbers"  // the whole routing and account number
	ComparedMask    = "mask"     // an alias: last four digits, routing number and owner's name
	AdoptedNumbers  = "adopted"  // an alias that replaces the typed number
	AttestedByHand  = "attested" // an administrator's attestation
	ComparedNothing = "none"
)

// Strengths of an evidence.
const (
	Strong   = "strong"   // equal numbers, and the employee proved access to the account
	Moderate = "moderate" // equal numbers, known to Plaid's database; access unproven
	Weak     = "weak"     // an aliased account, accepted by the company's policy
	ByHand   = "by_hand"
	NoProof  = "none"
)

// Evidence is the basis of a verdict, kept for later questions; it holds no number.
type Evidence struct {
	Comparison      string    `json:"comparison" enum:"numbers,mask,adopted,attested,none" doc:"What was compared"`
	Strength        string    `json:"strength" enum:"strong,moderate,weak,by_hand,none"`
	Access          string    `json:"access" enum:"instant,micro_deposit,database,none" doc:"How the employee's access to the account is proven"`
	PlaidStatus     string    `json:"plaidStatus,omitempty" doc:"Plaid's verification_status, where it gave one"`
	PlaidError      string    `json:"plaidError,omitempty" doc:"Plaid's error_code, where it gave one"`
	InstitutionID   string    `json:"institutionId,omitempty"`
	InstitutionName string    `json:"institutionName,omitempty"`
	Tokenized       bool      `json:"tokenized,omitempty" doc:"The bank hands out an alias instead of the account number"`
	Policy          Policy    `json:"policy,omitempty" doc:"The company's policy that was applied to the alias"`
	MaskAgrees      *bool     `json:"maskAgrees,omitempty" doc:"Whether the digits the bank shows are the last four typed"`
	NameScore       *int      `json:"nameScore,omitempty" doc:"0 to 100: how well the holder's name fits an owner's"`
	NameSource      string    `json:"nameSource,omitempty" enum:"plaid,names" doc:"Plaid's own score, or ours over the names it gave"`
	TypeDiffers     bool      `json:"typeDiffers,omitempty" doc:"The bank calls it the other of checking and savings; the numbers decide"`
	OtherMatches    bool      `json:"otherAccountMatches,omitempty" doc:"Another account of the same sign-in has the numbers typed"`
	At              time.Time `json:"at"`
}

// proof reads Plaid's status as the ACH layer does, so that both agree on what is proven (A6).
func proof(status string) (proven bool, access string) {
	state, access := account.FromPlaidStatus(status)
	return state == account.Verified, access
}

// strengthOf is the strength of equal numbers, by the proof of access.
func strengthOf(access string) string {
	switch access {
	case "instant", "micro_deposit":
		return Strong
	case "database":
		return Moderate
	}
	return NoProof
}
