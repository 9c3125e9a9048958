package plaid

import (
	"context"
	"net/http"
	"strconv"

	sdk "github.com/plaid/plaid-go/v29/plaid"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/money"
)

// Account is one account of an Item.
type Account struct {
	ID                 string
	PersistentID       string // the same in all Items of one login, at banks that hand out aliases; else empty
	Name, OfficialName string
	Mask               string
	Type, Subtype      string
	VerificationStatus string
	Balance            *account.Balance // without AsOf, which the caller sets
}

func accountOf(a sdk.AccountBase) (Account, error) {
	b, err := balanceOf(a.Balances)
	out := Account{
		ID: a.AccountId, PersistentID: a.GetPersistentAccountId(), Name: a.Name, OfficialName: value(a.OfficialName), Mask: value(a.Mask), Type: string(a.Type),
		VerificationStatus: a.GetVerificationStatus(), Balance: b,
	}
	if b != nil {
		b.Owed = account.Owes(out.Type)
	}
	if s := a.Subtype.Get(); s != nil {
		out.Subtype = string(*s)
	}
	return out, err
}

// errNotWhole refuses a list that lacks something: what is not in a list reads as if the bank did not show it any more.
func errNotWhole() error {
	return fault.New(fault.PlaidError, "Plaid's answer is not whole").WithHint("try again")
}

func accountsOf(in []sdk.AccountBase) ([]Account, error) {
	if in == nil {
		return nil, errNotWhole()
	}
	out := make([]Account, 0, len(in))
	for _, a := range in {
		if a.AccountId == "" {
			return nil, errNotWhole()
		}
		one, err := accountOf(a)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// balanceOf reads Plaid's decimals exactly. The SDK holds them as floats, whose shortest form is the text that Plaid
// sent.
func balanceOf(b sdk.AccountBalance) (*account.Balance, error) {
	currency := value(b.IsoCurrencyCode)
	if currency == "" {
		currency = value(b.UnofficialCurrencyCode)
	}
	out := &account.Balance{Currency: currency}
	for _, part := range []struct {
		from sdk.NullableFloat64
		to   **int64
	}{{b.Available, &out.Available}, {b.Current, &out.Current}, {b.Limit, &out.Limit}} {
		f := part.from.Get()
		if f == nil {
			continue
		}
		amount, rounded, err := money.Parse(strconv.FormatFloat(*f, 'f', -1, 64), currency)
		if err != nil {
			return nil, fault.New(fault.PlaidError, "Plaid sent a balance that is out of range").Because(err)
		}
		*part.to, out.Rounded = &amount.Minor, out.Rounded || rounded
	}
	if out.Available == nil && out.Current == nil && out.Limit == nil {
		return nil, nil
	}
	return out, nil
}

// GetAccounts reads an Item's open accounts with the last balances that Plaid has.
func (c *Client) GetAccounts(ctx context.Context, token AccessToken) ([]Account, Item, error) {
	ctx, err := c.ask(ctx, "accounts", token)
	if err != nil {
		return nil, Item{}, err
	}
	req := sdk.AccountsGetRequest{AccessToken: token.Reveal()}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.AccountsGetResponse, *http.Response, error) {
		return c.api.PlaidApi.AccountsGet(ctx).AccountsGetRequest(req).Execute()
	})
	if err != nil {
		return nil, Item{}, err
	}
	out, err := accountsOf(resp.Accounts)
	return out, itemOf(resp.Item), err
}

// GetBalances asks the bank itself. That is slow, and each success is billed, so the call is made once.
func (c *Client) GetBalances(ctx context.Context, token AccessToken) ([]Account, error) {
	ctx, err := c.ask(ctx, "balance", token)
	if err != nil {
		return nil, err
	}
	req := sdk.AccountsBalanceGetRequest{AccessToken: token.Reveal()}
	resp, err := once(ctx, c, true, func(ctx context.Context) (sdk.AccountsGetResponse, *http.Response, error) {
		return c.api.PlaidApi.AccountsBalanceGet(ctx).AccountsBalanceGetRequest(req).Execute()
	})
	if err != nil {
		return nil, err
	}
	return accountsOf(resp.Accounts)
}

// Auth is the answer of /auth/get: the accounts that money can move through, with their numbers.
type Auth struct {
	Accounts []Account
	Numbers  map[string]Numbers // by Plaid's account id
	Item     Item
}

// Numbers are an account's numbers. Tokenized is nil if Plaid does not say whether they are an alias.
type Numbers struct {
	ach.Numbers
	Tokenized *bool
}

// GetNumbers fetches the numbers of an Item's accounts. Its caller writes an audit record.
func (c *Client) GetNumbers(ctx context.Context, token AccessToken) (Auth, error) {
	ctx, err := c.ask(ctx, "auth", token)
	if err != nil {
		return Auth{}, err
	}
	req := sdk.AuthGetRequest{AccessToken: token.Reveal()}
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.AuthGetResponse, *http.Response, error) {
		return c.api.PlaidApi.AuthGet(ctx).AuthGetRequest(req).Execute()
	})
	if err != nil {
		return Auth{}, err
	}
	auth := Auth{Numbers: map[string]Numbers{}, Item: itemOf(resp.Item)}
	if auth.Accounts, err = accountsOf(resp.Accounts); err != nil {
		return Auth{}, err
	}
	if resp.Numbers.Ach == nil {
		return Auth{}, errNotWhole()
	}
	for _, n := range resp.Numbers.Ach {
		if n.AccountId == "" {
			return Auth{}, errNotWhole()
		}
		numbers := Numbers{Numbers: ach.Numbers{Routing: ach.NewRoutingNumber(n.Routing), Account: ach.NewAccountNumber(n.Account)}}
		// SDK v29 has no field for it and keeps it with the unknown ones.
		if tokenized, ok := n.AdditionalProperties["is_tokenized_account_number"].(bool); ok {
			numbers.Tokenized = &tokenized
		}
		auth.Numbers[n.AccountId] = numbers
	}
	return auth, nil
}
