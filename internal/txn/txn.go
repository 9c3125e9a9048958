// Package txn owns a bank transaction, queries of many, and their sums. Package ledger stores them.
package txn

import (
	"time"

	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/quota"
)

// Words for a transaction's direction and state.
const (
	Debit  = "debit"  // money out: a positive amount (A22)
	Credit = "credit" // money in
)

// Transaction is one line of an account's history. Dates are the bank's calendar days, never converted.
type Transaction struct {
	ID string `json:"_id" doc:"24 hex characters"`
	Details
	Place
	Date      string    `json:"date" doc:"YYYY-MM-DD: the day it happened while pending, the day it was posted after"`
	Amount    int64     `json:"amount_cents" doc:"Minor units with Plaid's sign: positive is money out"`
	Currency  string    `json:"currency" doc:"The code as Plaid gave it, official or not; empty for none"`
	Direction string    `json:"direction" enum:"debit,credit" doc:"Of the bank's exact amount, before it is rounded: 0.001 out is a debit of 0.00"`
	Rounded   bool      `json:"rounded,omitempty" doc:"The bank's amount was finer than the currency's minor unit"`
	Pending   bool      `json:"pending"`
	FirstSeen time.Time `json:"first_seen" doc:"When it first came, as pending too"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Details is the text that a bank gives for a transaction. Plaid's pages, the stored form and replies embed it: a new
// text is a field here, its line in Texts, and a column of the CSV export.
type Details struct {
	PlaidTransactionID   string `json:"plaid_transaction_id"`
	PendingTransactionID string `json:"pending_transaction_id,omitempty" doc:"Plaid's id of the pending one it took the place of"`
	AuthorizedDate       string `json:"authorized_date,omitempty"`
	Datetime             string `json:"datetime,omitempty"`
	Name                 string `json:"name"`
	MerchantName         string `json:"merchant_name,omitempty"`
	Category             string `json:"category,omitempty" doc:"Plaid's primary personal finance category"`
	CategoryDetailed     string `json:"category_detailed,omitempty"`
	PaymentChannel       string `json:"payment_channel,omitempty"`
	CheckNumber          string `json:"check_number,omitempty"`
}

// TextCount is the number of texts in Details; CategoryText is the index of Category among them.
const (
	TextCount    = 10
	CategoryText = 6
)

// Texts lists the texts in the order of the stored form.
func (d *Details) Texts() [TextCount]*string {
	return [TextCount]*string{
		&d.PlaidTransactionID, &d.PendingTransactionID, &d.AuthorizedDate, &d.Datetime, &d.Name, &d.MerchantName,
		&d.Category, &d.CategoryDetailed, &d.PaymentChannel, &d.CheckNumber,
	}
}

// SameBut reports whether two have the same texts, apart from their ids.
func (d Details) SameBut(other Details) bool {
	other.PlaidTransactionID, other.PendingTransactionID = d.PlaidTransactionID, d.PendingTransactionID
	return d == other
}

// Place is a transaction's account and owner, as its connection knows them.
type Place struct {
	ConnectionID   string `json:"connection_id"`
	PlaidItemID    string `json:"plaid_item_id"`
	PlaidAccountID string `json:"plaid_account_id"`
	BankAccountID  string `json:"bank_account_id,omitempty"`
	EmployerID     string `json:"employer_id,omitempty"`
	CarrierID      string `json:"carrier_id,omitempty"`
}

// Raw is a transaction from Plaid, its amount exact.
type Raw struct {
	Details
	AccountID string
	Date      string
	Amount    money.Amount
	Debit     bool // the exact amount is more than 0: what is rounded to 0 does not show it
	Rounded   bool
	Pending   bool
}

// Removed names a transaction that Plaid took back.
type Removed struct {
	ID, AccountID string
}

// Update is one whole update of an Item: all its pages, to be stored together with the new cursor.
type Update struct {
	From, To string // cursors; From is empty for the first update
	Added    []Raw
	Modified []Raw
	Removed  []Removed
	Unread   []Unread
}

// Unread is a row from Plaid that cannot be stored. It holds no text of the row's but what has the form of an id.
type Unread struct {
	Key           string // Plaid's id as it came; a digest of the row where it has none
	ID, AccountID string // Plaid's; empty where they are missing or of another form
	Field, Reason string
}

// SetAside is a row that bankd could not read or store. The rest of its update was stored; the row is read again
// whenever Plaid sends it again.
type SetAside struct {
	PlaidTransactionID string `json:"plaid_transaction_id" doc:"Empty where it is missing, or has not the form of an id"`
	Place
	Field     string    `json:"field" doc:"Of Plaid's row"`
	Reason    string    `json:"reason"`
	Times     int       `json:"times" doc:"How often it came so"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

// Counts counts the changes of an update.
type Counts struct {
	Added    int `json:"added"`
	Modified int `json:"modified"`
	Removed  int `json:"removed"`
}

// Synced is the reply to a sync.
type Synced struct {
	ConnectionID string `json:"connection_id"`
	PlaidItemID  string `json:"plaid_item_id"`
	Status       string `json:"status" doc:"How far Plaid is: NOT_READY, INITIAL_UPDATE_COMPLETE, HISTORICAL_UPDATE_COMPLETE"`
	Counts
	SetAside int              `json:"set_aside,omitempty" doc:"Rows of this connection that could not be read or stored, and wait to be sent again"`
	Total    int              `json:"total_transactions"`
	SyncedAt time.Time        `json:"synced_at"`
	Left     *quota.Allowance `json:"refreshes_left,omitempty" doc:"With refresh: what this connection may still ask in this minute"`
	Reading  bool             `json:"reading,omitempty" doc:"It still goes on: the connection tells how far it is, the same call waits on"`
}

// Page is one page of a listing.
type Page struct {
	Rows     []Transaction
	Info     page.Info
	Next     string     // cursor of the next page; empty on the last
	SyncedAt *time.Time // the oldest sync among the connections listed; nil if one was never synced
}

// RawPage is a Page whose rows are JSON.
type RawPage struct {
	Rows     JSON
	Info     page.Info
	Next     string
	SyncedAt *time.Time
}

// DirectionOf returns the direction of an amount; out tells it of one that was rounded to 0. Zero itself is a credit.
func DirectionOf(minor int64, out bool) string {
	if minor > 0 || minor == 0 && out {
		return Debit
	}
	return Credit
}
