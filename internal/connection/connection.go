// Package connection owns a linked institution (a Plaid Item), the link sessions that make one, and their states.
// Package account owns the accounts at it.
package connection

import (
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/quota"
	"github.com/bankctl/bankctl/internal/tenant"
)

// States of a connection.
const (
	Active            = "active"
	NeedsReauth       = "needs_reauth"
	PendingDisconnect = "pending_disconnect"
	PendingExpiration = "pending_expiration"
	Revoked           = "revoked"
	Failed            = "error"
	Removed           = "removed"
)

// States lists all states.
var States = []string{Active, NeedsReauth, PendingDisconnect, PendingExpiration, Revoked, Failed, Removed}

// Institution is the bank as Plaid names it.
type Institution struct {
	ID   string `json:"institution_id"`
	Name string `json:"name"`
}

// Connection is one linked institution of one owner.
type Connection struct {
	ID           string          `json:"_id" doc:"24 hex characters"`
	ItemID       string          `json:"item_id" doc:"Plaid's Item"`
	UserID       string          `json:"user_id"`
	EmployerID   string          `json:"employer_id,omitempty"`
	CarrierID    string          `json:"carrier_id,omitempty"`
	Institution  Institution     `json:"institution"`
	Status       string          `json:"status" enum:"active,needs_reauth,pending_disconnect,pending_expiration,revoked,error,removed"`
	Since        *time.Time      `json:"status_since,omitempty" doc:"When the status last changed"`
	Error        *Trouble        `json:"error,omitempty" doc:"Why the status is what it is, and what mends it"`
	Notices      []Trouble       `json:"notices,omitempty" doc:"What else there is to know or do; it works all the same"`
	Products     []string        `json:"products" doc:"What the Item may be asked for"`
	Accounts     []LinkedAccount `json:"accounts"`
	ConsentEnds  *time.Time      `json:"consent_ends,omitempty" doc:"When the user's consent, or the bank's access, ends by itself"`
	SyncedAt     *time.Time      `json:"synced_at" doc:"When its accounts were last read"`
	Transactions *Transactions   `json:"transactions,omitempty" doc:"How far its transactions are"`
	Reading      *Reading        `json:"reading,omitempty" doc:"Where its transactions are being read just now"`
	CreatedAt    time.Time       `json:"created_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
}

// Transactions is the progress of a connection's transactions.
type Transactions struct {
	Status   string    `json:"status" doc:"Plaid's: NOT_READY, INITIAL_UPDATE_COMPLETE, HISTORICAL_UPDATE_COMPLETE"`
	Total    int       `json:"total"`
	SetAside int       `json:"set_aside,omitempty" doc:"Rows that could not be read or stored, and wait to be sent again: GET /plaid/transactions/set-aside"`
	SyncedAt time.Time `json:"synced_at"`
}

// Reading is the progress of a sync under way, whose pages are stored together at its end.
type Reading struct {
	Rows    int64     `json:"rows"`
	Percent int       `json:"percent,omitempty" doc:"Of a first sync, by the day it has come to: an estimate, for Plaid never says how much is to come"`
	Since   time.Time `json:"since"`
}

// LinkedAccount is the short form of an account, inside a connection.
type LinkedAccount struct {
	ID             string `json:"_id" doc:"The bank account's id"`
	PlaidAccountID string `json:"plaid_account_id"`
	Name           string `json:"name"`
	Mask           string `json:"mask"`
	Type           string `json:"type"`
	Subtype        string `json:"subtype"`
}

// Exchanged is the reply to an exchange: the connection, and the handle that from-plaid takes (A2, A3).
type Exchanged struct {
	Connection
	AccessToken string `json:"access_token" doc:"An opaque handle sealed by bankd; Plaid's own token never leaves the daemon"`
	Replayed    bool   `json:"-"` // the exchange was made before
}

// HTTPStatus is 201 where the exchange made the connection, 200 where it was there already.
func (e Exchanged) HTTPStatus() int {
	if e.Replayed {
		return 200
	}
	return 201
}

// Query selects connections.
type Query struct {
	EmployerID string `query:"employer_id" doc:"of this employer"`
	CarrierID  string `query:"carrier_id" doc:"of this carrier"`
	Status     string `query:"status" enum:"active,needs_reauth,pending_disconnect,pending_expiration,revoked,error,removed"`
}

// WaitQuery lets the reply about a link session wait for the session's end.
type WaitQuery struct {
	Wait time.Duration `query:"wait" doc:"answer as soon as the session ends, or after this time; a minute at most"`
}

// ExpiringQuery sets how far ahead the calendar of ends looks.
type ExpiringQuery struct {
	Within time.Duration `query:"within" doc:"how far to look ahead; 720h where left out"`
}

// UsageQuery selects the calls of one connection, or all.
type UsageQuery struct {
	ConnectionID string `query:"connection_id" doc:"of this connection"`
}

// Match reports whether a connection is selected.
func (q Query) Match(c Connection) bool {
	return (q.EmployerID == "" || q.EmployerID == c.EmployerID) && (q.CarrierID == "" || q.CarrierID == c.CarrierID) &&
		(q.Status == "" || q.Status == c.Status)
}

// ExchangeParams turns a public token into a connection.
type ExchangeParams struct {
	PublicToken    string    `json:"public_token" doc:"Public token from Plaid Link's onSuccess"`
	UserID         string    `json:"user_id" doc:"Your internal user identifier"`
	EmployerID     string    `json:"employer_id,omitempty" doc:"Employer to associate the connection with"`
	CarrierID      string    `json:"carrier_id,omitempty" doc:"Carrier, if linking for a carrier"`
	Metadata       *Metadata `json:"metadata,omitempty" doc:"Link's onSuccess metadata; kept as a claim, used against duplicates"`
	AllowDuplicate bool      `json:"allow_duplicate,omitempty" doc:"Link again although the same accounts are linked"`
}

// Check names every bad field.
func (p ExchangeParams) Check() error {
	var bad fault.Problems
	bad.Require("public_token", p.PublicToken)
	if len(p.PublicToken) > 512 {
		bad.Add("public_token", "is too long")
	}
	bad.Check("user_id", tenant.CheckText(p.UserID, 256))
	account.CheckOwners(&bad, p.EmployerID, p.CarrierID)
	return bad.Err()
}

// Metadata is the part of Plaid Link's onSuccess object that bankd uses; unknown keys are accepted.
type Metadata struct {
	Institution   *Institution      `json:"institution"`
	Accounts      []MetadataAccount `json:"accounts"`
	LinkSessionID string            `json:"link_session_id,omitempty"`
}

// Names reports whether an account of this name and mask is among those chosen.
func (m *Metadata) Names(name, mask string) bool {
	return slices.ContainsFunc(m.Accounts, func(a MetadataAccount) bool { return a.Name == name && a.Mask == mask })
}

// NullText is a text that JSON shows as null where there is none.
func NullText(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// Status gives the verification_status, "" where Plaid gave none.
func (a MetadataAccount) Status() string {
	if a.VerificationStatus == nil {
		return ""
	}
	return *a.VerificationStatus
}

// MetadataAccount is one account the user chose.
type MetadataAccount struct {
	ID                 string  `json:"id"`
	Name               string  `json:"name"`
	Mask               string  `json:"mask"`
	Type               string  `json:"type"`
	Subtype            string  `json:"subtype"`
	VerificationStatus *string `json:"verification_status" doc:"null where Plaid gave none"`
}

// ItemParams names an Item by Plaid's id or a connection by ours.
type ItemParams struct {
	ItemID string `json:"item_id" doc:"Plaid item ID"`
}

// Check names the missing id.
func (p ItemParams) Check() error {
	var bad fault.Problems
	bad.Require("item_id", p.ItemID)
	return bad.Err()
}

// SyncParams asks for a connection's transactions.
type SyncParams struct {
	ItemParams
	Refresh bool `json:"refresh,omitempty" doc:"Have Plaid look at the bank now first: billed, and at most twice a minute"`
	Reread  bool `json:"reread,omitempty" doc:"Then read all that Plaid has once more from the beginning: rows that were set aside are tried again"`
}

// BalanceParams asks for live balances.
type BalanceParams struct {
	PlaidItemID string `json:"plaid_item_id" doc:"Plaid item ID"`
}

// Check names the missing id.
func (p BalanceParams) Check() error {
	var bad fault.Problems
	bad.Require("plaid_item_id", p.PlaidItemID)
	return bad.Err()
}

// Balances are the bank's current figures (R83).
type Balances struct {
	ItemID       string           `json:"plaid_item_id"`
	ConnectionID string           `json:"connection_id"`
	AsOf         time.Time        `json:"as_of"`
	Accounts     []AccountBalance `json:"accounts"`
	Left         *quota.Allowance `json:"calls_left,omitempty" doc:"What this connection may still ask in this minute"`
}

// AccountBalance is one account's live balance.
type AccountBalance struct {
	ID             string           `json:"_id,omitempty"`
	PlaidAccountID string           `json:"plaid_account_id"`
	Name           string           `json:"name"`
	Mask           string           `json:"mask"`
	Type           string           `json:"type"`
	Subtype        string           `json:"subtype"`
	Balance        *account.Balance `json:"balance"`
	Error          string           `json:"error,omitempty" doc:"Why this account has no balance"`
}

// Synced is the reply to a sync of accounts (R81).
type Synced struct {
	ConnectionID string            `json:"connection_id"`
	ItemID       string            `json:"item_id"`
	Status       string            `json:"status"`
	Added        int               `json:"added"`
	Updated      int               `json:"updated"`
	Inactive     int               `json:"inactive" doc:"Accounts the bank no longer shows"`
	Reissued     int               `json:"reissued,omitempty" doc:"Accounts that go by another of Plaid's ids now; here they stay the same"`
	Accounts     []account.Account `json:"accounts"`
	SyncedAt     time.Time         `json:"synced_at"`
}

// RemovedReply is the reply to a removal: the Item is removed at Plaid; its accounts stay as inactive metadata.
type RemovedReply struct {
	ID       string `json:"_id"`
	ItemID   string `json:"item_id"`
	Deleted  bool   `json:"deleted"`
	Disabled int    `json:"disabled_ach_accounts" doc:"ACH accounts whose numbers came from it"`

	ACHDeleted  int  `json:"deleted_ach_accounts,omitempty" doc:"With ach=delete"`
	Unconfirmed bool `json:"unconfirmed,omitempty" doc:"Its token was dead, so Plaid could not confirm: remove the Item in Plaid's dashboard too"`
}

// Choices for the ACH accounts whose numbers came from a removed connection.
const (
	DisableACH = "disable"
	KeepACH    = "keep"
	DeleteACH  = "delete"
)

// ACHChoices lists all choices.
var ACHChoices = []string{DisableACH, KeepACH, DeleteACH}

// RemoveParams removes a connection.
type RemoveParams struct {
	ACH string `query:"ach" enum:"disable,keep,delete" doc:"what becomes of its ACH accounts: disable (default), keep or delete"`
}

// Rotated is the reply to a swap of the access token. It does not show the token.
type Rotated struct {
	ID        string    `json:"_id"`
	ItemID    string    `json:"item_id"`
	RotatedAt time.Time `json:"rotated_at"`
}
