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

// Numbers returns the typed numbers without spaces and dashes.
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

// checkHolder refuses text that is no name. Names are shown and logged where numbers are not, so a number typed into
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

// Wire is the request's body, the only place here that writes the digits out.
func (p AddParams) Wire() map[string]any {
	n := p.Numbers()
	return map[string]any{
		"accountHolderName": p.AccountHolderName, "accountType": p.AccountType, "verificationType": p.VerificationType,
		"accountNumber": n.Account.Reveal(), "routingNumber": n.Routing.Reveal(),
	}
}

// New makes the account of AddParams: not verified, nothing linked. The caller keeps the numbers.
func New(p AddParams, accountID, companyID, employeeID string, at time.Time) BankAccount {
	n := p.Numbers()
	return BankAccount{
		AccountID: accountID, CompanyID: companyID, EmployeeID: employeeID,
		AccountHolderName: strings.TrimSpace(p.AccountHolderName), AccountType: p.AccountType, VerificationType: p.VerificationType,
		AccountLast4: n.Account.Last4(), RoutingLast4: n.Routing.Last4(),
		VerificationReason: NotStarted, CreatedAt: at, UpdatedAt: at,
	}.explained()
}

// AttestParams marks an account as verified by an administrator, audited with the reason (A7).
type AttestParams struct {
	Reason string `json:"reason" doc:"Why you vouch for it, for instance which paper was seen"`
}

// Check requires a reason. It goes into the audit log, so it must not contain an account number.
func (p AttestParams) Check() error {
	var bad fault.Problems
	bad.Check("reason", tenant.CheckText(strings.TrimSpace(p.Reason), 500))
	if ach.HoldsNumber(p.Reason) {
		bad.Add("reason", "must not hold an account number")
	}
	return bad.Err()
}
