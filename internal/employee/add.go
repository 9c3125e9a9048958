package employee

import (
	"errors"
	"strings"
	"time"
	"unicode"

	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// AddParams makes an employee's bank account (R118-R122).
type AddParams struct {
	AccountHolderName string            `json:"accountHolderName" doc:"The name the account is held in"`
	AccountNumber     ach.AccountNumber `json:"accountNumber" doc:"5 to 17 digits as typed; spaces and dashes are dropped, leading zeros kept"`
	RoutingNumber     ach.RoutingNumber `json:"routingNumber" doc:"9-digit ABA routing number; spaces and dashes are dropped"`
	AccountType       AccountType       `json:"accountType" enum:"Checking,Savings" doc:"In any case"`
	VerificationType  VerificationType  `json:"verificationType" enum:"Plaid,Manual" doc:"In any case; the number 3 means Plaid"`
}

// Numbers are the numbers typed, without the spaces and dashes people type.
func (p AddParams) Numbers() ach.Numbers {
	return ach.Numbers{
		Routing: ach.NewRoutingNumber(ach.Bare(p.RoutingNumber.Reveal())),
		Account: ach.NewAccountNumber(ach.Bare(p.AccountNumber.Reveal())),
	}
}

// Check names every bad field, never quoting a number.
func (p AddParams) Check() error {
	var bad fault.Problems
	bad.Check("accountHolderName", checkHolder(p.AccountHolderName))
	n := p.Numbers()
	bad.Check("accountNumber", n.Account.Check())
	bad.Check("routingNumber", n.Routing.Check())
	if bad.Require("accountType", string(p.AccountType)) && p.AccountType != Checking && p.AccountType != Savings {
		bad.Add("accountType", "must be Checking or Savings")
	}
	if bad.Require("verificationType", string(p.VerificationType)) && p.VerificationType != ByPlaid && p.VerificationType != Manual {
		bad.Add("verificationType", "must be Plaid or Manual")
	}
	return bad.Err()
}

// checkHolder refuses what is no name. A name is shown and logged where a number is not, so that a number typed into
// the wrong field must not pass as one.
func checkHolder(name string) error {
	if err := tenant.CheckText(strings.TrimSpace(name), 200); err != nil {
		return err
	}
	switch {
	case digitsIn(name) > 4:
		return errors.New("must be a name; it holds a number")
	case !strings.ContainsFunc(name, unicode.IsLetter):
		return errors.New("must be a name")
	}
	return nil
}

func digitsIn(text string) int {
	n := 0
	for _, r := range text {
		if unicode.IsDigit(r) {
			n++
		}
	}
	return n
}

// Wire is the body as it goes over the socket: the one place here where the digits are written out.
func (p AddParams) Wire() map[string]any {
	n := p.Numbers()
	return map[string]any{
		"accountHolderName": p.AccountHolderName, "accountType": p.AccountType, "verificationType": p.VerificationType,
		"accountNumber": n.Account.Reveal(), "routingNumber": n.Routing.Reveal(),
	}
}

// New is the account that AddParams makes: not verified, nothing linked. The numbers themselves stay with the caller.
func New(p AddParams, accountID, companyID, employeeID string, at time.Time) BankAccount {
	n := p.Numbers()
	return BankAccount{
		AccountID: accountID, CompanyID: companyID, EmployeeID: employeeID,
		AccountHolderName: strings.TrimSpace(p.AccountHolderName), AccountType: p.AccountType, VerificationType: p.VerificationType,
		AccountLast4: n.Account.Last4(), RoutingLast4: n.Routing.Last4(),
		VerificationReason: NotStarted, CreatedAt: at, UpdatedAt: at,
	}.explained()
}

// AttestParams makes an account verified by hand: an administrator's act, audited with its reason (A7).
type AttestParams struct {
	Reason string `json:"reason" doc:"Why you vouch for it, for instance which paper was seen"`
}

// Check names what is missing. The reason goes into the audit log, where no account number may.
func (p AttestParams) Check() error {
	var bad fault.Problems
	bad.Check("reason", tenant.CheckText(strings.TrimSpace(p.Reason), 500))
	if ach.HoldsNumber(p.Reason) {
		bad.Add("reason", "must not hold an account number")
	}
	return bad.Err()
}
