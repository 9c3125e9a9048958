package employee

import "slices"

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
	Attested              Reason = "attested"                // made true by hand
)

// Reasons is the closed list, in the order of precedence: where several would apply, the first is given. What makes
// all else worthless comes first (nothing linked, no access), then the account itself (gone, or its proof failed,
// lapsed or open), then what kept us from asking, then whether payroll can pay to it, then the numbers, and for aliased
// accounts the policy, the digits shown, the routing number and last the name.
var Reasons = []Reason{
	Attested, NotStarted, Exited, RelinkRequired, AccountMissing, DepositFailed, DepositExpired, DepositPending,
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

// troubles are Plaid's error codes that say something about the employee, the account or the bank; every other one, and
// no answer at all, is Plaid's own.
var troubles = map[string]Reason{
	"ITEM_LOGIN_REQUIRED": RelinkRequired, "ITEM_NOT_FOUND": RelinkRequired, "ITEM_CONCURRENTLY_DELETED": RelinkRequired,
	"INVALID_ACCESS_TOKEN": RelinkRequired, "ITEM_LOCKED": RelinkRequired, "ACCESS_NOT_GRANTED": RelinkRequired,
	"ADDITIONAL_CONSENT_REQUIRED": RelinkRequired, "USER_PERMISSION_REVOKED": RelinkRequired, "USER_ACCOUNT_REVOKED": RelinkRequired,
	"INVALID_CREDENTIALS": RelinkRequired, "INVALID_MFA": RelinkRequired, "INSUFFICIENT_CREDENTIALS": RelinkRequired,
	"PASSWORD_RESET_REQUIRED": RelinkRequired, "USER_SETUP_REQUIRED": RelinkRequired, "USER_INPUT_TIMEOUT": RelinkRequired,
	"OAUTH_CONSENT_EXPIRED": RelinkRequired, "OAUTH_USER_REVOKED": RelinkRequired, "OAUTH_INVALID_TOKEN": RelinkRequired,

	"INVALID_ACCOUNT_ID": AccountMissing,

	"PRODUCT_NOT_READY": DepositPending, "INCORRECT_DEPOSIT_VERIFICATION": DepositPending,
	"TOO_MANY_VERIFICATION_ATTEMPTS": DepositFailed, "BANK_TRANSFER_ACCOUNT_BLOCKED": DepositFailed,

	"NO_AUTH_ACCOUNTS": NotEligible, "no-depository-accounts": NotEligible, "NO_ACCOUNTS": NotEligible,
	"PRODUCTS_NOT_SUPPORTED": NotEligible, "ITEM_NOT_SUPPORTED": NotEligible, "INSTITUTION_NO_LONGER_SUPPORTED": NotEligible,

	"INSTITUTION_DOWN": InstitutionDown, "INSTITUTION_NOT_RESPONDING": InstitutionDown, "INSTITUTION_NOT_AVAILABLE": InstitutionDown,
}

// NoAnswer stands for an error_code where Plaid gave none: a timeout, a broken connection, a reply that is not Plaid's.
const NoAnswer = "NO_ANSWER"

// ReasonOf reads Plaid's error_code; "" is no trouble, and whatever is not known here is Plaid's own.
func ReasonOf(code string) Reason {
	if code == "" {
		return ""
	}
	if r, ok := troubles[code]; ok {
		return r
	}
	return PlaidUnavailable
}
