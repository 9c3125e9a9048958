package plaid

import (
	"cmp"
	"context"
	"net/http"
	"slices"

	sdk "github.com/plaid/plaid-go/v29/plaid"
)

// CreateSandboxToken makes an Item without Link, which only Plaid's sandbox offers.
func (c *Client) CreateSandboxToken(ctx context.Context, institutionID, username, password string, products []string, webhook string) (PublicToken, error) {
	req := sdk.SandboxPublicTokenCreateRequest{InstitutionId: institutionID, InitialProducts: productNames(products)}
	options := &sdk.SandboxPublicTokenCreateRequestOptions{}
	if days := c.historyDays(); days != nil && slices.Contains(products, "transactions") {
		options.Transactions = &sdk.SandboxPublicTokenCreateRequestOptionsTransactions{DaysRequested: days}
		req.Options = options
	}
	if webhook != "" {
		options.Webhook = &webhook
		req.Options = options
	}
	if username != "" {
		req.Options = options
		req.Options.OverrideUsername.Set(&username)
		password = cmp.Or(password, "pass_good")
		req.Options.OverridePassword.Set(&password)
	}
	resp, err := once(ctx, c, false, func(ctx context.Context) (sdk.SandboxPublicTokenCreateResponse, *http.Response, error) {
		return c.api.PlaidApi.SandboxPublicTokenCreate(ctx).SandboxPublicTokenCreateRequest(req).Execute()
	})
	if err != nil {
		return PublicToken{}, err
	}
	return NewPublicToken(resp.PublicToken), nil
}
