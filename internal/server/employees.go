package server

import (
	"context"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// The paths of S2.
const (
	company   = "/companies/{companyId}"
	person    = company + "/employees/{employeeId}"
	personAcc = person + "/bankaccounts/{accountId}"
)

// employees lists the routes of S2: bare objects in camelCase, each under two paths.
func (s *Server) employees() []route {
	return []route{
		{Method: "GET", Path: company + "/bankaccounts", Name: "ListCompanyAccounts", Summary: "List a company's employees' accounts, newest first", Act: tenant.Read, Bare: true,
			Query: paged(employee.Query{}), Reply: typed[employee.BankAccount](), List: true, Handle: withPage(s.bank.ListCompanyAccounts)},
		{Method: "GET", Path: person + "/bankaccounts", Name: "ListEmployeeAccounts", Summary: "List an employee's accounts, newest first", Act: tenant.Read, Bare: true,
			Query: paged(employee.Query{}), Reply: typed[employee.BankAccount](), List: true, Handle: withPage(s.bank.ListEmployeeAccounts)},
		{Method: "POST", Path: person + "/bankaccounts", Name: "AddEmployeeAccount", Summary: "Add an employee's bank account", Act: tenant.EmployeeWrite, Bare: true, Status: 201,
			Body: typed[employee.AddParams](), Reply: typed[employee.BankAccount](), Handle: withRefAndBody(s.bank.AddEmployeeAccount)},
		{Method: "DELETE", Path: personAcc, Name: "DeleteEmployeeAccount", Summary: "Destroy an employee's numbers and end what was linked for them", Act: tenant.EmployeeWrite, Bare: true,
			Reply: typed[employee.Deleted](), Handle: withRef(s.bank.DeleteEmployeeAccount)},
		{Method: "GET", Path: personAcc, Name: "GetEmployeeAccount", Summary: "Read an employee's account: the source of truth for isVerified", Act: tenant.Read, Bare: true,
			Reply: typed[employee.BankAccount](), Handle: withRef(s.bank.GetEmployeeAccount)},
		{Method: "POST", Path: personAcc + "/attest", Name: "AttestEmployeeAccount", Summary: "Vouch for an account by hand, with a reason (admin)", Act: tenant.Administer, Bare: true,
			Body: typed[employee.AttestParams](), Reply: typed[employee.BankAccount](), Handle: withRefAndBody(s.bank.AttestEmployeeAccount)},
		{Method: "GET", Path: personAcc + "/history", Name: "GetEmployeeHistory", Summary: "What happened to an account, newest first", Act: tenant.Read, Bare: true,
			Query: paged(struct{}{}), Reply: typed[trail.Record](), List: true, Handle: s.getEmployeeHistory},
		{Method: "POST", Path: person + "/plaid/{accountId}/link", Name: "LinkEmployeeAccount", Summary: "Save a finished Link session, and judge the account by Plaid's own numbers", Act: tenant.EmployeeLink, Bare: true,
			Body: typed[employee.LinkParams](), Reply: typed[employee.BankAccount](), Handle: withRefAndBody(s.bank.LinkEmployeeAccount)},
		{Method: "GET", Path: person + "/plaid/{accountId}/token", Name: "GetEmployeeToken", Summary: "Ask for a link token; hosted=true for a page that Plaid hosts", Act: tenant.EmployeeLink, Bare: true,
			Query: query.Of(employee.TokenQuery{}), Reply: typed[employee.TokenReply](), Handle: s.getEmployeeToken},
	}
}

func (c *call) ref() bank.EmployeeRef {
	return bank.EmployeeRef{Company: c.param("companyId"), Employee: c.param("employeeId"), Account: c.param("accountId")}
}

func withRef[R any](fn func(context.Context, tenant.Caller, bank.EmployeeRef) (R, error)) handler {
	return func(c *call) (any, *page.Info, error) {
		reply, err := fn(c.r.Context(), c.caller, c.ref())
		return reply, nil, err
	}
}

func withRefAndBody[P checker, R any](fn func(context.Context, tenant.Caller, bank.EmployeeRef, P) (R, error)) handler {
	return func(c *call) (any, *page.Info, error) {
		p, err := decode[P](c)
		if err != nil {
			return nil, nil, err
		}
		reply, err := fn(c.r.Context(), c.caller, c.ref(), p)
		return reply, nil, err
	}
}

func (s *Server) getEmployeeToken(c *call) (any, *page.Info, error) {
	var q employee.TokenQuery
	if err := c.decodeQuery(&q); err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.GetEmployeeToken(c.r.Context(), c.caller, c.ref(), q.Hosted)
	return reply, nil, err
}

func (s *Server) getEmployeeHistory(c *call) (any, *page.Info, error) {
	return unfiltered(func(ctx context.Context, caller tenant.Caller, p page.Request) ([]trail.Record, page.Info, error) {
		return s.bank.GetEmployeeHistory(ctx, caller, c.ref(), p)
	})(c)
}

func (s *Server) getCompany(c *call) (any, *page.Info, error) {
	reply, err := s.bank.GetCompany(c.r.Context(), c.caller, c.param("companyId"))
	return reply, nil, err
}

func (s *Server) enableCapability(c *call) (any, *page.Info, error) {
	p, err := decode[employee.CapabilityParams](c)
	if err != nil {
		return nil, nil, err
	}
	reply, err := s.bank.EnableCapability(c.r.Context(), c.caller, c.param("companyId"), c.param("capability"), p)
	return reply, nil, err
}

func (s *Server) disableCapability(c *call) (any, *page.Info, error) {
	reply, err := s.bank.DisableCapability(c.r.Context(), c.caller, c.param("companyId"), c.param("capability"))
	return reply, nil, err
}
