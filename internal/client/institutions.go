package client

import (
	"context"
	"net/url"

	"github.com/bankctl/bankctl/internal/connection"
)

// SearchInstitutions finds banks of Plaid's catalogue by part of their name; ten at most.
func (c *Client) SearchInstitutions(ctx context.Context, text string) ([]connection.BankInfo, error) {
	return get[[]connection.BankInfo](ctx, c, "/api/v1/plaid/institutions", connection.BankQuery{Query: text})
}

// GetInstitution reads one bank of Plaid's catalogue.
func (c *Client) GetInstitution(ctx context.Context, id string) (connection.BankInfo, error) {
	return get[connection.BankInfo](ctx, c, "/api/v1/plaid/institutions/"+url.PathEscape(id))
}
