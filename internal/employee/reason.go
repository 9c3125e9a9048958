package employee

import (
	"slices"

	"github.com/bankctl/bankctl/internal/connection"
)

// Reason says why an account is not verified, or that an administrator attested it. The list is closed.
type Reason string

// The reasons. An account verified by the bank's own numbers has none.
const (
	NumberMismatch        Reason = "number_mismatch"         // the chosen account is not the typed one
	RoutingMismatch       Reason = "routing_mismatch"        // right account number, another bank's routing number
	NameMismatch          Reason = "name_mismatch"           // aliased account whose owner has another name
	TokenizedMaskMismatch Reason = "tokenized_mask_mismatch" // aliased account whose mask differs
	DepositPending        Reason = "micro_deposit_pending"   // the micro-deposit is on its way
	DepositExpired        Reason = "micro_deposit_expired"   // nobody confirmed the deposit in time
	DepositFailed         Reason = "micro_deposit_failed"    // wrong codes, or the check refused the account
	Exited                Reason = "exited"                  // the employee left Link
	RelinkRequired        Reason = "relink_required"         // the sign-in or the permission ended
	InstitutionDown       Reason = "institution_down"        // the bank does not answer Plaid
	PlaidUnavailable      Reason = "plaid_unavailable"       // Plaid does not answer us
	NotEligible           Reason = "account_not_eligible"    // payroll cannot pay to the account
	AccountMissing        Reason = "account_missing"         // the chosen account is no longer shared
	NameUnavailable       Reason = "name_unavailable"        // aliased account without a known owner
	TokenizedStrict       Reason = "tokenized_strict"        // aliased account, which the company does not accept
	RoutingReview         Reason = "routing_review"          // right account number, another routing number of that bank
	NotStarted            Reason = "not_started"             // nothing was linked
	LinkNotSaved          Reason = "link_not_saved"          // the result of a finished Link was not saved
	Attested              Reason = "attested"                // by an administrator
)

// Reasons is the closed list in order of precedence: the first reason that applies is given. First come reasons that
// leave nothing to judge (nothing linked, no access), then the account itself (missing, or its proof failed, expired or
// open), then faults that kept us from asking, then eligibility for payroll, then the numbers, and for aliased accounts
// the policy, the mask, the routing number and last the name.
var Reasons = []Reason{
	Attested, NotStarted, LinkNotSaved, Exited, RelinkRequired, AccountMissing, DepositFailed, DepositExpired, DepositPending,
	InstitutionDown, PlaidUnavailable, NotEligible, TokenizedStrict, TokenizedMaskMismatch, NumberMismatch, RoutingReview,
	RoutingMismatch, NameUnavailable, NameMismatch,
}

// Values lists the reasons in alphabetical order.
func (Reason) Values() []string {
	all := make([]string, len(Reasons))
	for i, r := range Reasons {
		all[i] = string(r)
	}
	slices.Sort(all)
	return all
}

// Known reports whether a reason is in the list.
func (r Reason) Known() bool { return slices.Contains(Reasons, r) }

// firstReason returns the given reason that comes first in Reasons; empty ones do not count.
func firstReason(apply ...Reason) Reason {
	for _, r := range Reasons {
		if slices.Contains(apply, r) {
			return r
		}
	}
	return ""
}

// contradicts reports whether a reason withdraws an earlier verdict of equal numbers (A42): the bank has other numbers
// now, or refuses the account. A failed check or a changed policy (A41) does not.
func (r Reason) contradicts() bool {
	switch r {
	case NumberMismatch, RoutingMismatch, TokenizedMaskMismatch, NameMismatch, DepositFailed:
		return true
	}
	return false
}

// statusReason is the reason that Plaid's verification_status alone gives (A6); none if it counts as proven.
func statusReason(status string) Reason {
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

// NoAnswer stands in for an error_code if Plaid gave none: a timeout, a broken connection, a reply that is not Plaid's.
const NoAnswer = "NO_ANSWER"

// ReasonOf maps Plaid's error_code to a reason; "" gives none. Codes that are not about the employee, the account or
// the bank give PlaidUnavailable.
func ReasonOf(code string) Reason {
	if code == "" {
		return ""
	}
	if r := connection.CodeOf(code).Reason; r != "" {
		return Reason(r)
	}
	return PlaidUnavailable
}
