package client

import (
	"context"
	"net/url"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
)

// ListConnections lists linked institutions, newest first.
func (c *Client) ListConnections(ctx context.Context, q connection.Query, p page.Request) ([]connection.Connection, page.Info, error) {
	return list[connection.Connection](ctx, c, "/api/v1/plaid/connections", q, p)
}

// GetConnection reads one by our id or Plaid's.
func (c *Client) GetConnection(ctx context.Context, id string) (connection.Connection, error) {
	return get[connection.Connection](ctx, c, "/api/v1/plaid/connections/"+url.PathEscape(id))
}

// RemoveConnection removes the Item at Plaid, then marks the connection removed.
func (c *Client) RemoveConnection(ctx context.Context, id string, p connection.RemoveParams) (r connection.RemovedReply, err error) {
	_, err = c.call(ctx, "DELETE", "/api/v1/plaid/connections/"+url.PathEscape(id), query.Encode(p), nil, &r)
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

// ListExpiring lists consents, accesses, deposits and balances that end within a time; 0 = thirty days.
func (c *Client) ListExpiring(ctx context.Context, within time.Duration) ([]connection.Expiring, error) {
	return get[[]connection.Expiring](ctx, c, "/api/v1/plaid/expiring", connection.ExpiringQuery{Within: within})
}

// ListUsage counts the calls to Plaid, of one connection or of all.
func (c *Client) ListUsage(ctx context.Context, connectionID string) ([]connection.Usage, error) {
	return get[[]connection.Usage](ctx, c, "/api/v1/plaid/usage", connection.UsageQuery{ConnectionID: connectionID})
}

// ImportConnection takes over an Item that another tool made.
func (c *Client) ImportConnection(ctx context.Context, p connection.ImportParams) (conn connection.Connection, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/import", nil, p, &conn)
	return conn, err
}
