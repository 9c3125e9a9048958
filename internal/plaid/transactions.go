package plaid

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	sdk "github.com/plaid/plaid-go/v29/plaid"

	"github.com/bankctl/bankctl/internal/fault"
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
	Unread          []txn.Unread // rows that cannot be stored, and why
	Next            string       // the cursor after this page; empty while nothing is ready
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
	if !got.taken {
		return Page{}, fault.New(fault.PlaidError, "Plaid sent transactions that cannot be read")
	}
	return Page{got.added, got.modified, got.removed, got.unread, resp.NextCursor, resp.HasMore, string(resp.TransactionsUpdateStatus)}, nil
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
	unread          []txn.Unread
	taken           bool
}

// rowStripper takes the rows out of replies of /transactions/sync, if the caller's context asks for it, and rebuilds
// replies about accounts.
type rowStripper struct{ next http.RoundTripper }

func (t rowStripper) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return resp, err
	}
	rows, wanted := req.Context().Value(rowsKey{}).(*syncRows)
	wanted = wanted && resp.StatusCode == http.StatusOK && strings.HasSuffix(req.URL.Path, "/transactions/sync")
	if !wanted && !wantsRebuilding(resp, req.URL.Path) {
		return resp, nil
	}
	body, err := io.ReadAll(resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return nil, fmt.Errorf("read reply: %w", err)
	}
	rest := body // an unexpected form stays: the SDK reports the error
	if !wanted {
		rest = rebuild(req.URL.Path, body)
	} else if stripped, ok := rows.extractRows(body); ok {
		rest = stripped
	}
	resp.Body, resp.ContentLength = io.NopCloser(bytes.NewReader(rest)), int64(len(rest))
	resp.Header.Del("Content-Length")
	return resp, nil
}
