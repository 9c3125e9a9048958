package tui

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/trail"
)

const bundleCopied = "the bundle is on the terminal's clipboard"

// supportBundle is the data that may leave the desk for another support team. It has no field for a name, a number, a
// token or a free text.
type supportBundle struct {
	MadeAt             time.Time       `json:"madeAt"`
	Bankctl            string          `json:"bankctl"`
	CompanyID          string          `json:"companyId"`
	EmployeeID         string          `json:"employeeId"`
	AccountID          string          `json:"accountId"`
	VerificationType   string          `json:"verificationType"`
	IsVerified         bool            `json:"isVerified"`
	VerificationReason employee.Reason `json:"verificationReason"`
	Comparison         string          `json:"comparison,omitempty"`
	Strength           string          `json:"strength,omitempty"`
	PlaidStatus        string          `json:"plaidStatus,omitempty"`
	PlaidError         string          `json:"plaidError,omitempty"`
	InstitutionID      string          `json:"institutionId,omitempty"`
	PlaidItemID        string          `json:"plaidItemId,omitempty"`
	PlaidAccountID     string          `json:"plaidAccountId,omitempty"`
	LastCheck          employee.Reason `json:"lastCheck,omitempty"`
	LastSession        *bundleSession  `json:"lastSession,omitempty"`
	Events             []bundleEvent   `json:"events"`
}

type bundleSession struct {
	SessionID  string    `json:"sessionId"`
	Mode       string    `json:"mode"`
	Outcome    string    `json:"outcome"`
	ExitStatus string    `json:"exitStatus,omitempty"`
	ErrorCode  string    `json:"errorCode,omitempty"`
	At         time.Time `json:"at"`
}

type bundleEvent struct {
	At             time.Time       `json:"at"`
	Action         string          `json:"action"`
	Outcome        string          `json:"outcome"`
	RequestID      string          `json:"requestId,omitempty"`
	ClientID       string          `json:"clientId,omitempty"`
	Connection     string          `json:"connection,omitempty"`
	Session        string          `json:"session,omitempty"`
	Reason         employee.Reason `json:"reason,omitempty"`
	PlaidRequestID string          `json:"plaidRequestId,omitempty"`
	PlaidErrorCode string          `json:"plaidErrorCode,omitempty"`
}

// eventsKept is the number of an account's newest events in a bundle.
const eventsKept = 20

func newBundle(a employee.BankAccount, history []trail.Record, version string, now time.Time) supportBundle {
	b := supportBundle{
		MadeAt: now.UTC().Truncate(time.Second), Bankctl: version, CompanyID: a.CompanyID, EmployeeID: a.EmployeeID, AccountID: a.AccountID,
		VerificationType: string(a.VerificationType), IsVerified: a.IsVerified, VerificationReason: a.VerificationReason,
		InstitutionID: a.InstitutionID, PlaidItemID: a.PlaidItemID, PlaidAccountID: a.PlaidAccountID, Events: []bundleEvent{},
	}
	if e := a.Evidence; e != nil {
		b.Comparison, b.Strength, b.PlaidStatus, b.PlaidError = e.Comparison, e.Strength, e.PlaidStatus, e.PlaidError
	}
	if a.LastCheck != nil {
		b.LastCheck = a.LastCheck.Reason
	}
	if s := a.LastSession; s != nil {
		b.LastSession = &bundleSession{s.SessionID, s.Mode, s.Outcome, s.ExitStatus, s.ErrorCode, s.At}
	}
	for _, r := range history[:min(len(history), eventsKept)] {
		b.Events = append(b.Events, eventOf(r))
	}
	return b
}

func eventOf(r trail.Record) bundleEvent {
	e := bundleEvent{
		At: r.Time, Action: r.Action, Outcome: r.Outcome, RequestID: r.RequestID, ClientID: r.ClientID, Connection: r.Details["connection"],
		Session: r.Details["session"], PlaidRequestID: r.Details["plaid_request_id"], PlaidErrorCode: r.Details["plaid_error_code"],
	}
	if reason := employee.Reason(r.Details["reason"]); reason.Known() { // an administrator's reason is free text
		e.Reason = reason
	}
	return e
}

func (b supportBundle) lines() []string {
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return []string{"the bundle could not be written"}
	}
	return strings.Split(string(text), "\n")
}
