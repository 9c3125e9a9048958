// Package employee owns an employee's bank account, the capabilities of a company, and the rule that decides whether
// the account is verified (Match). Package bank asks Plaid for the rule's input and keeps the numbers.
package employee

import (
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
)

// AccountType is checking or savings.
type AccountType string

// The account types.
const (
	Checking AccountType = "Checking"
	Savings  AccountType = "Savings"
)

// UnmarshalJSON accepts either word in any case (A34), and keeps other words for Check to refuse.
func (t *AccountType) UnmarshalJSON(b []byte) error {
	given, err := oneOf(b, string(Checking), string(Savings))
	*t = AccountType(given)
	return err
}

// VerificationType says how an account shall be verified.
type VerificationType string

// The verification types (R123, R124).
const (
	ByPlaid VerificationType = "Plaid"
	Manual  VerificationType = "Manual"
)

// UnmarshalJSON accepts either word in any case, and 3, which older clients send for Plaid (A34).
func (t *VerificationType) UnmarshalJSON(b []byte) error {
	if string(b) == "3" {
		*t = ByPlaid
		return nil
	}
	given, err := oneOf(b, string(ByPlaid), string(Manual))
	*t = VerificationType(given)
	return err
}

func oneOf(b []byte, known ...string) (string, error) {
	var given string
	if json.Unmarshal(b, &given) != nil {
		return "", errors.New("must be " + strings.Join(known, " or "))
	}
	for _, k := range known {
		if strings.EqualFold(strings.TrimSpace(given), k) {
			return k, nil
		}
	}
	return given, nil
}

// BankAccount is an employee's account as replies show it: never a full number (A45). It is the source of truth for
// whether the account is verified (R148).
type BankAccount struct {
	AccountID         string           `json:"accountId" doc:"24 hex characters"`
	CompanyID         string           `json:"companyId"`
	EmployeeID        string           `json:"employeeId"`
	AccountHolderName string           `json:"accountHolderName"`
	AccountType       AccountType      `json:"accountType" enum:"Checking,Savings"`
	VerificationType  VerificationType `json:"verificationType" enum:"Plaid,Manual"`

	IsVerified          bool      `json:"isVerified"`
	VerificationReason  Reason    `json:"verificationReason" doc:"Why it is not verified; empty where the bank's numbers verified it, attested where an administrator did"`
	VerificationMessage string    `json:"verificationMessage" doc:"The reason in plain words"`
	NextStep            string    `json:"nextStep" doc:"What the person at the desk does now, in plain words"`
	Evidence            *Evidence `json:"evidence,omitempty" doc:"What the state rests on"`
	LastCheck           *Check    `json:"lastCheck,omitempty" doc:"A later check that found something else, without reason enough to change the state"`

	AccountLast4    string   `json:"accountLast4"`
	RoutingLast4    string   `json:"routingLast4"`
	Mask            string   `json:"mask,omitempty" doc:"The digits the bank itself shows; not always the account number's last"`
	InstitutionID   string   `json:"institutionId,omitempty"`
	InstitutionName string   `json:"institutionName,omitempty"`
	PlaidItemID     string   `json:"plaidItemId,omitempty" doc:"Plaid's Item that it is joined to"`
	PlaidAccountID  string   `json:"plaidAccountId,omitempty" doc:"The account of that Item which the employee chose"`
	LastSession     *Session `json:"lastSession,omitempty" doc:"How the last opening of Plaid Link went"`

	CreatedAt  time.Time  `json:"createdAt"`
	UpdatedAt  time.Time  `json:"updatedAt"`
	VerifiedAt *time.Time `json:"verifiedAt" doc:"Since when it is verified; null while it is not"`
}

// Session is the result of one opening of Plaid Link for this account.
type Session struct {
	SessionID  string    `json:"sessionId"`
	Mode       string    `json:"mode" enum:"new,update"`
	Outcome    string    `json:"outcome" enum:"pending,succeeded,exited,expired"`
	ExitStatus string    `json:"exitStatus,omitempty" doc:"Where in Link the employee left"`
	ErrorCode  string    `json:"errorCode,omitempty" doc:"Plaid's error_code, where an error made them leave"`
	At         time.Time `json:"at"`
}

// SessionOf summarizes a link session; at is the time of its last news.
func SessionOf(s connection.Session, at time.Time) *Session {
	out := &Session{SessionID: s.ID, Mode: s.Mode, Outcome: s.State, At: at}
	if s.FinishedAt != nil {
		out.At = *s.FinishedAt
	}
	if s.Exit != nil {
		out.ExitStatus, out.ErrorCode = s.Exit.Status, s.Exit.ErrorCode
	}
	return out
}

// Check is the result of a later check of an account.
type Check struct {
	Reason  Reason    `json:"reason"`
	Message string    `json:"message"`
	At      time.Time `json:"at"`
}

// Deleted is the reply to a delete.
type Deleted struct {
	AccountID    string `json:"accountId"`
	EmployeeID   string `json:"employeeId"`
	AccountLast4 string `json:"accountLast4"`
	WasVerified  bool   `json:"wasVerified"`
	Deleted      bool   `json:"deleted"`
}
