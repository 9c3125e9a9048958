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
	ClientUserID        string // no e-mail address or phone number: Plaid refuses those
	Products            []string
	RequiredIfSupported []string
	Optional            []string
	AdditionalConsented []string
	AccessToken         AccessToken
	ChooseAccounts      bool // in update mode, let the user choose accounts again
	Hosted              bool
	Webhook             string        // the address of the Item's webhooks; ignored in update mode
	SameDayDeposits     bool          // the user types the numbers, and proves them by the code of a small deposit
	Lifetime            time.Duration // of a hosted link; 0: Plaid's 30 minutes
}

// Link is a link token with its hosted page.
type Link struct {
	Token      LinkToken
	HostedURL  string
	Expiration time.Time
	RequestID  string
}

// CreateLink asks for a link token. A token costs nothing and expires, so the call is repeated like a read.
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
	if days := c.historyDays(); days != nil && slices.Contains(slices.Concat(r.Products, r.RequiredIfSupported, r.Optional), "transactions") {
		req.Transactions = &sdk.LinkTokenTransactions{DaysRequested: days}
	}
	if len(r.Products) == 1 && r.Products[0] == "auth" {
		yes := true // link by typed numbers, for banks that Plaid cannot sign in to
		req.Auth = &sdk.LinkTokenCreateRequestAuth{AutomatedMicrodepositsEnabled: &yes, SameDayMicrodepositsEnabled: &yes, InstantMicrodepositsEnabled: &yes}
		if r.SameDayDeposits {
			req.Auth.AuthTypeSelectEnabled = &yes
		}
	}
	return req
}

// historyDays is the history to ask for when an Item's transactions begin; Plaid never changes it later. nil leaves it to
// Plaid.
func (c *Client) historyDays() *int32 {
	days := c.live.Load().days
	if days == 0 {
		return nil
	}
	n := int32(days)
	return &n
}

// productNames keeps nil: the SDK would send an empty list.
func productNames(names []string) []sdk.Products {
	var out []sdk.Products
	for _, name := range names {
		out = append(out, sdk.Products(name))
	}
	return out
}

// Outcome is the result of one opening of a hosted link.
type Outcome struct {
	SessionID   string
	Finished    bool
	PublicToken PublicToken // set on success, unless the session was an update
	Institution *connection.Institution
	Accounts    []connection.MetadataAccount
	HandedOff   bool      // Link reported HANDOFF: the Item is linked or repaired
	LastSeen    time.Time // when something happened in it last
	Exit        *connection.Exit
}

// GetLink reads the results of a hosted link: none before its page was opened.
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
	o.LastSeen = s.GetStartedAt()
	if end := s.FinishedAt.Get(); end != nil && end.After(o.LastSeen) {
		o.LastSeen = *end
	}
	for _, e := range s.GetEvents() {
		if at, err := time.Parse(time.RFC3339, e.Timestamp); err == nil && at.After(o.LastSeen) {
			o.LastSeen = at
		}
		o.HandedOff = o.HandedOff || e.EventName == "HANDOFF"
	}
	if results := s.Results.Get(); results != nil {
		for _, r := range results.GetItemAddResults() {
			o.PublicToken, o.Accounts = NewPublicToken(r.PublicToken), linkAccounts(r.Accounts)
			o.Institution = linkInstitution(r.Institution)
		}
	}
	// Plaid sends on_success to older integrations only.
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
