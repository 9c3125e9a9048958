package client

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
)

// pairs makes a query of the values that are set.
func pairs(p page.Request, kv ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(kv); i += 2 {
		if kv[i+1] != "" {
			q.Set(kv[i], kv[i+1])
		}
	}
	if p.Page > 0 {
		q.Set("page", strconv.Itoa(p.Page))
	}
	if p.Limit > 0 {
		q.Set("limit", strconv.Itoa(p.Limit))
	}
	return q
}

// ListConnections lists linked institutions, newest first.
func (c *Client) ListConnections(ctx context.Context, q connection.Query, p page.Request) (all []connection.Connection, info page.Info, err error) {
	query := pairs(p, "employer_id", q.EmployerID, "carrier_id", q.CarrierID, "status", q.Status)
	info, err = c.call(ctx, "GET", "/api/v1/plaid/connections", query, nil, &all)
	return all, info, err
}

// GetConnection reads one by our id or Plaid's.
func (c *Client) GetConnection(ctx context.Context, id string) (conn connection.Connection, err error) {
	_, err = c.call(ctx, "GET", "/api/v1/plaid/connections/"+url.PathEscape(id), nil, nil, &conn)
	return conn, err
}

// RemoveConnection removes the Item at Plaid, then marks the connection removed.
func (c *Client) RemoveConnection(ctx context.Context, id string, p connection.RemoveParams) (r connection.RemovedReply, err error) {
	_, err = c.call(ctx, "DELETE", "/api/v1/plaid/connections/"+url.PathEscape(id), pairs(page.Request{}, "ach", p.ACH), nil, &r)
	return r, err
}

// CheckConnection asks Plaid how a connection is.
func (c *Client) CheckConnection(ctx context.Context, id string) (conn connection.Connection, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/connections/"+url.PathEscape(id)+"/check", nil, nil, &conn)
	return conn, err
}

// RotateToken swaps a connection's access token for a new one.
func (c *Client) RotateToken(ctx context.Context, id string) (r connection.Rotated, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/connections/"+url.PathEscape(id)+"/rotate-token", nil, nil, &r)
	return r, err
}

// SyncAccounts reads the accounts of a connection anew.
func (c *Client) SyncAccounts(ctx context.Context, p connection.ItemParams) (s connection.Synced, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/sync-accounts", nil, p, &s)
	return s, err
}

// GetBalance asks the bank for live balances.
func (c *Client) GetBalance(ctx context.Context, p connection.BalanceParams) (b connection.Balances, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/balance", nil, p, &b)
	return b, err
}

// ListExpiring lists what ends within a time; 0 = thirty days.
func (c *Client) ListExpiring(ctx context.Context, within time.Duration) (all []connection.Expiring, err error) {
	q := url.Values{}
	if within > 0 {
		q.Set("within", within.String())
	}
	_, err = c.call(ctx, "GET", "/api/v1/plaid/expiring", q, nil, &all)
	return all, err
}

// ListUsage counts the calls to Plaid, of one connection or of all.
func (c *Client) ListUsage(ctx context.Context, connectionID string) (all []connection.Usage, err error) {
	_, err = c.call(ctx, "GET", "/api/v1/plaid/usage", pairs(page.Request{}, "connection_id", connectionID), nil, &all)
	return all, err
}

// ImportConnection takes over an Item that another tool made.
func (c *Client) ImportConnection(ctx context.Context, p connection.ImportParams) (conn connection.Connection, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/import", nil, p, &conn)
	return conn, err
}
