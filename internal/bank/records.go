package bank

import (
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// The stored forms: each embeds the word that replies show and adds what only bankd may know. They are sealed whole.

type storedClient struct {
	tenant.Client
	TenantID   string `json:"tenant_id"`
	SecretHash string `json:"secret_hash"`               // keyed
	OldHash    string `json:"old_secret_hash,omitempty"` // of the secret before the last rotation, until OldSecretEnds
}

type storedAccount struct {
	account.Account
	// Gone says that the bank no longer shows it, so that its return can make it active again.
	Gone bool `json:"gone,omitempty"`
	// Persistent is Plaid's id of it across Items and re-issues; few banks have one.
	Persistent string `json:"persistent,omitempty"`
}

type storedACH struct {
	account.ACH
	Routing     string `json:"routing_number"`
	Number      string `json:"account_number"`
	Fingerprint string `json:"fingerprint"`
}

// disable stops an ACH account for a reason of its connection's; it comes back when the reason is gone.
func (a *storedACH) disable(reason string, now time.Time) {
	a.Status, a.DisabledReason, a.IsPrimary, a.UpdatedAt = account.Disabled, reason, false, now
}

// suspended reports whether it was the connection, rather than a user, that stopped it.
func (a storedACH) suspended() bool {
	return a.DisabledReason == account.ConsentRevoked || a.DisabledReason == account.NotShared
}

func (a storedACH) pending() bool { return a.Status == account.PendingVerification }

// suspendedPending reports whether it was stopped while a deposit was on its way. Plaid refuses numbers from the moment a
// deposit is lost, so a call for numbers may stop an account before a look at the accounts tells why.
func (a storedACH) suspendedPending() bool {
	if !a.suspended() || a.Evidence == nil {
		return false
	}
	status, _ := account.FromPlaidStatus(a.Evidence.PlaidStatus)
	return status == account.PendingVerification
}

func (a storedACH) numbers() ach.Numbers {
	return ach.Numbers{Routing: ach.NewRoutingNumber(a.Routing), Account: ach.NewAccountNumber(a.Number)}
}

type storedConnection struct {
	connection.Connection
	AccessToken string       `json:"access_token"`
	Rotating    *time.Time   `json:"rotating,omitempty"` // a swap of the token was asked for, and its outcome is not stored yet
	Swap        bool         `json:"swap,omitempty"`     // another tool knows the token: it is to be swapped
	Pointed     string       `json:"pointed,omitempty"`  // where we had Plaid send this Item's webhooks
	Mended      *time.Time   `json:"mended,omitempty"`   // when its last update session ended well
	Read        bool         `json:"read"`               // what the link was for is done: accounts read, or the employee's account judged
	Employee    *EmployeeRef `json:"employee,omitempty"` // an employee's own: S1's routes do not show it

	// Deleted are accounts that the bank shows and that were deleted here: no sync brings them back.
	Deleted []connection.LinkedAccount `json:"deleted,omitempty"`
}

// token opens its Item, and has the calls counted as this connection's.
func (c storedConnection) token() plaid.AccessToken {
	return plaid.NewAccessToken(c.AccessToken).Of(c.ID)
}

// tokenIsDead reports whether nothing is left that its token could open.
func (c storedConnection) tokenIsDead() bool {
	return c.Has(connection.InvalidAccessToken) || c.Has(connection.ItemNotFound) || c.Has(connection.TokenLost)
}

// EmployeeRef names an employee's account by its whole path; Account is empty where one is about to be made.
type EmployeeRef struct {
	Company  string `json:"company"`
	Employee string `json:"employee"`
	Account  string `json:"account"`
}

type storedEmployee struct {
	employee.BankAccount
	Routing        string               `json:"routing_number"` // as typed
	Number         string               `json:"account_number"`
	AdoptedRouting string               `json:"adopted_routing,omitempty"` // the bank's alias, where the policy pays to that
	AdoptedNumber  string               `json:"adopted_number,omitempty"`
	Fingerprint    string               `json:"fingerprint"`
	ConnectionID   string               `json:"connection_id,omitempty"`
	Claim          *employee.LinkParams `json:"claim,omitempty"` // what the caller posted, without its token; never believed
	Rev            int                  `json:"rev"`             // counts writes, so that a verdict on an older state is not kept
}

func (e storedEmployee) ref() EmployeeRef {
	return EmployeeRef{Company: e.CompanyID, Employee: e.EmployeeID, Account: e.AccountID}
}

func (e storedEmployee) typed() employee.Typed {
	return employee.Typed{
		Numbers:    ach.Numbers{Routing: ach.NewRoutingNumber(e.Routing), Account: ach.NewAccountNumber(e.Number)},
		HolderName: e.AccountHolderName, AccountType: e.AccountType,
	}
}

type storedSession struct {
	Choose bool `json:"choose,omitempty"` // an update session in which the user chooses accounts anew
	connection.Session
	LinkToken      string `json:"link_token"`
	ClientID       string `json:"client_id"`
	Hosted         bool   `json:"hosted"`
	Exchange       bool   `json:"exchange"`
	AllowDuplicate bool   `json:"allow_duplicate,omitempty"`

	// Asked for in Link; a session completed without its page asks for the same.
	Products []string `json:"products,omitempty"`
	Extras   []string `json:"extras,omitempty"` // wanted where the bank has them
}

// exchange stages: what is known of one public token.
const (
	intended = "intended" // stored before Plaid is asked
	linked   = "linked"   // the access token is stored with its connection
	lost     = "lost"     // Plaid took the token and the answer never reached the disk
)

type storedExchange struct {
	Stage        string                    `json:"stage"`
	Params       connection.ExchangeParams `json:"params"` // with the public token
	SessionID    string                    `json:"session_id,omitempty"`
	ConnectionID string                    `json:"connection_id"` // minted with the intent
	Employee     *EmployeeRef              `json:"employee,omitempty"`
	Claim        *employee.LinkParams      `json:"claim,omitempty"`
	ClientID     string                    `json:"client_id"`
	At           time.Time                 `json:"at"`
}

// tombstone is all that is left of a deleted account (A11).
type tombstone struct {
	ID    string    `json:"_id"`
	Kind  string    `json:"kind"`
	Last4 string    `json:"last4,omitempty"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// pointer is an index record: it names another record of its tenant.
type pointer struct {
	ID string `json:"id"`
}

// recordRef names a record of any tenant, for the system's own lists of unfinished work.
type recordRef struct {
	TenantID string `json:"tenant_id"`
	ID       string `json:"id"`
}

// The collections. Keys are minted ids, Plaid's item ids and keyed fingerprints: never a name, number or token.
var (
	tenants             = store.NewCollection[tenant.Tenant]("tenants")    // system
	clients             = store.NewCollection[storedClient]("clients")     // system, by client id
	open                = store.NewCollection[recordRef]("open_sessions")  // system, by session id
	unfinishedExchanges = store.NewCollection[recordRef]("open_exchanges") // system, by fingerprint: intended, or linked and not yet read

	bankAccounts     = store.NewCollection[storedAccount]("bank_accounts")
	plaidAccounts    = store.NewCollection[pointer]("plaid_accounts") // by fingerprint of item + Plaid's account id
	achAccounts      = store.NewCollection[storedACH]("ach_accounts")
	achNumbers       = store.NewCollection[pointer]("ach_numbers") // by fingerprint of owner + numbers
	connections      = store.NewCollection[storedConnection]("connections")
	items            = store.NewCollection[pointer]("items")           // by Plaid's item id
	sessionTokens    = store.NewCollection[pointer]("session_tokens")  // by fingerprint of the public token
	tokenTenants     = store.NewCollection[recordRef]("token_tenants") // system, by fingerprint of the public token: whose session it came from
	linkSessions     = store.NewCollection[storedSession]("link_sessions")
	exchanges        = store.NewCollection[storedExchange]("exchanges") // by fingerprint of the public token
	employeeAccounts = store.NewCollection[storedEmployee]("employee_accounts")
	employeeNumbers  = store.NewCollection[pointer]("employee_numbers")  // by fingerprint of employee + numbers
	employeeSessions = store.NewCollection[pointer]("employee_sessions") // by account id + kind: the session that may be used again
	companies        = store.NewCollection[employee.Capabilities]("companies")
	tombstones       = store.NewCollection[tombstone]("tombstones")
	replies          = store.NewCollection[storedReply]("idempotency") // by fingerprint of client + key
)
