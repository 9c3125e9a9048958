package client

import (
	"context"
	"net/url"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// GetStatus asks the daemon about itself; it needs no client.
func (c *Client) GetStatus(ctx context.Context) (status.Status, error) {
	return get[status.Status](ctx, c, "/api/v1/status")
}

// AddTenant makes a tenant.
func (c *Client) AddTenant(ctx context.Context, p tenant.AddParams) (t tenant.Tenant, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/admin/tenants", nil, p, &t)
	return t, err
}

// ListTenants lists tenants.
func (c *Client) ListTenants(ctx context.Context, p page.Request) ([]tenant.Tenant, page.Info, error) {
	return list[tenant.Tenant](ctx, c, "/api/v1/admin/tenants", p)
}

// AddClient makes a client; its secret is in the reply and nowhere else.
func (c *Client) AddClient(ctx context.Context, p tenant.ClientParams) (m tenant.Minted, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/admin/clients", nil, p, &m)
	return m, err
}

// ListClients lists a tenant's clients, revoked ones included.
func (c *Client) ListClients(ctx context.Context, p page.Request) ([]tenant.Client, page.Info, error) {
	return list[tenant.Client](ctx, c, "/api/v1/admin/clients", p)
}

// RotateClient mints another secret for a client; it is in the reply and nowhere else.
func (c *Client) RotateClient(ctx context.Context, id string, p tenant.RotateParams) (m tenant.Minted, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/admin/clients/"+url.PathEscape(id)+"/rotate", nil, p, &m)
	return m, err
}

// RevokeClient ends a client: its next call is refused.
func (c *Client) RevokeClient(ctx context.Context, id string) (cl tenant.Client, err error) {
	_, err = c.call(ctx, "DELETE", "/api/v1/admin/clients/"+url.PathEscape(id), nil, nil, &cl)
	return cl, err
}

// ListAudit lists audit records, newest first.
func (c *Client) ListAudit(ctx context.Context, q trail.Query) ([]trail.Record, error) {
	return get[[]trail.Record](ctx, c, "/api/v1/admin/audit", q)
}

// VerifyAudit checks a tenant's whole audit chain.
func (c *Client) VerifyAudit(ctx context.Context) (trail.Report, error) {
	return get[trail.Report](ctx, c, "/api/v1/admin/audit/verify")
}

// Examine checks all data and the audit chain, and lists the problems.
func (c *Client) Examine(ctx context.Context) (status.Examination, error) {
	return get[status.Examination](ctx, c, "/api/v1/admin/doctor")
}

// GetOwnClient reads the client that calls.
func (c *Client) GetOwnClient(ctx context.Context) (tenant.Client, error) {
	return get[tenant.Client](ctx, c, "/api/v1/client")
}
