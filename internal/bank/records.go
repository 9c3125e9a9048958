package bank

import (
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// The stored forms: each embeds the type that replies show and adds data for bankd only. They are sealed whole.

type storedClient struct {
	tenant.Client
	TenantID   string `json:"tenant_id"`
	SecretHash string `json:"secret_hash"`               // keyed
	OldHash    string `json:"old_secret_hash,omitempty"` // of the secret before the last rotation, until OldSecretEnds
}

type storedAccount struct {
	account.Account
	// Gone means that the bank no longer shows the account, so that its return can make it active again.
	Gone bool `json:"gone,omitempty"`
	// Persistent is Plaid's id of the account across Items and re-issues, which few banks have.
	Persistent string `json:"persistent,omitempty"`
}

type storedACH struct {
	account.ACH
	Routing     string `json:"routing_number"`
	Number      string `json:"account_number"`
	Fingerprint string `json:"fingerprint"`
}

// disable suspends an ACH account because of its connection; it comes back when the reason ends.
func (a *storedACH) disable(reason string, now time.Time) {
	a.Status, a.DisabledReason, a.IsPrimary, a.UpdatedAt = account.Disabled, reason, false, now
}

// suspended reports whether its connection, and no user, disabled the account.
func (a storedACH) suspended() bool {
	return a.DisabledReason == account.ConsentRevoked || a.DisabledReason == account.NotShared
}

func (a storedACH) pending() bool { return a.Status == account.PendingVerification }

// suspendedPending reports whether the account was suspended during a deposit. Plaid refuses numbers from the moment a
// deposit fails, so a call for numbers may suspend an account before its status tells why.
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
	Rotating    *time.Time   `json:"rotating,omitempty"` // a swap of the token began, and its outcome is not stored
	Swap        bool         `json:"swap,omitempty"`     // the token must be swapped: another tool knows it
	Pointed     string       `json:"pointed,omitempty"`  // the webhook address that bankd set at Plaid
	Mended      *time.Time   `json:"mended,omitempty"`   // end of its last successful update session
	Read        bool         `json:"read"`               // the link's purpose is fulfilled: accounts read, or the employee's account judged
	Employee    *EmployeeRef `json:"employee,omitempty"` // set for an employee's connection, which S1's routes do not show

	// Deleted are accounts that were deleted here and that the bank still shows: no sync brings them back.
	Deleted []connection.LinkedAccount `json:"deleted,omitempty"`
	// Past are accounts that the bank no longer shows, whose transactions stay.
	Past []connection.LinkedAccount `json:"past,omitempty"`
	// Renamed has, for each of Plaid's former ids of an account, the present one.
	Renamed map[string]string `json:"renamed,omitempty"`
}

// rename records that Plaid gives an account another id.
func (c *storedConnection) rename(from, to string) {
	if from == to {
		return
	}
	renamed := make(map[string]string, len(c.Renamed)+1)
	for former, present := range c.Renamed {
		if present == from {
			present = to
		}
		renamed[former] = present
	}
	renamed[from] = to
	delete(renamed, to) // an id that came back
	c.Renamed = renamed
}

// accountIDs are Plaid's ids of all accounts that the connection has or had.
func (c storedConnection) accountIDs() map[string]bool {
	ids := map[string]bool{}
	for _, list := range [][]connection.LinkedAccount{c.Accounts, c.Deleted, c.Past} {
		for _, a := range list {
			ids[a.PlaidAccountID] = true
		}
	}
	for former := range c.Renamed {
		ids[former] = true
	}
	return ids
}

// setAccounts replaces the accounts that the bank shows. It keeps those that it shows no more.
func (c *storedConnection) setAccounts(now []connection.LinkedAccount) {
	past := c.Past
	c.Past = nil
	for _, a := range slices.Concat(past, c.Accounts) {
		same := func(x connection.LinkedAccount) bool { return x.ID == a.ID }
		if !slices.ContainsFunc(now, same) && !slices.ContainsFunc(c.Deleted, same) && !slices.ContainsFunc(c.Past, same) {
			c.Past = append(c.Past, a)
		}
	}
	c.Accounts = now
}

