package connection

import (
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// States of a link session.
const (
	Pending   = "pending"
	Succeeded = "succeeded"
	Exited    = "exited"
	Expired   = "expired"
)

// Session is one opening of Plaid Link through a hosted page, from its link token to its end.
type Session struct {
	ID            string            `json:"session_id"`
	State         string            `json:"state" enum:"pending,succeeded,exited,expired"`
	Mode          string            `json:"mode" enum:"new,update"`
	UserID        string            `json:"user_id"`
	EmployerID    string            `json:"employer_id,omitempty"`
	CarrierID     string            `json:"carrier_id,omitempty"`
	CompanyID     string            `json:"company_id,omitempty" doc:"Set where an employee's account is verified"`
	EmployeeID    string            `json:"employee_id,omitempty"`
	AccountID     string            `json:"account_id,omitempty" doc:"The employee's account"`
	ACHID         string            `json:"ach_id,omitempty" doc:"The ACH account that is proven by a deposit"`
	HostedLinkURL string            `json:"hosted_link_url,omitempty"`
	Expiration    time.Time         `json:"expiration"`
	Institution   *Institution      `json:"institution,omitempty"`
	Accounts      []MetadataAccount `json:"accounts,omitempty"`
	ConnectionID  string            `json:"connection_id,omitempty" doc:"Set once exchanged, or the connection that an update session mends"`
	Exit          *Exit             `json:"exit,omitempty" doc:"Why the user left"`
	Trouble       *fault.Error      `json:"error,omitempty" doc:"Why the exchange that was asked for did not happen"`
	Delay         *Delay            `json:"delay,omitempty" doc:"What bankd waits for; it tries again by itself"`
	CreatedAt     time.Time         `json:"created_at"`
	FinishedAt    *time.Time        `json:"finished_at,omitempty"`

	// PublicToken is short-lived and works once. It is shown to callers who may see the session, to be exchanged by
	// them.
	PublicToken string `json:"public_token,omitempty"`
}

// Exit describes how a user left Link.
type Exit struct {
	Status    string `json:"status,omitempty" doc:"Where in Link the user was"`
	ErrorCode string `json:"error_code,omitempty" doc:"Plaid's error_code, where an error made them leave"`
}

// Done reports whether the session is over, and the exchange finished if one was asked for.
func (s Session) Done(exchange bool) bool {
	if s.State == Pending {
		return false
	}
	return !exchange || s.State != Succeeded || s.ConnectionID != "" || s.Trouble != nil
}

// Link is the reply to a request for a link token (R13, A17).
type Link struct {
	LinkToken     string    `json:"link_token"`
	HostedLinkURL string    `json:"hosted_link_url,omitempty" doc:"Set where hosted_link was asked for"`
	SessionID     string    `json:"session_id,omitempty" doc:"Watch it at /api/v1/plaid/link-sessions/{session_id}"`
	Expiration    time.Time `json:"expiration"`
	RequestID     string    `json:"request_id" doc:"Plaid's, for its support"`
}

// LinkParams asks for a link token.
type LinkParams struct {
	UserID         string   `json:"user_id" doc:"Your internal user identifier"`
	HostedLink     bool     `json:"hosted_link,omitempty" doc:"Ask for a page that Plaid hosts, watched by bankd"`
	Products       []string `json:"products,omitempty" doc:"Instead of the configured ones"`
	EmployerID     string   `json:"employer_id,omitempty"`
	CarrierID      string   `json:"carrier_id,omitempty"`
	Exchange       bool     `json:"exchange,omitempty" doc:"Exchange as soon as the session succeeds; needs hosted_link"`
	AllowDuplicate bool     `json:"allow_duplicate,omitempty" doc:"With exchange: link again although the same accounts are linked"`
}

// Check names every bad field.
func (p LinkParams) Check() error {
	var bad fault.Problems
	bad.Check("user_id", tenant.CheckText(p.UserID, 256))
	account.CheckOwners(&bad, p.EmployerID, p.CarrierID)
	checkProducts(&bad, p.Products)
	if p.Exchange && !p.HostedLink {
		bad.Add("exchange", "needs hosted_link: only a hosted session tells bankd of its success")
	}
	return bad.Err()
}

// Products that a session may ask for.
var products = map[string]bool{"auth": true, "identity": true, "transactions": true}

func checkProducts(bad *fault.Problems, names []string) {
	for _, name := range names {
		if !products[name] {
			bad.Add("products", "may hold auth, identity and transactions")
		}
	}
}

// UpdateLinkParams asks for a link token that repairs or extends a connection (R76-R78, A15).
type UpdateLinkParams struct {
	UserID     string   `json:"user_id" doc:"Your internal user identifier"`
	ItemID     string   `json:"item_id" doc:"Plaid item ID to update"`
	Products   []string `json:"products,omitempty" doc:"Products to add the user's consent for"`
	Accounts   bool     `json:"accounts,omitempty" doc:"Let the user choose accounts anew"`
	HostedLink bool     `json:"hosted_link,omitempty"`
}

// Check names every bad field.
func (p UpdateLinkParams) Check() error {
	var bad fault.Problems
	bad.Check("user_id", tenant.CheckText(p.UserID, 256))
	bad.Require("item_id", p.ItemID)
	checkProducts(&bad, p.Products)
	return bad.Err()
}

// CompleteParams finishes a session without a browser, which only the simulator and Plaid's sandbox allow.
type CompleteParams struct {
	InstitutionID string   `json:"institution_id,omitempty" doc:"For instance ins_109508"`
	Username      string   `json:"username,omitempty" doc:"Default user_good"`
	Password      string   `json:"password,omitempty" doc:"Default pass_good"`
	Masks         []string `json:"masks,omitempty" doc:"Accounts to choose; all where left out"`
	Exit          bool     `json:"exit,omitempty" doc:"Leave instead, as a user who changes their mind"`
	Code          string   `json:"code,omitempty" doc:"Of a micro-deposit; the simulator's is ABC"`

	// Manual numbers are typed instead of a sign-in; only bankd sets them.
	Manual *ach.Numbers `json:"-"`
}

// Check names every bad field.
func (p CompleteParams) Check() error {
	var bad fault.Problems
	if len(p.Code) > 16 {
		bad.Add("code", "is too long")
	}
	return bad.Err()
}
