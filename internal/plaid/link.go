package plaid

import (
	"context"
	"net/http"
	"slices"
	"time"

	sdk "github.com/plaid/plaid-go/v29/plaid"

	"github.com/bankctl/bankctl/internal/connection"
)

// LinkRequest asks for a link token. With an AccessToken it opens update mode for that Item.
type LinkRequest struct {
	ClientUserID        string // never an e-mail address or phone number: Plaid refuses those
	Products            []string
	RequiredIfSupported []string
	Optional            []string
	AdditionalConsented []string
	AccessToken         AccessToken
	ChooseAccounts      bool // update mode: let the user choose accounts anew
	Hosted              bool
	Webhook             string        // where Plaid tells of the Item; not heeded in update mode
	SameDayDeposits     bool          // the user types the numbers, and proves them by a code that comes with a deposit
	Lifetime            time.Duration // of a hosted link; 0 = Plaid's 30 minutes
}

// Link is a link token with what belongs to it.
type Link struct {
	Token      LinkToken
	HostedURL  string
	Expiration time.Time
	RequestID  string
}

// CreateLink asks for a link token. It makes nothing that costs or lasts, so it is tried again like a read.
func (c *Client) CreateLink(ctx context.Context, r LinkRequest) (Link, error) {
	req := c.linkRequest(r)
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.LinkTokenCreateResponse, *http.Response, error) {
		return c.api.PlaidApi.LinkTokenCreate(ctx).LinkTokenCreateRequest(req).Execute()
	})
	if err != nil {
		return Link{}, err
	}
	return Link{NewLinkToken(resp.LinkToken), resp.GetHostedLinkUrl(), resp.Expiration.UTC(), resp.RequestId}, nil
}

func (c *Client) linkRequest(r LinkRequest) sdk.LinkTokenCreateRequest {
	req := sdk.LinkTokenCreateRequest{
		ClientName: c.config.ClientName, Language: "en", CountryCodes: []sdk.CountryCode{sdk.COUNTRYCODE_US},
		User: sdk.LinkTokenCreateRequestUser{ClientUserId: r.ClientUserID},
	}
	if r.Hosted {
		req.HostedLink = &sdk.LinkTokenCreateHostedLink{}
		if r.Lifetime > 0 {
			seconds := int32(r.Lifetime / time.Second)
			req.HostedLink.UrlLifetimeSeconds = &seconds
		}
	}
	req.AdditionalConsentedProducts = productNames(r.AdditionalConsented)
	if !r.AccessToken.Empty() {
		req.SetAccessToken(r.AccessToken.Reveal())
		if r.ChooseAccounts {
			yes := true
			req.Update = &sdk.LinkTokenCreateRequestUpdate{AccountSelectionEnabled: &yes}
		}
		return req
	}
	if r.Webhook != "" {
		req.Webhook = &r.Webhook
	}
	req.Products = productNames(r.Products)
	req.RequiredIfSupportedProducts = productNames(r.RequiredIfSupported)
	req.OptionalProducts = productNames(r.Optional)
	if days := c.days(); days != nil && slices.Contains(slices.Concat(r.Products, r.RequiredIfSupported, r.Optional), "transactions") {
		req.Transactions = &sdk.LinkTokenTransactions{DaysRequested: days}
	}
	if len(r.Products) == 1 && r.Products[0] == "auth" {
		yes := true // the ways to link by number alone, for banks that Plaid cannot sign in to
		req.Auth = &sdk.LinkTokenCreateRequestAuth{AutomatedMicrodepositsEnabled: &yes, SameDayMicrodepositsEnabled: &yes, InstantMicrodepositsEnabled: &yes}
		if r.SameDayDeposits {
			req.Auth.AuthTypeSelectEnabled = &yes
		}
	}
	return req
}

// days is what Plaid is asked for when an Item's transactions begin; it is frozen then. nil leaves it to Plaid.
func (c *Client) days() *int32 {
	if c.config.Days == 0 {
		return nil
	}
	n := int32(c.config.Days)
	return &n
}

// productNames leaves nil as nil: the SDK would send an empty list as one.
func productNames(names []string) []sdk.Products {
	var out []sdk.Products
	for _, name := range names {
		out = append(out, sdk.Products(name))
	}
	return out
}

// Outcome is what has become of one opening of a hosted link.
type Outcome struct {
	SessionID   string
	Finished    bool
	PublicToken PublicToken // set on success, but for an update session
	Institution *connection.Institution
	Accounts    []connection.MetadataAccount
	HandedOff   bool // Link said HANDOFF: the Item is linked or mended
	Exit        *connection.Exit
}

// GetLink reads what has become of a hosted link; nothing until its page was opened.
func (c *Client) GetLink(ctx context.Context, token LinkToken) ([]Outcome, error) {
	req := sdk.LinkTokenGetRequest{LinkToken: token.Reveal()}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.LinkTokenGetResponse, *http.Response, error) {
		return c.api.PlaidApi.LinkTokenGet(ctx).LinkTokenGetRequest(req).Execute()
	})
	if err != nil {
		return nil, err
	}
	var outcomes []Outcome
	for _, s := range resp.GetLinkSessions() {
		outcomes = append(outcomes, outcome(s))
	}
	return outcomes, nil
}

func outcome(s sdk.LinkTokenGetSessionsResponse) Outcome {
	o := Outcome{SessionID: s.LinkSessionId, Finished: s.FinishedAt.Get() != nil}
	if exit := s.Exit.Get(); exit != nil {
		o.Exit = &connection.Exit{}
		if m := exit.Metadata.Get(); m != nil {
			o.Exit.Status = m.GetStatus()
		}
		if e := exit.Error.Get(); e != nil {
			o.Exit.ErrorCode = e.ErrorCode
		}
	}
	for _, e := range s.GetEvents() {
		o.HandedOff = o.HandedOff || e.EventName == "HANDOFF"
	}
	if results := s.Results.Get(); results != nil {
		for _, r := range results.GetItemAddResults() {
			o.PublicToken, o.Accounts = NewPublicToken(r.PublicToken), linkAccounts(r.Accounts)
			o.Institution = linkInstitution(r.Institution)
		}
	}
	// on_success is what Plaid sends to older integrations alone.
	if success := s.OnSuccess.Get(); success != nil && o.PublicToken.Empty() {
		o.PublicToken = NewPublicToken(success.PublicToken)
		if m := success.Metadata.Get(); m != nil {
			o.Accounts, o.Institution = linkAccounts(m.GetAccounts()), linkInstitution(m.Institution)
		}
	}
	return o
}

func linkInstitution(n sdk.NullableLinkSessionSuccessMetadataInstitution) *connection.Institution {
	if i := n.Get(); i != nil {
		return &connection.Institution{ID: i.GetInstitutionId(), Name: i.GetName()}
	}
	return nil
}

func linkAccounts(in []sdk.LinkSessionSuccessMetadataAccount) []connection.MetadataAccount {
	out := make([]connection.MetadataAccount, 0, len(in))
	for _, a := range in {
		out = append(out, connection.MetadataAccount{
			ID: a.GetId(), Name: a.GetName(), Mask: a.GetMask(), Type: a.GetType(), Subtype: a.GetSubtype(),
			VerificationStatus: connection.NullText(a.GetVerificationStatus()),
		})
	}
	return out
}
