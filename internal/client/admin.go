package client

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// GetStatus asks the daemon about itself; it needs no client.
func (c *Client) GetStatus(ctx context.Context) (s status.Status, err error) {
	_, err = c.call(ctx, "GET", "/api/v1/status", nil, nil, &s)
	return s, err
}

// AddTenant makes a tenant.
func (c *Client) AddTenant(ctx context.Context, p tenant.AddParams) (t tenant.Tenant, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/admin/tenants", nil, p, &t)
	return t, err
}

// ListTenants lists tenants.
func (c *Client) ListTenants(ctx context.Context, p page.Request) (all []tenant.Tenant, info page.Info, err error) {
	info, err = c.call(ctx, "GET", "/api/v1/admin/tenants", pairs(p), nil, &all)
	return all, info, err
}

// AddClient makes a client; its secret is in the reply and nowhere else.
func (c *Client) AddClient(ctx context.Context, p tenant.ClientParams) (m tenant.Minted, err error) {
	_, err = c.call(ctx, "POST", "/api/v1/admin/clients", nil, p, &m)
	return m, err
}

// ListClients lists a tenant's clients, revoked ones included.
func (c *Client) ListClients(ctx context.Context, p page.Request) (all []tenant.Client, info page.Info, err error) {
	info, err = c.call(ctx, "GET", "/api/v1/admin/clients", pairs(p), nil, &all)
	return all, info, err
}

// RevokeClient ends a client: its next call is refused.
func (c *Client) RevokeClient(ctx context.Context, id string) (cl tenant.Client, err error) {
	_, err = c.call(ctx, "DELETE", "/api/v1/admin/clients/"+url.PathEscape(id), nil, nil, &cl)
	return cl, err
}

// ListAudit lists audit records, newest first.
func (c *Client) ListAudit(ctx context.Context, q trail.Query) (all []trail.Record, err error) {
	query := pairs(page.Request{Limit: q.Limit}, "action", q.Action, "object", q.Object, "client_id", q.ClientID)
	if q.BeforeSeq > 0 {
		query.Set("before", strconv.FormatUint(q.BeforeSeq, 10))
	}
	if !q.Since.IsZero() {
		query.Set("since", q.Since.UTC().Format(time.RFC3339))
	}
	_, err = c.call(ctx, "GET", "/api/v1/admin/audit", query, nil, &all)
	return all, err
}

// VerifyAudit checks a tenant's whole audit chain.
func (c *Client) VerifyAudit(ctx context.Context) (r trail.Report, err error) {
	_, err = c.call(ctx, "GET", "/api/v1/admin/audit/verify", nil, nil, &r)
	return r, err
}

// Examine reads all data and the audit chain, and lists what needs somebody.
func (c *Client) Examine(ctx context.Context) (e status.Examination, err error) {
	_, err = c.call(ctx, "GET", "/api/v1/admin/doctor", nil, nil, &e)
	return e, err
}
