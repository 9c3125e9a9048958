package connection

import (
	"maps"
	"slices"

	"github.com/bankctl/bankctl/internal/fault"
)

// Code is the meaning of one of Plaid's error_codes or webhook_codes. The zero value stands for a code that is not in
// the table: the call failed, and the connection is not affected.
type Code struct {
	// The refusal of a call. No Refusal means plaid_error.
	Refusal        fault.Code
	Field          string // the wrong input, if Refusal is invalid
	Text           string // the refusal's message; empty: Says
	Hint           string // what the caller can do
	Transient      bool   // the same call may succeed later
	OutcomeUnknown bool   // Plaid may have done what was asked all the same

	// The trouble noted in a connection; none if Says is empty.
	Says        string
	Status      string // of the connection; empty: it works all the same
	Rank        int    // the trouble with the highest rank decides the status
	Step        string // how to mend it
	Over        []Proof
	WebhookOnly bool   // only a webhook reports it, or reports it exactly
	OppositeEnd string // the opposite code: the other way in which the Item can end
	Gone        bool   // Plaid no longer knows the Item or its token

	// The effect on an employee's account at the connection.
	Reason  string // employee.Reason; empty = plaid_unavailable
	Revoked bool   // the employee took the permission back
}

// Codes that use cases treat by name.
const (
	ItemNotFound       = "ITEM_NOT_FOUND"
	InvalidAccessToken = "INVALID_ACCESS_TOKEN"
	TokenLost          = "TOKEN_LOST" // ours: a process ended before it stored the reply to a token swap
	InvalidPublicToken = "INVALID_PUBLIC_TOKEN"
	PermissionRevoked  = "USER_PERMISSION_REVOKED"
	NoAccounts         = "NO_ACCOUNTS"
	NoAuthAccounts     = "NO_AUTH_ACCOUNTS"
	DisconnectsSoon    = "PENDING_DISCONNECT"
	ExpiresSoon        = "PENDING_EXPIRATION"
	DepositExpired     = "VERIFICATION_EXPIRED"
	DepositFailed      = "VERIFICATION_FAILED"
	ProductNotReady    = "PRODUCT_NOT_READY"
	ProductUnsupported = "PRODUCTS_NOT_SUPPORTED"
	InvalidProduct     = "INVALID_PRODUCT"
	InvalidField       = "INVALID_FIELD"
	InvalidKeys        = "INVALID_API_KEYS"
	InvalidInstitution = "INVALID_INSTITUTION"
	SyncMutation       = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
)

// What is said of an institution that Plaid does not have in this environment.
const (
	NoInstitution   = "there is no such institution"
	FindInstitution = "`bankctl institutions search NAME` finds its id"
)

var (
	byAnyRead    = []Proof{ByItem, ByAccounts, ByNumbers}
	byItem       = []Proof{ByItem, ByAccounts}
	byData       = []Proof{ByAccounts, ByNumbers}
	byUpdate     = []Proof{ByUpdate}
	relinkReason = "relink_required"
)

// signIn makes a code that a new sign-in mends.
func signIn(says string) Code {
	return Code{Says: says, Status: NeedsReauth, Rank: 7, Step: Reauth, Over: byAnyRead, Reason: relinkReason}
}

// down makes a code for a bank that does not answer Plaid.
func down(says string) Code {
	return Code{Says: says, Step: Wait, Over: byData, Transient: true, Hint: says + ": try again in a few hours", Reason: "institution_down"}
}

