package client

import (
	"context"
	"net/url"

	"github.com/bankctl/bankctl/internal/keys"
	"github.com/bankctl/bankctl/internal/tenant"
)

// KeyStatus tells which keys wrap the data, who can recover them, and how far a rotation is.
func (c *Client) KeyStatus(ctx context.Context) (keys.Status, error) {
	return get[keys.Status](ctx, c, "/api/v1/admin/keys")
}

// SetEscrow encrypts every tenant's keys to age recipients, who replace those from before.
func (c *Client) SetEscrow(ctx context.Context, p keys.EscrowParams) (s keys.Status, err error) {
	_, err = c.call(ctx, "PUT", "/api/v1/admin/keys/escrow", nil, p, &s)
	return s, err
}

// RewrapKeys wraps all keysets by the newest key of the configured provider.
func (c *Client) RewrapKeys(ctx context.Context, p keys.RewrapParams) (t keys.Turned, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/admin/keys/rewrap", nil, p, &t)
	return t, err
}

// RotateKeys turns the keys; records are sealed anew in the background.
func (c *Client) RotateKeys(ctx context.Context, p keys.RotateParams) (t keys.Turned, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/admin/keys/rotate", nil, p, &t)
	return t, err
}

// VerifyKeys unwraps every keyset and decrypts every record.
func (c *Client) VerifyKeys(ctx context.Context) (keys.Report, error) {
	return get[keys.Report](ctx, c, "/api/v1/admin/keys/verify")
}

// DeleteTenant deletes a tenant with all it has and destroys its keys.
func (c *Client) DeleteTenant(ctx context.Context, id string) (d tenant.Deleted, err error) {
	_, err = c.call(ctx, "DELETE", "/api/v1/admin/tenants/"+url.PathEscape(id), nil, nil, &d)
	return d, err
}
