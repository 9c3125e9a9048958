package employee

import (
	"slices"

	"github.com/bankctl/bankctl/internal/connection"
)

// Reason is why an account is not verified, or that it was made so by hand. The list is closed.
type Reason string

// The reasons. The empty one stands beside an account that the bank's own numbers verified.
const (
	NumberMismatch        Reason = "number_mismatch"         // the account chosen is not the one typed
	RoutingMismatch       Reason = "routing_mismatch"        // right account number, another bank's routing number
	NameMismatch          Reason = "name_mismatch"           // aliased account, and its owner has another name
	TokenizedMaskMismatch Reason = "tokenized_mask_mismatch" // aliased account, and the digits shown differ
	DepositPending        Reason = "micro_deposit_pending"   // the bank's own proof is not through yet
	DepositExpired        Reason = "micro_deposit_expired"   // the deposit was not seen in time
	DepositFailed         Reason = "micro_deposit_failed"    // wrong codes, or the check refused the account
	Exited                Reason = "exited"                  // the employee left Link
	RelinkRequired        Reason = "relink_required"         // sign-in or permission is gone
	InstitutionDown       Reason = "institution_down"        // the bank does not answer Plaid
	PlaidUnavailable      Reason = "plaid_unavailable"       // Plaid does not answer us
	NotEligible           Reason = "account_not_eligible"    // no account that payroll can pay to
	AccountMissing        Reason = "account_missing"         // the account chosen is no longer shared
	NameUnavailable       Reason = "name_unavailable"        // aliased account, and no owner's name can be had
	TokenizedStrict       Reason = "tokenized_strict"        // aliased account, and the company takes none
	RoutingReview         Reason = "routing_review"          // right account number, another routing number of that bank
	NotStarted            Reason = "not_started"             // nothing was linked
	LinkNotSaved          Reason = "link_not_saved"          // Link was finished, and its result was not saved
	Attested              Reason = "attested"                // made true by hand
)

// Reasons is the closed list, in the order of precedence: where several would apply, the first is given. What makes
// all else worthless comes first (nothing linked, no access), then the account itself (gone, or its proof failed,
// lapsed or open), then what kept us from asking, then whether payroll can pay to it, then the numbers, and for aliased
// accounts the policy, the digits shown, the routing number and last the name.
var Reasons = []Reason{
	Attested, NotStarted, LinkNotSaved, Exited, RelinkRequired, AccountMissing, DepositFailed, DepositExpired, DepositPending,
	InstitutionDown, PlaidUnavailable, NotEligible, TokenizedStrict, TokenizedMaskMismatch, NumberMismatch, RoutingReview,
	RoutingMismatch, NameUnavailable, NameMismatch,
}

// Values lists the reasons by their letters.
func (Reason) Values() []string {
	all := make([]string, len(Reasons))
	for i, r := range Reasons {
		all[i] = string(r)
	}
	slices.Sort(all)
	return all
}

// Known reports whether a reason is on the list.
func (r Reason) Known() bool { return slices.Contains(Reasons, r) }

// first picks the reason that comes first in that order; empty ones do not count.
func first(apply ...Reason) Reason {
	for _, r := range Reasons {
		if slices.Contains(apply, r) {
			return r
		}
	}
	return ""
}

// contradicts reports whether a reason speaks against numbers that were equal before (A42): the bank now has others, or
// refuses the account. Not being able to look, or a policy that changed (A41), says nothing against them.
func (r Reason) contradicts() bool {
	switch r {
	case NumberMismatch, RoutingMismatch, TokenizedMaskMismatch, NameMismatch, DepositFailed:
		return true
	}
	return false
}

// heldUp gives the reason that Plaid's verification_status itself is (A6); none where it counts as proven.
func heldUp(status string) Reason {
	switch proven, _ := proof(status); {
	case proven:
		return ""
	case status == "verification_expired":
		return DepositExpired
	case status == "verification_failed" || status == "database_insights_fail":
		return DepositFailed
	}
	return DepositPending
}

// NoAnswer stands for an error_code where Plaid gave none: a timeout, a broken connection, a reply that is not Plaid's.
const NoAnswer = "NO_ANSWER"

// ReasonOf reads Plaid's error_code; "" is no trouble, and a code that says nothing of the employee, the account or the
// bank is Plaid's own.
func ReasonOf(code string) Reason {
	if code == "" {
		return ""
	}
	if r := connection.CodeOf(code).Reason; r != "" {
		return Reason(r)
	}
	return PlaidUnavailable
}
