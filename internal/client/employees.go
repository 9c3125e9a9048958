package client

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"strconv"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/trail"
)

// bare sends one request of S2's family, whose replies are the objects themselves, and reads its reply into out.
func (c *Client) bare(ctx context.Context, method, path string, query url.Values, body, out any) error {
	if len(query) > 0 {
		path += "?" + query.Encode()
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

// listed is the form of S2's listings.
type listed[T any] struct {
	Items      []T       `json:"items"`
	Pagination page.Info `json:"pagination"`
}

func person(company, employeeID string) string {
	return "/api/v1/companies/" + url.PathEscape(company) + "/employees/" + url.PathEscape(employeeID)
}

func personAccount(company, employeeID, accountID string) string {
	return person(company, employeeID) + "/bankaccounts/" + url.PathEscape(accountID)
}

func employeeFilters(q employee.Query, p page.Request) url.Values {
	v := pairs(p, "reason", string(q.Reason), "search", q.Search)
	if q.IsVerified != nil {
		v.Set("isVerified", strconv.FormatBool(*q.IsVerified))
	}
	return v
}

// AddEmployeeAccount adds an employee's account; nothing is verified yet.
func (c *Client) AddEmployeeAccount(ctx context.Context, company, employeeID string, p employee.AddParams) (a employee.BankAccount, err error) {
	err = c.bare(ctx, "POST", person(company, employeeID)+"/bankaccounts", nil, p, &a)
	return a, err
}

// GetEmployeeToken asks for a link token; hosted for a page that Plaid hosts.
func (c *Client) GetEmployeeToken(ctx context.Context, company, employeeID, accountID string, hosted bool) (t employee.TokenReply, err error) {
	q := url.Values{}
	if hosted {
		q.Set("hosted", "true")
	}
	err = c.bare(ctx, "GET", person(company, employeeID)+"/plaid/"+url.PathEscape(accountID)+"/token", q, nil, &t)
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
	var l listed[employee.BankAccount]
	err := c.bare(ctx, "GET", person(q.CompanyID, q.EmployeeID)+"/bankaccounts", employeeFilters(q, p), nil, &l)
	return l.Items, l.Pagination, err
}

// ListCompanyAccounts lists a company's accounts, newest first.
func (c *Client) ListCompanyAccounts(ctx context.Context, q employee.Query, p page.Request) ([]employee.BankAccount, page.Info, error) {
	v := employeeFilters(q, p)
	if q.EmployeeID != "" {
		v.Set("employeeId", q.EmployeeID)
	}
	var l listed[employee.BankAccount]
	err := c.bare(ctx, "GET", "/api/v1/companies/"+url.PathEscape(q.CompanyID)+"/bankaccounts", v, nil, &l)
	return l.Items, l.Pagination, err
}

// DeleteEmployeeAccount destroys an account's numbers and ends what was linked for it.
func (c *Client) DeleteEmployeeAccount(ctx context.Context, company, employeeID, accountID string) (d employee.Deleted, err error) {
	err = c.bare(ctx, "DELETE", personAccount(company, employeeID, accountID), nil, nil, &d)
	return d, err
}

// AttestEmployeeAccount makes an account verified by an admin's word.
func (c *Client) AttestEmployeeAccount(ctx context.Context, company, employeeID, accountID string, p employee.AttestParams) (a employee.BankAccount, err error) {
	err = c.bare(ctx, "POST", personAccount(company, employeeID, accountID)+"/attest", nil, p, &a)
	return a, err
}

// GetEmployeeHistory gives an account's audit lines, newest first.
func (c *Client) GetEmployeeHistory(ctx context.Context, company, employeeID, accountID string, p page.Request) ([]trail.Record, page.Info, error) {
	var l listed[trail.Record]
	err := c.bare(ctx, "GET", personAccount(company, employeeID, accountID)+"/history", pairs(p), nil, &l)
	return l.Items, l.Pagination, err
}

// GetCompany tells what a company has switched on.
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
