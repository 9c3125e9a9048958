package employee

import (
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Query selects employees' accounts.
type Query struct {
	CompanyID  string `query:"companyId" doc:"of this company" flag:"-"`
	EmployeeID string `query:"employeeId" doc:"of this employee alone" flag:"-"`
	IsVerified *bool  `query:"isVerified" doc:"those that are verified, or those that are not" flag:"-"`
	Reason     Reason `query:"reason" doc:"those with this reason, for instance number_mismatch"`
	Search     string `query:"search" doc:"those in which each of these words is found"`
}

// TokenQuery selects the kind of link token for an employee's account.
type TokenQuery struct {
	Hosted bool `query:"hosted" doc:"for a page that Plaid hosts"`
}

// Check names every bad filter.
func (q *Query) Check(bad *fault.Problems) {
	if q.CompanyID != "" {
		bad.Check("companyId", tenant.CheckOwnerID(q.CompanyID))
	}
	if q.EmployeeID != "" {
		bad.Check("employeeId", tenant.CheckOwnerID(q.EmployeeID))
	}
	if q.Search != "" {
		bad.Check("search", tenant.CheckText(q.Search, 200))
	}
}

// Match reports whether an account is selected.
func (q Query) Match(a BankAccount) bool {
	return (q.CompanyID == "" || q.CompanyID == a.CompanyID) && (q.EmployeeID == "" || q.EmployeeID == a.EmployeeID) &&
		(q.IsVerified == nil || *q.IsVerified == a.IsVerified) && (q.Reason == "" || q.Reason == a.VerificationReason) &&
		q.matchesText(a)
}

// matchesText searches for every word in the fields that the queue shows, ignoring case and accents.
func (q Query) matchesText(a BankAccount) bool {
	for _, word := range strings.Fields(fold(q.Search)) {
		if !slices.ContainsFunc(searched(a), func(field string) bool { return strings.Contains(fold(field), word) }) {
			return false
		}
	}
	return true
}

func searched(a BankAccount) []string {
	return []string{
		a.AccountHolderName, a.EmployeeID, a.CompanyID, a.AccountID, a.AccountLast4, a.Mask, a.InstitutionName,
		string(a.VerificationReason), strings.ReplaceAll(string(a.VerificationReason), "_", " "),
	}
}