// codes is the one table of Plaid's codes: a new one is one row here.
var codes = map[string]Code{
	ItemNotFound: {
		Refusal: fault.RelinkRequired, Hint: "link the bank again with `bankctl link`",
		Says: "the connection is gone at Plaid", Status: Failed, Rank: 9, Step: Relink, Over: byAnyRead, Gone: true,
		Reason: relinkReason, Revoked: true,
	},
	InvalidAccessToken: {
		Refusal: fault.RelinkRequired, Text: "the connection is gone at Plaid", Hint: "link the bank again with `bankctl link`",
		Says: "Plaid does not take its token any more", Status: Failed, Rank: 9, Step: Relink, Over: byAnyRead, Gone: true, Reason: relinkReason,
	},
	TokenLost: {Says: "its new token was lost before it could be stored", Status: Failed, Rank: 9, Step: Relink, Gone: true},
	PermissionRevoked: {
		Hint: "the user took their consent back: remove the connection and link again",
		Says: "the user took their consent back", Status: Revoked, Rank: 8, Step: Reauth, Over: byAnyRead, Reason: relinkReason, Revoked: true,
	},

	"ITEM_LOGIN_REQUIRED": {
		Refusal: fault.RelinkRequired, Hint: "run `bankctl connections reauth ID`",
		Says: "the bank asks the user to sign in again", Status: NeedsReauth, Rank: 7, Step: Reauth, Over: byAnyRead, Reason: relinkReason,
	},
	"INVALID_CREDENTIALS":       signIn("the bank no longer takes the user's password"),
	"INVALID_MFA":               signIn("the bank wants a new code from the user"),
	"INSUFFICIENT_CREDENTIALS":  signIn("the bank wants more from the user than Plaid has"),
	"PASSWORD_RESET_REQUIRED":   signIn("the user must reset their password at the bank first"),
	"USER_SETUP_REQUIRED":       signIn("the user must finish something at the bank's own site first"),
	"USER_INPUT_TIMEOUT":        signIn("the user did not answer the bank in time"),
	"ITEM_LOCKED":               signIn("the bank has locked the user's login: they unlock it there first"),
	"ITEM_CONCURRENTLY_DELETED": {Reason: relinkReason},
	"OAUTH_CONSENT_EXPIRED":     {Reason: relinkReason},
	"OAUTH_INVALID_TOKEN":       {Reason: relinkReason},
	"OAUTH_USER_REVOKED":        {Reason: relinkReason, Revoked: true},

	"INSTITUTION_NO_LONGER_SUPPORTED": {Says: "Plaid no longer supports the bank", Status: Failed, Rank: 9, Step: Relink, Over: byItem, Reason: "account_not_eligible"},
	"ITEM_NOT_SUPPORTED":              {Says: "Plaid cannot serve this login", Status: Failed, Rank: 9, Step: Relink, Over: byItem, Reason: "account_not_eligible"},

	DepositExpired: {Says: "the deposit was not confirmed in time, and Plaid has locked the account", Status: Failed, Rank: 6, Step: Relink},
	DepositFailed:  {Says: "three wrong codes were entered, and Plaid has locked the account", Status: Failed, Rank: 6, Step: Relink},
	NoAccounts:     {Says: "the bank shows no account that may be used", Status: Failed, Rank: 5, Step: ChooseAccounts, Over: []Proof{ByAccounts}, Reason: "account_not_eligible"},
	NoAuthAccounts: {
		Hint: "none of its accounts can be debited: link another one",
		Says: "none of its accounts can be debited", Status: Failed, Rank: 5, Step: ChooseAccounts, Over: []Proof{ByNumbers}, Reason: "account_not_eligible",
	},
	"no-depository-accounts": {Reason: "account_not_eligible"}, // Link's exit status
	"ACCESS_NOT_GRANTED":     {Says: "the user did not grant what is asked for", Status: NeedsReauth, Rank: 4, Step: Reauth, Over: []Proof{ByNumbers, ByUpdate}, Reason: relinkReason},

	DisconnectsSoon: {Says: "the bank's access ends soon", Status: PendingDisconnect, Rank: 3, Step: Reauth, Over: []Proof{ByTime}, WebhookOnly: true, OppositeEnd: ExpiresSoon},
	ExpiresSoon:     {Says: "the user's consent ends soon", Status: PendingExpiration, Rank: 2, Step: Reauth, Over: []Proof{ByTime}, WebhookOnly: true, OppositeEnd: DisconnectsSoon},

	"USER_ACCOUNT_REVOKED":   {Says: "the user took back the consent for one of its accounts", Step: ChooseAccounts, Over: byUpdate, WebhookOnly: true, Reason: relinkReason, Revoked: true},
	"NEW_ACCOUNTS_AVAILABLE": {Says: "the bank has accounts that are not shared yet", Step: ChooseAccounts, Over: byUpdate, WebhookOnly: true},
	"ADDITIONAL_CONSENT_REQUIRED": {
		Hint: "the user must agree first: `bankctl connections reauth ID --product …`",
		Says: "a product was asked for that the user has not agreed to", Step: Consent, Over: byUpdate, Reason: relinkReason,
	},
	"INSTITUTION_DOWN":           down("the bank is down"),
	"INSTITUTION_NOT_RESPONDING": down("the bank does not answer"),
	"INSTITUTION_NOT_AVAILABLE":  down("the bank is not available"),

	// These refuse a call, or an employee's account, and do not affect the connection.
	InvalidPublicToken: {Refusal: fault.Invalid, Field: "public_token", Text: "is unknown to Plaid, used already, or older than 30 minutes", Hint: "open Link again for a new one"},
	"INVALID_ACCOUNT_ID": {
		Refusal: fault.Invalid, Field: "plaid_account_id", Text: "is not an account of this connection",
		Hint: "`bankctl connections sync` reads the accounts anew", Reason: "account_missing",
	},
	ProductNotReady:                      {Hint: "Plaid is not ready with this yet: try again in a minute", Transient: true, Reason: "micro_deposit_pending"},
	ProductUnsupported:                   {Hint: "this connection cannot do it (accounts linked by number alone have no balance)", Reason: "account_not_eligible"},
	InvalidProduct:                       {Hint: "the product is not enabled for this Plaid account"},
	"INCORRECT_DEPOSIT_VERIFICATION":     {Reason: "micro_deposit_pending"},
	"TOO_MANY_VERIFICATION_ATTEMPTS":     {Reason: "micro_deposit_failed"},
	"BANK_TRANSFER_ACCOUNT_BLOCKED":      {Reason: "micro_deposit_failed"},
	InvalidKeys:                          {Hint: "check PLAID_CLIENT_ID and PLAID_SECRET, and that the secret is of this environment"},
	"INTERNAL_SERVER_ERROR":              {Hint: "usually a passing fault at Plaid: try again", OutcomeUnknown: true},
	"PLANNED_MAINTENANCE":                {Hint: "Plaid is in maintenance: try again later"},
	"UNAUTHORIZED_ENVIRONMENT":           {Hint: "this Plaid account is not enabled for this environment"},
	"INVALID_LINK_TOKEN":                 {Hint: "the link token has expired: ask for a new one"},
	InvalidInstitution:                   {Refusal: fault.NotFound, Text: NoInstitution, Hint: FindInstitution},
	"LAST_UPDATED_DATETIME_OUT_OF_RANGE": {Hint: "the bank has no balance fresh enough: try again later"},
}

// CodeOf looks a code of Plaid's up.
func CodeOf(code string) Code { return codes[code] }

// AllCodes lists the codes of the table, for tests that check each.
func AllCodes() []string { return slices.Sorted(maps.Keys(codes)) }

// trouble is CodeOf, with the default trouble for a code that the table lacks or that has none.
func trouble(code string) Code {
	if c := codes[code]; c.Says != "" {
		return c
	}
	return Code{Says: "Plaid says " + code, Status: Failed, Rank: 6, Step: Reauth, Over: byItem}
}

// Refuse returns the fault of a call that Plaid refuses with this code; nil if the code has no fault of its own.
func (c Code) Refuse() *fault.Error {
	text := c.Text
	if text == "" {
		text = c.Says
	}
	switch c.Refusal {
	case "":
		return nil
	case fault.Invalid:
		return fault.Field(c.Field, text).WithHint("%s", c.Hint)
	}
	return fault.New(c.Refusal, "%s", text).WithHint("%s", c.Hint)
}
