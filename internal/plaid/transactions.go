package plaid

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	sdk "github.com/plaid/plaid-go/v29/plaid"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/txn"
)

// Plaid's progress with an Item's history.
const (
	NotReady        = "NOT_READY"
	InitialComplete = "INITIAL_UPDATE_COMPLETE"
	HistoryComplete = "HISTORICAL_UPDATE_COMPLETE"
)

// Page is one page of an update of an Item's transactions.
type Page struct {
	Added, Modified []txn.Raw
	Removed         []txn.Removed
	Next            string // the cursor after this page; empty while nothing is ready
	More            bool
	Status          string
}

// SyncTransactions reads the page of an Item's update after a cursor; empty means from the beginning. count is 1 to
// 500.
//
// The SDK decodes every level of this reply twice, which costs more than the rest of a sync. So a transport decodes the
// rows here and passes the reply on to the SDK without them; requests, headers and errors stay the SDK's. A test
// compares these rows with the SDK's own decoding of the same bytes.
func (c *Client) SyncTransactions(ctx context.Context, token AccessToken, cursor string, count int) (Page, error) {
	ctx, err := c.ask(ctx, "sync", token)
	if err != nil {
		return Page{}, err
	}
	n := int32(count)
	req := sdk.TransactionsSyncRequest{AccessToken: token.Reveal(), Count: &n}
	if cursor != "" {
		req.Cursor = &cursor
	} else if days := c.historyDays(); days != nil { // Plaid uses it only in the call that begins the Item's transactions
		req.Options = &sdk.TransactionsSyncRequestOptions{DaysRequested: days}
	}
	var got *syncRows
	resp, err := read(ctx, c, false, func(ctx context.Context) (sdk.TransactionsSyncResponse, *http.Response, error) {
		got = &syncRows{}
		return c.api.PlaidApi.TransactionsSync(context.WithValue(ctx, rowsKey{}, got)).TransactionsSyncRequest(req).Execute()
	})
	if err != nil {
		return Page{}, err
	}
	if !got.taken || got.err != nil {
		return Page{}, fault.New(fault.PlaidError, "Plaid sent transactions that cannot be read").Because(got.err)
	}
	return Page{got.added, got.modified, got.removed, resp.NextCursor, resp.HasMore, string(resp.TransactionsUpdateStatus)}, nil
}

// RefreshTransactions asks Plaid to fetch from the bank now. It is billed, and not available for every account.
func (c *Client) RefreshTransactions(ctx context.Context, token AccessToken) error {
	ctx, err := c.ask(ctx, "refresh", token)
	if err != nil {
		return err
	}
	req := sdk.TransactionsRefreshRequest{AccessToken: token.Reveal()}
	_, err = once(ctx, c, true, func(ctx context.Context) (sdk.TransactionsRefreshResponse, *http.Response, error) {
		return c.api.PlaidApi.TransactionsRefresh(ctx).TransactionsRefreshRequest(req).Execute()
	})
	return err
}

type rowsKey struct{}

// syncRows receives the rows of one reply.
type syncRows struct {
	added, modified []txn.Raw
	removed         []txn.Removed
	taken           bool
	err             error
}

// rowStripper takes the rows out of replies of /transactions/sync, if the caller's context asks for it.
type rowStripper struct{ next http.RoundTripper }

func (t rowStripper) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	rows, wanted := req.Context().Value(rowsKey{}).(*syncRows)
	if err != nil || !wanted || resp.StatusCode != http.StatusOK || !strings.HasSuffix(req.URL.Path, "/transactions/sync") {
		return resp, err
	}
	body, err := io.ReadAll(resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read transactions: %w", err)
	}
	rest, ok := rows.extractRows(body)
	if !ok {
		rest = body // an unexpected form: the SDK reports the error
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(rest)), int64(len(rest))
	resp.Header.Del("Content-Length")
	return resp, nil
}

// wireRow has the fields of a transaction that are kept; its amount stays the digits that Plaid sent. Members with the
// same name in Plaid and txn.Details are read into Details; those with another name are fields here, and hide the ones
// of Details.
type wireRow struct {
	txn.Details
	ID         string         `json:"transaction_id"`
	AccountID  string         `json:"account_id"`
	Amount     jsontext.Value `json:"amount"`
	ISO        string         `json:"iso_currency_code"`
	Unofficial string         `json:"unofficial_currency_code"`
	Date       string         `json:"date"`
	Pending    bool           `json:"pending"`
	Finance    *struct {
		Primary  string `json:"primary"`
		Detailed string `json:"detailed"`
	} `json:"personal_finance_category"`
	Legacy jsontext.Value `json:"category"` // Plaid's older categories, a list
}

type wirePage struct {
	Added    []wireRow      `json:"added"`
	Modified []wireRow      `json:"modified"`
	Removed  []wireRemoved  `json:"removed"`
	Next     *string        `json:"next_cursor"`
	More     *bool          `json:"has_more"`
	Status   jsontext.Value `json:"transactions_update_status"`
	Request  jsontext.Value `json:"request_id"`
}

type wireRemoved struct {
	ID        string `json:"transaction_id"`
	AccountID string `json:"account_id"`
}

// extractRows reads the rows of a reply and returns the reply without them.
func (r *syncRows) extractRows(body []byte) (rest []byte, ok bool) {
	var p wirePage
	// As lenient as the SDK's decoder, so that both accept the same replies.
	if json.Unmarshal(body, &p, jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true)) != nil || p.Next == nil || p.More == nil {
		return nil, false
	}
	r.taken = true
	if r.added, r.err = raws(p.Added); r.err == nil {
		r.modified, r.err = raws(p.Modified)
	}
	for _, g := range p.Removed {
		r.removed = append(r.removed, txn.Removed(g))
	}
	stub := struct {
		Added    []struct{}     `json:"added"`
		Modified []struct{}     `json:"modified"`
		Removed  []struct{}     `json:"removed"`
		Accounts []struct{}     `json:"accounts"`
		Next     *string        `json:"next_cursor"`
		More     *bool          `json:"has_more"`
		Status   jsontext.Value `json:"transactions_update_status,omitzero"`
		Request  jsontext.Value `json:"request_id,omitzero"`
	}{[]struct{}{}, []struct{}{}, []struct{}{}, []struct{}{}, p.Next, p.More, p.Status, p.Request}
	rest, err := json.Marshal(stub)
	return rest, err == nil
}

func raws(in []wireRow) ([]txn.Raw, error) {
	out := make([]txn.Raw, len(in))
	for i := range in {
		if err := in[i].raw(&out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (w *wireRow) raw(out *txn.Raw) error {
	currency := w.ISO
	if currency == "" {
		currency = w.Unofficial
	}
	amount, rounded, err := money.Parse(string(w.Amount), currency)
	if err != nil {
		return fmt.Errorf("amount of a transaction: %w", err)
	}
	*out = txn.Raw{Details: w.Details, AccountID: w.AccountID, Date: w.Date, Amount: amount, Rounded: rounded, Pending: w.Pending}
	out.PlaidTransactionID, out.Category, out.CategoryDetailed = w.ID, "", ""
	if w.Finance != nil {
		out.Category, out.CategoryDetailed = w.Finance.Primary, w.Finance.Detailed
	}
	return nil
}