// token is the Item's access token; calls with it are counted for this connection.
func (c storedConnection) token() plaid.AccessToken {
	return plaid.NewAccessToken(c.AccessToken).Of(c.ID)
}

// tokenIsDead reports whether the token can no longer open anything.
func (c storedConnection) tokenIsDead() bool {
	return c.Has(connection.InvalidAccessToken) || c.Has(connection.ItemNotFound) || c.Has(connection.TokenLost)
}

// EmployeeRef names an employee's account by its whole path; Account is empty if it does not exist yet.
type EmployeeRef struct {
	Company  string `json:"company"`
	Employee string `json:"employee"`
	Account  string `json:"account"`
}

type storedEmployee struct {
	employee.BankAccount
	Routing        string               `json:"routing_number"` // as typed
	Number         string               `json:"account_number"`
	AdoptedRouting string               `json:"adopted_routing,omitempty"` // the bank's alias, if the policy pays to it
	AdoptedNumber  string               `json:"adopted_number,omitempty"`
	Fingerprint    string               `json:"fingerprint"`
	ConnectionID   string               `json:"connection_id,omitempty"`
	Claim          *employee.LinkParams `json:"claim,omitempty"` // posted by the caller, without its token; never relied on
	Rev            int                  `json:"rev"`             // counts writes, to notice a verdict on an older state
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
	Choose bool `json:"choose,omitempty"` // an update session in which the user chooses accounts
	connection.Session
	LinkToken      string `json:"link_token"`
	ClientID       string `json:"client_id"`
	Hosted         bool   `json:"hosted"`
	Exchange       bool   `json:"exchange"`
	AllowDuplicate bool   `json:"allow_duplicate,omitempty"`

	// The products asked for in Link; a session completed without its page uses the same.
	Products []string `json:"products,omitempty"`
	Extras   []string `json:"extras,omitempty"` // wanted if the bank has them
}

// Stages of an exchange of a public token.
const (
	intended = "intended" // stored before Plaid is asked
	linked   = "linked"   // the access token is stored with its connection
	lost     = "lost"     // Plaid took the token, and its answer was not stored
)

type storedExchange struct {
	Stage        string                    `json:"stage"`
	Params       connection.ExchangeParams `json:"params"` // with the public token
	SessionID    string                    `json:"session_id,omitempty"`
	ConnectionID string                    `json:"connection_id"` // made with the intent
	Employee     *EmployeeRef              `json:"employee,omitempty"`
	Claim        *employee.LinkParams      `json:"claim,omitempty"`
	ClientID     string                    `json:"client_id"`
	At           time.Time                 `json:"at"`
}

// tombstone is the rest of a deleted account (A11).
type tombstone struct {
	ID    string    `json:"_id"`
	Kind  string    `json:"kind"`
	Last4 string    `json:"last4,omitempty"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// pointer is an index record: the id of another record of its tenant.
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
	tokenTenants     = store.NewCollection[recordRef]("token_tenants") // system, by fingerprint of the public token: the session's tenant
	linkSessions     = store.NewCollection[storedSession]("link_sessions")
	exchanges        = store.NewCollection[storedExchange]("exchanges") // by fingerprint of the public token
	employeeAccounts = store.NewCollection[storedEmployee]("employee_accounts")
	employeeNumbers  = store.NewCollection[pointer]("employee_numbers")  // by fingerprint of employee + numbers
	employeeSessions = store.NewCollection[pointer]("employee_sessions") // by account id + kind: the session to reuse
	companies        = store.NewCollection[employee.Capabilities]("companies")
	tombstones       = store.NewCollection[tombstone]("tombstones")
	replies          = store.NewCollection[storedReply]("idempotency") // by fingerprint of client + key
)
