package employee

import (
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Query selects employees' accounts.
type Query struct {
	CompanyID  string
	EmployeeID string
	IsVerified *bool
	Reason     Reason
	Search     string // words, each of which must be found
}

// Check names every bad filter.
func (q Query) Check() error {
	var bad fault.Problems
	if q.CompanyID != "" {
		bad.Check("companyId", tenant.CheckOwnerID(q.CompanyID))
	}
	if q.EmployeeID != "" {
		bad.Check("employeeId", tenant.CheckOwnerID(q.EmployeeID))
	}
	if q.Reason != "" && !q.Reason.Known() {
		bad.Add("reason", "must be one of "+reasonList())
	}
	if q.Search != "" {
		bad.Check("search", tenant.CheckText(q.Search, 200))
	}
	return bad.Err()
}

func reasonList() string {
	all := make([]string, len(Reasons))
	for i, r := range Reasons {
		all[i] = string(r)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// Match reports whether an account is selected.
func (q Query) Match(a BankAccount) bool {
	return (q.CompanyID == "" || q.CompanyID == a.CompanyID) && (q.EmployeeID == "" || q.EmployeeID == a.EmployeeID) &&
		(q.IsVerified == nil || *q.IsVerified == a.IsVerified) && (q.Reason == "" || q.Reason == a.VerificationReason) &&
		q.finds(a)
}

// finds looks for every word of the search in what the queue shows, without case or accents.
func (q Query) finds(a BankAccount) bool {
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
