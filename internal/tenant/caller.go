package tenant

import "github.com/bankctl/bankctl/internal/fault"

// Caller makes one request: a client that proved its secret, or the local owner, a peer on the socket whose uid is the
// daemon's or root's.
type Caller struct {
	Client     Client // zero for the local owner
	LocalOwner bool
	TenantID   string // tenant of the request
	UID        int    // the peer's, from the socket; -1 if unknown
	RequestID  string
}

// May returns an error if the caller's role does not allow the act.
func (c Caller) May(a Act) error {
	switch {
	case c.LocalOwner && a == Administer:
		return nil
	case c.LocalOwner:
		return fault.New(fault.Unauthenticated, "this route needs a client").
			WithHint("send X-Client-ID and X-Client-Secret; `bankctl init` makes a client")
	case c.Client.BindEmployee != "" && (a == Link || a == Write || a == Administer):
		return fault.New(fault.Forbidden, "a client bound to one employee may not do this")
	case !c.Client.Role.May(a):
		return fault.New(fault.Forbidden, "role %s may not do this", c.Client.Role)
	}
	return nil
}

// Sees reports whether an object of these owners exists for the caller (A25, R108). If both owners are set, one in
// scope suffices; if none is, the caller must have all employers or all carriers.
func (c Caller) Sees(employer, carrier string) bool {
	if employer == "" && carrier == "" {
		return c.Client.Employers.All || c.Client.Carriers.All
	}
	return c.Client.Employers.Has(employer) || c.Client.Carriers.Has(carrier)
}

// Owns reports whether the caller may write an object of these owners: every owner set must be in scope.
func (c Caller) Owns(employer, carrier string) bool {
	if employer == "" && carrier == "" {
		return c.Sees("", "")
	}
	return (employer == "" || c.Client.Employers.Has(employer)) &&
		(carrier == "" || c.Client.Carriers.Has(carrier))
}

// ActsFor reports whether the caller is in the employee's context (R115) for an act: bound to that employee, or with
// the company in scope and act_as_employee. Support may mint and save links without it.
func (c Caller) ActsFor(company, employee string, a Act) bool {
	if c.Client.BindEmployee != "" {
		return c.Client.BindCompany == company && c.Client.BindEmployee == employee
	}
	if !c.Client.Companies.Has(company) {
		return false
	}
	return a == Read || c.Client.ActAsEmployee || a == EmployeeLink && c.Client.Role == Support
}

// SeesCompany reports whether the caller may read a whole company.
func (c Caller) SeesCompany(company string) bool {
	return c.Client.BindEmployee == "" && c.Client.Companies.Has(company)
}
