package account

import (
	"errors"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// States of an ACH account (A5).
const (
	Unverified          = "unverified"
	PendingVerification = "pending_verification"
	Verified            = "verified"
	VerificationFailed  = "verification_failed"
	Disabled            = "disabled"
)

// Reasons why an ACH account is disabled.
const (
	ConnectionRemoved = "connection_removed"
	ConsentRevoked    = "consent_revoked"
	NotShared         = "not_shared"
)

// States lists all states.
var States = []string{Unverified, PendingVerification, Verified, VerificationFailed, Disabled}

// Owner kinds of an ACH account, and account types.
const (
	Employer = "employer"
	Carrier  = "carrier"

	Checking = "checking"
	Savings  = "savings"
)

// ACH is the credential layer (R3) as replies show it: never more than the last four digits (R49).
type ACH struct {
	ID             string    `json:"_id" doc:"24 hex characters"`
	OwnerType      string    `json:"owner_type" enum:"employer,carrier"`
	OwnerID        string    `json:"owner_id"`
	AccountLast4   string    `json:"account_last4"`
	RoutingLast4   string    `json:"routing_last4"`
	Mask           string    `json:"mask,omitempty" doc:"The digits the bank itself shows; not always the account number's last"`
	Status         string    `json:"status" enum:"unverified,pending_verification,verified,verification_failed,disabled"`
	DisabledReason string    `json:"disabled_reason,omitempty" enum:"connection_removed,consent_revoked,not_shared" doc:"Why it is disabled; the last two end by themselves when the user signs in again"`
	BankName       string    `json:"bank_name"`
	AccountType    string    `json:"account_type" enum:"checking,savings"`
	Nickname       string    `json:"nickname,omitempty"`
	IsPrimary      bool      `json:"is_primary"`
	ConnectionType string    `json:"connection_type" enum:"manual,plaid"`
	Tokenized      bool      `json:"tokenized,omitempty" doc:"The bank gave an alias that works for ACH alone"`
	Evidence       *Evidence `json:"evidence,omitempty" doc:"Why the status is what it is"`
	BankAccountID  string    `json:"bank_account_id,omitempty" doc:"The metadata layer's account it belongs to"`
	ConnectionID   string    `json:"connection_id,omitempty"`
	PlaidAccountID string    `json:"plaid_account_id,omitempty"`
	PlaidItemID    string    `json:"plaid_item_id,omitempty"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Evidence is the basis of a verification.
type Evidence struct {
	Method      string    `json:"method" enum:"instant,micro_deposit,database,none,attested" doc:"How the account was proven"`
	PlaidStatus string    `json:"plaid_status,omitempty" doc:"Plaid's verification_status, where it gave one"`
	At          time.Time `json:"at"`
}

// Numbers are an account's numbers in the body of a request that adds it.
type Numbers struct {
	RoutingNumber ach.RoutingNumber `json:"routing_number" doc:"9-digit ABA routing number"`
	AccountNumber ach.AccountNumber `json:"account_number" doc:"Bank account number, 5 to 17 digits"`
}

// AddACHParams makes an ACH account by hand.
type AddACHParams struct {
	OwnerType string `json:"owner_type" enum:"employer,carrier"`
	OwnerID   string `json:"owner_id"`
	Numbers
	BankName      string `json:"bank_name" doc:"Bank institution name"`
	AccountType   string `json:"account_type" enum:"checking,savings"`
	Nickname      string `json:"nickname,omitempty" doc:"Friendly name"`
	IsPrimary     *bool  `json:"is_primary,omitempty" doc:"Set as default account"`
	BankAccountID string `json:"bank_account_id,omitempty" doc:"The metadata layer's account it belongs to (A12)"`
}

// Check names every bad field, never quoting a number.
func (p AddACHParams) Check() error {
	var bad fault.Problems
	checkOwner(&bad, p.OwnerType, p.OwnerID)
	n := p.Typed()
	bad.Check("routing_number", n.Routing.Check())
	bad.Check("account_number", n.Account.Check())
	bad.Check("bank_name", checkLabel(p.BankName, n.Account))
	if bad.Require("account_type", p.AccountType) && p.AccountType != Checking && p.AccountType != Savings {
		bad.Add("account_type", "must be checking or savings")
	}
	if p.Nickname != "" {
		bad.Check("nickname", checkLabel(p.Nickname, n.Account))
	}
	return bad.Err()
}

// Typed gives the numbers without the spaces and dashes that people type.
func (n Numbers) Typed() ach.Numbers {
	return ach.Numbers{Routing: n.RoutingNumber.Bare(), Account: n.AccountNumber.Bare()}
}

// checkLabel checks a name that is shown and logged, where a number is not: an account number must not pass as one.
func checkLabel(text string, number ach.AccountNumber) error {
	if err := tenant.CheckText(text, 200); err != nil {
		return err
	}
	if ach.HoldsNumber(text) || number.In(text) {
		return errors.New("must not hold an account number")
	}
	return nil
}

// CheckNickname refuses a nickname that holds the account's own number.
func CheckNickname(nickname string, number ach.AccountNumber) error {
	if nickname == "" {
		return nil
	}
	var bad fault.Problems
	bad.Check("nickname", checkLabel(nickname, number))
	return bad.Err()
}

// Wire is the request's body. Beside the stored form it is the only place that writes the digits out.
func (p AddACHParams) Wire() map[string]any {
	body := map[string]any{
		"owner_type": p.OwnerType, "owner_id": p.OwnerID, "bank_name": p.BankName, "account_type": p.AccountType,
		"routing_number": p.RoutingNumber.Reveal(), "account_number": p.AccountNumber.Reveal(),
	}
	if p.Nickname != "" {
		body["nickname"] = p.Nickname
	}
	if p.IsPrimary != nil {
		body["is_primary"] = *p.IsPrimary
	}
	if p.BankAccountID != "" {
		body["bank_account_id"] = p.BankAccountID
	}
	return body
}

func checkOwner(bad *fault.Problems, kind, id string) {
	if bad.Require("owner_type", kind) && kind != Employer && kind != Carrier {
		bad.Add("owner_type", "must be employer or carrier")
	}
	if bad.Require("owner_id", id) {
		bad.Check("owner_id", tenant.CheckOwnerID(id))
	}
}

func checkNickname(bad *fault.Problems, nickname string) {
	if nickname != "" {
		bad.Check("nickname", checkLabel(nickname, ach.AccountNumber{}))
	}
}

// FromPlaidParams makes an ACH account from a linked account; Plaid provides the numbers (R30).
type FromPlaidParams struct {
	OwnerType      string `json:"owner_type" enum:"employer,carrier"`
	OwnerID        string `json:"owner_id"`
	PlaidAccountID string `json:"plaid_account_id" doc:"Plaid account ID from the connection"`
	PlaidItemID    string `json:"plaid_item_id" doc:"Plaid item ID from the connection"`
	AccessToken    string `json:"access_token,omitempty" doc:"The handle from the exchange; may be left out (A2)"`
	Nickname       string `json:"nickname,omitempty"`
	IsPrimary      *bool  `json:"is_primary,omitempty"`
}

// Check names every bad field.
func (p FromPlaidParams) Check() error {
	var bad fault.Problems
	checkOwner(&bad, p.OwnerType, p.OwnerID)
	bad.Require("plaid_account_id", p.PlaidAccountID)
	bad.Require("plaid_item_id", p.PlaidItemID)
	checkNickname(&bad, p.Nickname)
	return bad.Err()
}

// UpdateACHParams changes an ACH account (A8). Numbers, owner and verification cannot change.
type UpdateACHParams struct {
	Nickname    *string `json:"nickname,omitempty"`
	IsPrimary   *bool   `json:"is_primary,omitempty"`
	AccountType *string `json:"account_type,omitempty" enum:"checking,savings" doc:"While unverified"`
}

// Check names every bad field.
func (p UpdateACHParams) Check() error {
	var bad fault.Problems
	if p.Nickname != nil {
		checkNickname(&bad, *p.Nickname)
	}
	checkPrimary(&bad, "is_primary", p.IsPrimary)
	if p.AccountType != nil && *p.AccountType != Checking && *p.AccountType != Savings {
		bad.Add("account_type", "must be checking or savings")
	}
	return bad.Err()
}

// Owner returns the owner as a pair, to be compared with scopes.
func (a ACH) Owner() (employer, carrier string) { return OwnerPair(a.OwnerType, a.OwnerID) }

// OwnerPair turns an owner's kind and id into an employer's and a carrier's id, one of them empty.
func OwnerPair(kind, id string) (employer, carrier string) {
	if kind == Carrier {
		return "", id
	}
	return id, ""
}

// ACHQuery selects ACH accounts.
type ACHQuery struct {
	OwnerType      string `query:"owner_type" enum:"employer,carrier" flag:"-"`
	OwnerID        string `query:"owner_id" doc:"of this owner" flag:"-"`
	Status         string `query:"status" enum:"active,unverified,pending_verification,verified,verification_failed,disabled" doc:"active (not disabled), unverified, pending_verification, verified, verification_failed or disabled"` // A5
	ConnectionType string `query:"connection_type" enum:"manual,plaid"`
	BankAccountID  string `query:"bank_account_id" doc:"of this bank account" flag:"account-id" id:"bank account"`
}

// Match reports whether an account is selected.
func (q ACHQuery) Match(a ACH) bool {
	status := q.Status == "" || q.Status == a.Status || q.Status == Active && a.Status != Disabled
	return status && is(q.OwnerType, a.OwnerType) && is(q.OwnerID, a.OwnerID) &&
		is(q.ConnectionType, a.ConnectionType) && is(q.BankAccountID, a.BankAccountID)
}

// ValidStatus reports whether the status filter takes a word.
func ValidStatus(s string) bool { return s == Active || slices.Contains(States, s) }

// VerifyACHParams proves an ACH account (A7): by the numbers that Plaid has for a linked account, or by an admin's
// attestation, which needs a reason and is audited.
type VerifyACHParams struct {
	Method         string `json:"method,omitempty" enum:"plaid,attest,micro_deposit" doc:"Default plaid: compare with a linked account. micro_deposit opens Plaid's page, first to send a deposit, then for its code"`
	PlaidItemID    string `json:"plaid_item_id,omitempty" doc:"The connection to compare with; not needed for an account that came from Plaid"`
	PlaidAccountID string `json:"plaid_account_id,omitempty" doc:"One account of it; all are compared where left out"`
	Reason         string `json:"reason,omitempty" doc:"Why an admin vouches for it (method attest)"`
}

// MicroDeposit proves an account by the code of a small deposit.
const MicroDeposit = "micro_deposit"

// VerifyReply is the account, and with micro_deposit the page on which to continue.
type VerifyReply struct {
	ACH
	Page *VerifyPage `json:"page,omitempty" doc:"Where the account's holder authorises the deposit, or enters its code"`
}

// VerifyPage is one opening of Plaid's hosted page, watched by bankd.
type VerifyPage struct {
	SessionID     string    `json:"session_id" doc:"Watch it at /api/v1/plaid/link-sessions/{session_id}"`
	HostedLinkURL string    `json:"hosted_link_url"`
	Expiration    time.Time `json:"expiration"`
	Step          string    `json:"step" enum:"send,confirm" doc:"send: type the numbers, and have the deposit sent. confirm: enter the code that came with it"`
}

// Check names every bad field.
func (p VerifyACHParams) Check() error {
	var bad fault.Problems
	switch p.Method {
	case "", "plaid", MicroDeposit:
	case "attest":
		bad.Check("reason", tenant.CheckText(p.Reason, 500))
		if ach.HoldsNumber(p.Reason) { // the reason goes into the audit log
			bad.Add("reason", "must not hold an account number")
		}
	default:
		bad.Add("method", "must be plaid, attest or micro_deposit")
	}
	return bad.Err()
}
