// Package account owns the two layers of an account: the bank account, which people see, and the ACH account, which
// money moves through. Package ach owns the numbers.
package account

import (
	"time"

	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Type words of both layers.
const (
	Manual = "manual" // typed by a person
	Plaid  = "plaid"  // from a linked institution

	Active   = "active"
	Inactive = "inactive"
)

// Account is the metadata layer (R2): an account's name and origin, never its numbers.
type Account struct {
	ID             string    `json:"_id" doc:"24 hex characters"`
	UserID         string    `json:"user_id"`
	Name           string    `json:"name"`
	OfficialName   string    `json:"official_name,omitempty"`
	BankName       string    `json:"bank_name"`
	InstitutionID  string    `json:"institution_id,omitempty"`
	EmployerID     string    `json:"employer_id,omitempty"`
	CarrierID      string    `json:"carrier_id,omitempty"`
	ConnectionType string    `json:"connection_type" enum:"manual,plaid"`
	Status         string    `json:"status" enum:"active,inactive"`
	Primary        bool      `json:"primary"`
	PrimaryNotFor  string    `json:"primary_not_for,omitempty" enum:"employer,carrier" doc:"Of an account with both owners: it is primary for the other one alone"`
	Linked         bool      `json:"linked" doc:"Whether a Plaid connection stands behind it"`
	Mask           string    `json:"mask,omitempty" doc:"The digits the bank itself shows"`
	NoACH          string    `json:"no_ach,omitempty" doc:"Why no ACH account can be made of it, found when one was asked for"`
	Type           string    `json:"type,omitempty"`
	Subtype        string    `json:"subtype,omitempty"`
	ConnectionID   string    `json:"connection_id,omitempty"`
	PlaidAccountID string    `json:"plaid_account_id,omitempty"`
	PlaidItemID    string    `json:"plaid_item_id,omitempty"`
	Balance        *Balance  `json:"balance,omitempty" doc:"As of the last sync; POST /plaid/balance asks the bank"`
	CreatedAt      time.Time `json:"created_at"`
	UpdatedAt      time.Time `json:"updated_at"`
}

// Balance is an account's balance in minor units of its currency; null if the bank gave none.
type Balance struct {
	Available *int64    `json:"available_cents"`
	Current   *int64    `json:"current_cents"`
	Limit     *int64    `json:"limit_cents"`
	Currency  string    `json:"currency" doc:"The code as Plaid gave it, official or not; empty for none"`
	Owed      bool      `json:"owed,omitempty" doc:"The account is a credit or a loan: current_cents is what its holder owes"`
	Rounded   bool      `json:"rounded,omitempty" doc:"The bank's figure was finer than the currency's minor unit"`
	AsOf      time.Time `json:"as_of"`
}

// Deleted is the reply to a delete: the deleted accounts, and whether the owner has no primary now (A10).
type Deleted struct {
	ID              string   `json:"_id"`
	Deleted         bool     `json:"deleted"`
	PrimaryRemoved  bool     `json:"primary_removed" doc:"It was the owner's primary; there is none now"`
	AlsoDeletedIDs  []string `json:"also_deleted,omitempty" doc:"ACH accounts that went with it (cascade=true)"`
	AccountLast4    string   `json:"account_last4,omitempty"`
	ConnectionStays string   `json:"connection_id,omitempty" doc:"The Plaid connection behind it, which is kept"`
}

// AddParams makes a bank account by hand.
type AddParams struct {
	UserID         string `json:"user_id" doc:"User who owns or manages this account"`
	Name           string `json:"name" doc:"Account display name"`
	BankName       string `json:"bank_name" doc:"Bank institution name"`
	EmployerID     string `json:"employer_id,omitempty" doc:"Employer to associate with"`
	CarrierID      string `json:"carrier_id,omitempty" doc:"Carrier to associate with"`
	ConnectionType string `json:"connection_type,omitempty" enum:"manual,plaid"`
	Primary        *bool  `json:"primary,omitempty" doc:"Set as default account"`
}

// Check names every bad field.
func (p AddParams) Check() error {
	var bad fault.Problems
	bad.Check("user_id", tenant.CheckText(p.UserID, 256))
	bad.Check("name", checkLabel(p.Name, ach.AccountNumber{}))
	bad.Check("bank_name", checkLabel(p.BankName, ach.AccountNumber{}))
	CheckOwners(&bad, p.EmployerID, p.CarrierID)
	if p.ConnectionType != "" && p.ConnectionType != Manual && p.ConnectionType != Plaid {
		bad.Add("connection_type", "must be manual or plaid")
	}
	return bad.Err()
}

// CheckOwners checks the ids of an employer and a carrier; either may be empty.
func CheckOwners(bad *fault.Problems, employer, carrier string) {
	if employer != "" {
		bad.Check("employer_id", tenant.CheckOwnerID(employer))
	}
	if carrier != "" {
		bad.Check("carrier_id", tenant.CheckOwnerID(carrier))
	}
}

// UpdateParams changes a bank account (A8); nil fields stay.
type UpdateParams struct {
	Name     *string `json:"name,omitempty"`
	BankName *string `json:"bank_name,omitempty"`
	Status   *string `json:"status,omitempty" enum:"active,inactive"`
	Primary  *bool   `json:"primary,omitempty"`
}

// Check names every bad field.
func (p UpdateParams) Check() error {
	var bad fault.Problems
	if p.Name != nil {
		bad.Check("name", checkLabel(*p.Name, ach.AccountNumber{}))
	}
	if p.BankName != nil {
		bad.Check("bank_name", checkLabel(*p.BankName, ach.AccountNumber{}))
	}
	if p.Status != nil && *p.Status != Active && *p.Status != Inactive {
		bad.Add("status", "must be active or inactive")
	}
	checkPrimary(&bad, "primary", p.Primary)
	return bad.Err()
}

// checkPrimary refuses primary=false (A9): to replace a primary, make another account primary.
func checkPrimary(bad *fault.Problems, field string, primary *bool) {
	if primary != nil && !*primary {
		bad.Add(field, "cannot be set to false: make another account primary instead")
	}
}

// DefaultParams makes an account its owner's primary (R60).
type DefaultParams struct {
	Primary *bool `json:"primary" doc:"true; to take it away, make another account primary"`
}

// Check requires primary=true.
func (p DefaultParams) Check() error {
	var bad fault.Problems
	if p.Primary == nil {
		bad.Add("primary", "is required")
	}
	checkPrimary(&bad, "primary", p.Primary)
	return bad.Err()
}

// Yield ends an account's being primary for each owner that it shares with a new primary. It reports whether that
// changes the account.
func (a *Account) Yield(next Account) bool {
	if !a.Primary || a.ID == next.ID || !a.SharesOwner(next) {
		return false
	}
	employer := a.EmployerID != "" && a.EmployerID == next.EmployerID
	carrier := a.CarrierID != "" && a.CarrierID == next.CarrierID
	switch {
	case a.EmployerID == "" || a.CarrierID == "" || employer && carrier:
		a.Primary, a.PrimaryNotFor = false, ""
	case employer && a.PrimaryNotFor == Carrier, carrier && a.PrimaryNotFor == Employer:
		a.Primary, a.PrimaryNotFor = false, ""
	case employer && a.PrimaryNotFor == "":
		a.PrimaryNotFor = Employer
	case carrier && a.PrimaryNotFor == "":
		a.PrimaryNotFor = Carrier
	default:
		return false
	}
	return true
}

// primaryFor reports whether an account is primary for every owner that the query names; if it names none, for any.
func (a Account) primaryFor(q Query) bool {
	return a.Primary && !(a.PrimaryNotFor == Employer && q.EmployerID != "") && !(a.PrimaryNotFor == Carrier && q.CarrierID != "")
}

// SharesOwner reports whether two accounts compete for the same primary: same employer, same carrier, or, if neither
// has an owner, same user.
func (a Account) SharesOwner(b Account) bool {
	if a.EmployerID == "" && a.CarrierID == "" {
		return b.EmployerID == "" && b.CarrierID == "" && a.UserID == b.UserID
	}
	return a.EmployerID != "" && a.EmployerID == b.EmployerID || a.CarrierID != "" && a.CarrierID == b.CarrierID
}

// Query selects bank accounts.
type Query struct {
	EmployerID     string `query:"employer_id" doc:"of this employer"`
	CarrierID      string `query:"carrier_id" doc:"of this carrier"`
	UserID         string `query:"user_id" doc:"of this user"`
	ConnectionID   string `query:"connection_id" doc:"of this connection" id:"connection"`
	ConnectionType string `query:"connection_type" enum:"manual,plaid"`
	Status         string `query:"status" enum:"active,inactive"`
	Primary        *bool  `query:"primary" doc:"primary ones alone; with =false the others"`
}

// DeleteQuery says whether to delete the ACH accounts with a bank account.
type DeleteQuery struct {
	Cascade bool `query:"cascade" doc:"the ACH accounts joined to it too"`
}

// Match reports whether an account is selected.
func (q Query) Match(a Account) bool {
	return is(q.EmployerID, a.EmployerID) && is(q.CarrierID, a.CarrierID) && is(q.UserID, a.UserID) &&
		is(q.ConnectionID, a.ConnectionID) && is(q.ConnectionType, a.ConnectionType) && is(q.Status, a.Status) &&
		(q.Primary == nil || *q.Primary == a.primaryFor(q))
}

func is(want, got string) bool { return want == "" || want == got }
