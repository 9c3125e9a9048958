package plaid

import (
	"context"
	"net/http"

	sdk "github.com/plaid/plaid-go/v29/plaid"

	"github.com/bankctl/bankctl/internal/fault"
)

// Item is what Plaid says of a linked institution.
type Item struct {
	ID              string
	InstitutionID   string // empty for Items linked by number alone
	InstitutionName string
	Products        []string // billed ones and those the user agreed to
	ErrorCode       string   // why it does not work, such as ITEM_LOGIN_REQUIRED
}

func itemOf(i sdk.Item) Item {
	item := Item{ID: i.ItemId, InstitutionID: value(i.InstitutionId)}
	item.InstitutionName, _ = i.AdditionalProperties["institution_name"].(string)
	if e := i.Error.Get(); e != nil {
		item.ErrorCode = e.ErrorCode
	}
	seen := map[string]bool{}
	for _, list := range [][]sdk.Products{i.BilledProducts, i.GetProducts(), i.GetConsentedProducts()} {
		for _, p := range list {
			if !seen[string(p)] {
				seen[string(p)] = true
				item.Products = append(item.Products, string(p))
			}
		}
	}
	return item
}

// value reads a nullable string; null is "".
func value(s sdk.NullableString) string {
	if p := s.Get(); p != nil {
		return *p
	}
	return ""
}

// Exchange turns a public token into an access token. The answer holds the only copy of the token, so the call is
// made once; after a failure with an unknown outcome the caller decides.
func (c *Client) Exchange(ctx context.Context, token PublicToken) (AccessToken, string, error) {
	req := sdk.ItemPublicTokenExchangeRequest{PublicToken: token.Reveal()}
	resp, err := once(ctx, c, false, func(ctx context.Context) (sdk.ItemPublicTokenExchangeResponse, *http.Response, error) {
		return c.api.PlaidApi.ItemPublicTokenExchange(ctx).ItemPublicTokenExchangeRequest(req).Execute()
	})
	if err != nil {
		return AccessToken{}, "", err
	}
	if resp.AccessToken == "" || resp.ItemId == "" {
		return AccessToken{}, "", unknownOutcome{fault.New(fault.PlaidError, "Plaid's answer holds no token")}
	}
	return NewAccessToken(resp.AccessToken), resp.ItemId, nil
}

// GetItem reads an Item; the one call that also answers for a broken one.
func (c *Client) GetItem(ctx context.Context, token AccessToken) (Item, error) {
	if err := c.budgets.spend("item", token); err != nil {
		return Item{}, err
	}
	req := sdk.ItemGetRequest{AccessToken: token.Reveal()}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.ItemGetResponse, *http.Response, error) {
		return c.api.PlaidApi.ItemGet(ctx).ItemGetRequest(req).Execute()
	})
	if err != nil {
		return Item{}, err
	}
	return itemOf(resp.Item), nil
}

// RemoveItem ends an Item. Removing it again is refused with ITEM_NOT_FOUND, so trying again is safe.
func (c *Client) RemoveItem(ctx context.Context, token AccessToken) error {
	req := sdk.ItemRemoveRequest{AccessToken: token.Reveal()}
	_, err := read(ctx, c, false, func(ctx context.Context) (sdk.ItemRemoveResponse, *http.Response, error) {
		return c.api.PlaidApi.ItemRemove(ctx).ItemRemoveRequest(req).Execute()
	})
	return err
}

// Institution is a bank in Plaid's catalogue.
type Institution struct {
	ID, Name       string
	RoutingNumbers []string
}

// GetInstitution reads one bank of the catalogue.
func (c *Client) GetInstitution(ctx context.Context, id string) (Institution, error) {
	req := sdk.InstitutionsGetByIdRequest{InstitutionId: id, CountryCodes: []sdk.CountryCode{sdk.COUNTRYCODE_US}}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.InstitutionsGetByIdResponse, *http.Response, error) {
		return c.api.PlaidApi.InstitutionsGetById(ctx).InstitutionsGetByIdRequest(req).Execute()
	})
	if err != nil {
		return Institution{}, err
	}
	return Institution{resp.Institution.InstitutionId, resp.Institution.Name, resp.Institution.RoutingNumbers}, nil
}
