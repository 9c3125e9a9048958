package plaid

import (
	"context"
	"net/http"

	sdk "github.com/plaid/plaid-go/v29/plaid"
)

// MatchName asks Plaid how well a name fits the owners of each account: 0 to 100 by Plaid's account id. Accounts whose
// owners Plaid does not know are missing.
func (c *Client) MatchName(ctx context.Context, token AccessToken, name string) (map[string]int, error) {
	ctx, err := c.ask(ctx, "identity", token)
	if err != nil {
		return nil, err
	}
	user := sdk.IdentityMatchUser{}
	user.LegalName.Set(&name)
	req := sdk.IdentityMatchRequest{AccessToken: token.Reveal(), User: &user}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.IdentityMatchResponse, *http.Response, error) {
		return c.api.PlaidApi.IdentityMatch(ctx).IdentityMatchRequest(req).Execute()
	})
	if err != nil {
		return nil, err
	}
	scores := map[string]int{}
	for _, a := range resp.Accounts {
		if n := a.LegalName.Get(); n != nil && n.Score.Get() != nil {
			scores[a.AccountId] = int(*n.Score.Get())
		}
	}
	return scores, nil
}

// GetOwners reads the names of each account's owners; a joint account has several.
func (c *Client) GetOwners(ctx context.Context, token AccessToken) (map[string][]string, error) {
	ctx, err := c.ask(ctx, "identity", token)
	if err != nil {
		return nil, err
	}
	req := sdk.IdentityGetRequest{AccessToken: token.Reveal()}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.IdentityGetResponse, *http.Response, error) {
		return c.api.PlaidApi.IdentityGet(ctx).IdentityGetRequest(req).Execute()
	})
	if err != nil {
		return nil, err
	}
	names := map[string][]string{}
	for _, a := range resp.Accounts {
		for _, o := range a.Owners {
			names[a.AccountId] = append(names[a.AccountId], o.Names...)
		}
	}
	return names, nil
}
