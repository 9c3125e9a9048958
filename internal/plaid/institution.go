package plaid

import (
	"context"
	"net/http"

	sdk "github.com/plaid/plaid-go/v29/plaid"
)

// Institution is a bank in Plaid's catalogue.
type Institution struct {
	ID, Name       string
	RoutingNumbers []string
	Products       []string
	OAuth          bool
	Status         string // HEALTHY, DEGRADED or DOWN for sign-ins; empty where Plaid does not tell
}

func institutionOf(i sdk.Institution) Institution {
	out := Institution{ID: i.InstitutionId, Name: i.Name, RoutingNumbers: i.RoutingNumbers, OAuth: i.Oauth}
	for _, p := range i.Products {
		out.Products = append(out.Products, string(p))
	}
	if status := i.Status.Get(); status != nil {
		if logins := status.ItemLogins.Get(); logins != nil {
			out.Status = logins.Status
		}
	}
	return out
}

// GetInstitution reads one bank of the catalogue.
func (c *Client) GetInstitution(ctx context.Context, id string) (Institution, error) {
	withStatus := true
	req := sdk.InstitutionsGetByIdRequest{InstitutionId: id, CountryCodes: []sdk.CountryCode{sdk.COUNTRYCODE_US},
		Options: &sdk.InstitutionsGetByIdRequestOptions{IncludeStatus: &withStatus}}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.InstitutionsGetByIdResponse, *http.Response, error) {
		return c.api.PlaidApi.InstitutionsGetById(ctx).InstitutionsGetByIdRequest(req).Execute()
	})
	if err != nil {
		return Institution{}, err
	}
	return institutionOf(resp.Institution), nil
}

// SearchInstitutions finds banks by part of their name; Plaid gives ten at most.
func (c *Client) SearchInstitutions(ctx context.Context, text string) ([]Institution, error) {
	req := sdk.InstitutionsSearchRequest{Query: text, CountryCodes: []sdk.CountryCode{sdk.COUNTRYCODE_US}}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.InstitutionsSearchResponse, *http.Response, error) {
		return c.api.PlaidApi.InstitutionsSearch(ctx).InstitutionsSearchRequest(req).Execute()
	})
	if err != nil {
		return nil, err
	}
	var out []Institution
	for _, i := range resp.Institutions {
		out = append(out, institutionOf(i))
	}
	return out, nil
}
