package client

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

const transactions = "/api/v1/plaid/transactions"

func txnFilters(q txn.Query) url.Values {
	v := pairs(q.Request, "employer_id", q.EmployerID, "carrier_id", q.CarrierID, "plaid_item_id", q.Item, "plaid_account_id", q.AccountID,
		"date_from", q.DateFrom, "date_to", q.DateTo, "currency", q.Currency, "text", q.Text, "cursor", q.Cursor)
	if q.Pending != nil {
		v.Set("pending", strconv.FormatBool(*q.Pending))
	}
	for name, n := range map[string]*int64{"min_cents": q.MinCents, "max_cents": q.MaxCents} {
		if n != nil {
			v.Set(name, strconv.FormatInt(*n, 10))
		}
	}
	return v
}

// ListTransactions lists transactions, newest day first.
func (c *Client) ListTransactions(ctx context.Context, q txn.Query) (p txn.Page, err error) {
	var more struct {
		Next     string     `json:"next_cursor"`
		SyncedAt *time.Time `json:"synced_at"`
	}
	p.Info, err = c.listing(ctx, transactions, txnFilters(q), &p.Rows, &more)
	p.Next, p.SyncedAt = more.Next, more.SyncedAt
	return p, err
}

// GetTransaction reads one by our id or Plaid's.
func (c *Client) GetTransaction(ctx context.Context, id string) (t txn.Transaction, err error) {
	_, err = c.call(ctx, "GET", transactions+"/"+url.PathEscape(id), nil, nil, &t)
	return t, err
}

// RemovedTransactions lists what Plaid has taken back since a time; of the query the owners, the item and the page count.
func (c *Client) RemovedTransactions(ctx context.Context, q txn.Query, since time.Time) (rows []txn.Transaction, info page.Info, err error) {
	v := pairs(q.Request, "employer_id", q.EmployerID, "carrier_id", q.CarrierID, "plaid_item_id", q.Item)
	if !since.IsZero() {
		v.Set("since", since.UTC().Format(time.RFC3339))
	}
	info, err = c.call(ctx, "GET", transactions+"/removed", v, nil, &rows)
	return rows, info, err
}

// SummarizeTransactions adds transactions up; by is empty, or day, week, month, account or category.
func (c *Client) SummarizeTransactions(ctx context.Context, q txn.Query, byCurrency bool, by string) (s txn.Summary, err error) {
	v := txnFilters(q)
	if byCurrency {
		v.Set("by_currency", "true")
	}
	if by != "" {
		v.Set("by", by)
	}
	_, err = c.call(ctx, "GET", transactions+"/summary", v, nil, &s)
	return s, err
}

// SyncTransactions brings a connection's transactions up to date.
func (c *Client) SyncTransactions(ctx context.Context, p connection.SyncParams) (s txn.Synced, err error) {
	_, err = c.call(ctx, "POST", transactions+"/sync", nil, p, &s)
	return s, err
}
