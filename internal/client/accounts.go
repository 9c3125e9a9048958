package client

import (
	"context"
	"net/url"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
)

const accounts = "/api/v1/bank-accounts"

// AddAccount makes a bank account by hand.
func (c *Client) AddAccount(ctx context.Context, p account.AddParams) (a account.Account, err error) {
	_, err = c.call(ctx, "POST", accounts, nil, p, &a)
	return a, err
}

// ListAccounts lists bank accounts, newest first.
func (c *Client) ListAccounts(ctx context.Context, q account.Query, p page.Request) ([]account.Account, page.Info, error) {
	return list[account.Account](ctx, c, accounts, q, p)
}

// GetAccount reads one bank account.
func (c *Client) GetAccount(ctx context.Context, id string) (account.Account, error) {
	return get[account.Account](ctx, c, accounts+"/"+url.PathEscape(id))
}

// UpdateAccount changes a bank account.
func (c *Client) UpdateAccount(ctx context.Context, id string, p account.UpdateParams) (a account.Account, err error) {
	_, err = c.call(ctx, "PATCH", accounts+"/"+url.PathEscape(id), nil, p, &a)
	return a, err
}

// SetDefaultAccount makes a bank account its owner's primary.
func (c *Client) SetDefaultAccount(ctx context.Context, id string) (a account.Account, err error) {
	yes := true
	_, err = c.call(ctx, "PATCH", accounts+"/"+url.PathEscape(id)+"/default", nil, account.DefaultParams{Primary: &yes}, &a)
	return a, err
}

// DeleteAccount deletes a bank account; with cascade also the ACH accounts joined to it.
func (c *Client) DeleteAccount(ctx context.Context, id string, cascade bool) (d account.Deleted, err error) {
	_, err = c.call(ctx, "DELETE", accounts+"/"+url.PathEscape(id), query.Encode(account.DeleteQuery{Cascade: cascade}), nil, &d)
	return d, err
}

// AddACH makes an ACH account by hand.
func (c *Client) AddACH(ctx context.Context, p account.AddACHParams) (a account.ACH, err error) {
	_, err = c.call(ctx, "POST", accounts+"/ach", nil, p, &a)
	return a, err
}

// AddACHFromPlaid makes an ACH account of a linked one.
func (c *Client) AddACHFromPlaid(ctx context.Context, p account.FromPlaidParams) (a account.ACH, err error) {
	_, err = c.call(ctx, "POST", accounts+"/ach/from-plaid", nil, p, &a)
	return a, err
}

// ListACH lists ACH accounts, newest first.
func (c *Client) ListACH(ctx context.Context, q account.ACHQuery, p page.Request) ([]account.ACH, page.Info, error) {
	return list[account.ACH](ctx, c, accounts+"/ach", q, p)
}

// GetACH reads one ACH account.
func (c *Client) GetACH(ctx context.Context, id string) (account.ACH, error) {
	return get[account.ACH](ctx, c, accounts+"/ach/"+url.PathEscape(id))
}

// UpdateACH changes an ACH account's nickname, type or primary mark.
func (c *Client) UpdateACH(ctx context.Context, id string, p account.UpdateACHParams) (a account.ACH, err error) {
	_, err = c.call(ctx, "PATCH", accounts+"/ach/"+url.PathEscape(id), nil, p, &a)
	return a, err
}

// VerifyACH proves an ACH account by comparing it with a linked one, or by an admin's word.
func (c *Client) VerifyACH(ctx context.Context, id string, p account.VerifyACHParams) (a account.VerifyReply, err error) {
	_, err = c.call(ctx, "POST", accounts+"/ach/"+url.PathEscape(id)+"/verify", nil, p, &a)
	return a, err
}

// CreateProcessorToken lets one of Plaid's partners use a verified account; the token is shown this once.
func (c *Client) CreateProcessorToken(ctx context.Context, id string, p account.ProcessorParams) (t account.ProcessorToken, err error) {
	_, err = c.call(ctx, "POST", accounts+"/ach/"+url.PathEscape(id)+"/processor-token", nil, p, &t)
	return t, err
}

// DeleteACH destroys the numbers of an ACH account and takes it off every list.
func (c *Client) DeleteACH(ctx context.Context, id string) (d account.Deleted, err error) {
	_, err = c.call(ctx, "DELETE", accounts+"/ach/"+url.PathEscape(id), nil, nil, &d)
	return d, err
}
