package plaid

import (
	"context"
	"net/http"
	"time"

	sdk "github.com/plaid/plaid-go/v29/plaid"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/secret"
)

// Item is a linked institution at Plaid.
type Item struct {
	ID              string
	InstitutionID   string // empty for Items of typed numbers
	InstitutionName string
	Products        []string  // billed ones, and those the user consented to
	ErrorCode       string    // set while the Item does not work, such as ITEM_LOGIN_REQUIRED
	Webhook         string    // the address of the Item's webhooks; empty: none
	ConsentEnds     time.Time // the end of the user's consent or of the bank's access; zero: none known
}

func itemOf(i sdk.Item) Item {
	item := Item{ID: i.ItemId, InstitutionID: value(i.InstitutionId)}
	if t := i.ConsentExpirationTime.Get(); t != nil {
		item.ConsentEnds = t.UTC()
	}
	item.Webhook = value(i.Webhook)
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

// value reads a nullable string; null gives "".
func value(s sdk.NullableString) string {
	if p := s.Get(); p != nil {
		return *p
	}
	return ""
}

// Exchange turns a public token into an access token. The reply has the only copy of the token, so the call is made
// once; if its outcome is unknown, the caller decides.
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

// CreatePublicToken makes a public token of an Item that has an access token, so that the Item can be taken over once more
// as if it came from Link.
func (c *Client) CreatePublicToken(ctx context.Context, token AccessToken) (PublicToken, error) {
	req := sdk.ItemPublicTokenCreateRequest{AccessToken: token.Reveal()}
	resp, err := once(ctx, c, false, func(ctx context.Context) (sdk.ItemPublicTokenCreateResponse, *http.Response, error) {
		return c.api.PlaidApi.ItemCreatePublicToken(ctx).ItemPublicTokenCreateRequest(req).Execute()
	})
	if err != nil {
		return PublicToken{}, err
	}
	return NewPublicToken(resp.PublicToken), nil
}

// GetItem reads an Item. It is the one call that works for a broken Item.
func (c *Client) GetItem(ctx context.Context, token AccessToken) (Item, error) {
	ctx, err := c.ask(ctx, "item", token)
	if err != nil {
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

// RemoveItem removes an Item. To remove it again gives ITEM_NOT_FOUND, so trying again is safe.
func (c *Client) RemoveItem(ctx context.Context, token AccessToken) error {
	ctx, err := c.ask(ctx, "remove", token)
	if err != nil {
		return err
	}
	req := sdk.ItemRemoveRequest{AccessToken: token.Reveal()}
	_, err = read(ctx, c, false, func(ctx context.Context) (sdk.ItemRemoveResponse, *http.Response, error) {
		return c.api.PlaidApi.ItemRemove(ctx).ItemRemoveRequest(req).Execute()
	})
	return err
}

// InvalidateToken replaces an Item's access token. The old one stops working at once, and the reply has the only copy
// of the new one. So the call is made once; if its outcome is unknown, the caller finds out which token works.
func (c *Client) InvalidateToken(ctx context.Context, token AccessToken) (AccessToken, error) {
	ctx, err := c.ask(ctx, "rotate", token)
	if err != nil {
		return AccessToken{}, err
	}
	req := sdk.ItemAccessTokenInvalidateRequest{AccessToken: token.Reveal()}
	resp, err := once(ctx, c, false, func(ctx context.Context) (sdk.ItemAccessTokenInvalidateResponse, *http.Response, error) {
		return c.api.PlaidApi.ItemAccessTokenInvalidate(ctx).ItemAccessTokenInvalidateRequest(req).Execute()
	})
	if err != nil {
		return AccessToken{}, err
	}
	if resp.NewAccessToken == "" {
		return AccessToken{}, unknownOutcome{fault.New(fault.PlaidError, "Plaid's answer holds no token")}
	}
	return NewAccessToken(resp.NewAccessToken).Of(token.label), nil
}

// PointWebhook sets the address of an Item's webhooks; "" means none.
func (c *Client) PointWebhook(ctx context.Context, token AccessToken, url string) error {
	ctx, err := c.ask(ctx, "webhook", token)
	if err != nil {
		return err
	}
	req := sdk.ItemWebhookUpdateRequest{AccessToken: token.Reveal()}
	req.SetWebhookNil()
	if url != "" {
		req.SetWebhook(url)
	}
	_, err = read(ctx, c, false, func(ctx context.Context) (sdk.ItemWebhookUpdateResponse, *http.Response, error) {
		return c.api.PlaidApi.ItemWebhookUpdate(ctx).ItemWebhookUpdateRequest(req).Execute()
	})
	return err
}

// ProcessorToken lets one of Plaid's partners use an account, whose numbers the partner gets from Plaid.
type ProcessorToken struct{ secret.Text }

// CreateProcessorToken makes a token for a partner. Each call makes a new one, so it is made once.
func (c *Client) CreateProcessorToken(ctx context.Context, token AccessToken, accountID, processor string) (ProcessorToken, error) {
	ctx, err := c.ask(ctx, "processor", token)
	if err != nil {
		return ProcessorToken{}, err
	}
	req := sdk.ProcessorTokenCreateRequest{AccessToken: token.Reveal(), AccountId: accountID, Processor: processor}
	resp, err := once(ctx, c, false, func(ctx context.Context) (sdk.ProcessorTokenCreateResponse, *http.Response, error) {
		return c.api.PlaidApi.ProcessorTokenCreate(ctx).ProcessorTokenCreateRequest(req).Execute()
	})
	if err != nil {
		return ProcessorToken{}, err
	}
	if resp.ProcessorToken == "" {
		return ProcessorToken{}, unknownOutcome{fault.New(fault.PlaidError, "Plaid's answer holds no token")}
	}
	return ProcessorToken{secret.New(resp.ProcessorToken)}, nil
}
