package client

import (
	"context"
	"encoding/json"
	"io"
	"net/url"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/trail"
)

// bare calls a route of S2's family, which replies with bare objects, and decodes the reply into out.
func (c *Client) bare(ctx context.Context, method, path string, q url.Values, body, out any) error {
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	payload, err := encode(body)
	if err != nil {
		return err
	}
	resp, err := c.Raw(ctx, method, path, nil, payload)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		_, err := decode(resp, nil, nil)
		return err
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return unreachable(err)
	}
	if err := json.Unmarshal(b, out); err != nil {
		return fault.New(fault.Internal, "bankd's reply has another form than this bankctl knows").
			WithHint("compare `bankctl version` with `bankctl status`").Because(err)
	}
	return nil
}

// bareList reads one page of a listing of S2's family.
func bareList[T any](ctx context.Context, c *Client, path string, queries ...any) ([]T, page.Info, error) {
	var reply struct {
		Items      []T       `json:"items"`
		Pagination page.Info `json:"pagination"`
	}
	err := c.bare(ctx, "GET", path, query.Encode(queries...), nil, &reply)
	return reply.Items, reply.Pagination, err
}

func person(company, employeeID string) string {
	return "/api/v1/companies/" + url.PathEscape(company) + "/employees/" + url.PathEscape(employeeID)
}

func personAccount(company, employeeID, accountID string) string {
	return person(company, employeeID) + "/bankaccounts/" + url.PathEscape(accountID)
}

// AddEmployeeAccount adds an employee's account; nothing is verified yet.
func (c *Client) AddEmployeeAccount(ctx context.Context, company, employeeID string, p employee.AddParams) (a employee.BankAccount, err error) {
	err = c.bare(ctx, "POST", person(company, employeeID)+"/bankaccounts", nil, p, &a)
	return a, err
}

// GetEmployeeToken asks for a link token; hosted for a page that Plaid hosts.
func (c *Client) GetEmployeeToken(ctx context.Context, company, employeeID, accountID string, hosted bool) (t employee.TokenReply, err error) {
	path := person(company, employeeID) + "/plaid/" + url.PathEscape(accountID) + "/token"
	err = c.bare(ctx, "GET", path, query.Encode(employee.TokenQuery{Hosted: hosted}), nil, &t)
	return t, err
}

// LinkEmployeeAccount saves a finished Link session.
func (c *Client) LinkEmployeeAccount(ctx context.Context, company, employeeID, accountID string, p employee.LinkParams) (a employee.BankAccount, err error) {
	err = c.bare(ctx, "POST", person(company, employeeID)+"/plaid/"+url.PathEscape(accountID)+"/link", nil, p, &a)
	return a, err
}

// GetEmployeeAccount reads an account: the source of truth for whether it is verified.
func (c *Client) GetEmployeeAccount(ctx context.Context, company, employeeID, accountID string) (a employee.BankAccount, err error) {
	err = c.bare(ctx, "GET", personAccount(company, employeeID, accountID), nil, nil, &a)
	return a, err
}

// ListEmployeeAccounts lists one employee's accounts, newest first.
func (c *Client) ListEmployeeAccounts(ctx context.Context, q employee.Query, p page.Request) ([]employee.BankAccount, page.Info, error) {
	path := person(q.CompanyID, q.EmployeeID) + "/bankaccounts"
	q.CompanyID, q.EmployeeID = "", "" // these are in the path
	return bareList[employee.BankAccount](ctx, c, path, q, p)
}

// ListCompanyAccounts lists a company's accounts, newest first.
func (c *Client) ListCompanyAccounts(ctx context.Context, q employee.Query, p page.Request) ([]employee.BankAccount, page.Info, error) {
	path := "/api/v1/companies/" + url.PathEscape(q.CompanyID) + "/bankaccounts"
	q.CompanyID = "" // it is in the path
	return bareList[employee.BankAccount](ctx, c, path, q, p)
}

// DeleteEmployeeAccount destroys an account's numbers and removes the connection linked for it.
func (c *Client) DeleteEmployeeAccount(ctx context.Context, company, employeeID, accountID string) (d employee.Deleted, err error) {
	err = c.bare(ctx, "DELETE", personAccount(company, employeeID, accountID), nil, nil, &d)
	return d, err
}

// AttestEmployeeAccount makes an account verified by an admin's word.
func (c *Client) AttestEmployeeAccount(ctx context.Context, company, employeeID, accountID string, p employee.AttestParams) (a employee.BankAccount, err error) {
	err = c.bare(ctx, "POST", personAccount(company, employeeID, accountID)+"/attest", nil, p, &a)
	return a, err
}

// GetEmployeeHistory gives an account's audit events, newest first.
func (c *Client) GetEmployeeHistory(ctx context.Context, company, employeeID, accountID string, p page.Request) ([]trail.Record, page.Info, error) {
	return bareList[trail.Record](ctx, c, personAccount(company, employeeID, accountID)+"/history", p)
}

// GetCompany reads a company's capabilities.
func (c *Client) GetCompany(ctx context.Context, company string) (caps employee.Capabilities, err error) {
	_, err = c.call(ctx, "GET", "/api/v1/admin/companies/"+url.PathEscape(company), nil, nil, &caps)
	return caps, err
}

// EnableCapability switches a capability on.
func (c *Client) EnableCapability(ctx context.Context, company, name string, p employee.CapabilityParams) (caps employee.Capabilities, err error) {
	_, err = c.call(ctx, "PUT", "/api/v1/admin/companies/"+url.PathEscape(company)+"/capabilities/"+url.PathEscape(name), nil, p, &caps)
	return caps, err
}

// DisableCapability switches a capability off.
func (c *Client) DisableCapability(ctx context.Context, company, name string) (caps employee.Capabilities, err error) {
	_, err = c.call(ctx, "DELETE", "/api/v1/admin/companies/"+url.PathEscape(company)+"/capabilities/"+url.PathEscape(name), nil, nil, &caps)
	return caps, err
}
