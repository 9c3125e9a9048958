package client

import (
	"context"
	"net/url"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
)

// StartLink asks for a link token.
func (c *Client) StartLink(ctx context.Context, p connection.LinkParams) (l connection.Link, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/link-token", nil, p, &l)
	return l, err
}

// UpdateLink asks for a link token that mends or widens a connection.
func (c *Client) UpdateLink(ctx context.Context, p connection.UpdateLinkParams) (l connection.Link, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/link-token/update", nil, p, &l)
	return l, err
}

// GetSession reads a link session. With wait it returns when the session ends, or after that time.
func (c *Client) GetSession(ctx context.Context, id string, wait time.Duration) (connection.Session, error) {
	return get[connection.Session](ctx, c, "/api/v1/plaid/link-sessions/"+url.PathEscape(id), connection.WaitQuery{Wait: wait})
}

// CompleteSession finishes a session without a browser (simulated and sandbox alone).
func (c *Client) CompleteSession(ctx context.Context, id string, p connection.CompleteParams) (s connection.Session, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/link-sessions/"+url.PathEscape(id)+"/complete", nil, p, &s)
	return s, err
}

// Exchange turns a public token into a connection.
func (c *Client) Exchange(ctx context.Context, p connection.ExchangeParams) (e connection.Exchanged, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/plaid/exchange", nil, p, &e)
	return e, err
}
