package client

import (
	"context"
	"net/url"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/txn"
)

const transactions = "/api/v1/plaid/transactions"

// ListTransactions lists transactions, newest day first.
func (c *Client) ListTransactions(ctx context.Context, q txn.Query) (p txn.Page, err error) {
	var more struct {
		Next     string     `json:"next_cursor"`
		SyncedAt *time.Time `json:"synced_at"`
	}
	p.Info, err = c.send(ctx, "GET", transactions, query.Encode(q), nil, &p.Rows, &more)
	p.Next, p.SyncedAt = more.Next, more.SyncedAt
	return p, err
}

// GetTransaction reads one by our id or Plaid's.
func (c *Client) GetTransaction(ctx context.Context, id string) (txn.Transaction, error) {
	return get[txn.Transaction](ctx, c, transactions+"/"+url.PathEscape(id))
}

// RemovedTransactions lists the transactions that Plaid has removed since a time. It uses the query's owners, connection
// and page alone.
func (c *Client) RemovedTransactions(ctx context.Context, q txn.Query, since time.Time) ([]txn.Transaction, page.Info, error) {
	return list[txn.Transaction](ctx, c, transactions+"/removed", q, txn.Removal{Since: since})
}

// SetAsideTransactions lists the rows that could not be read or stored. It uses the query's owners, connection and page
// alone.
func (c *Client) SetAsideTransactions(ctx context.Context, q txn.Query) ([]txn.SetAside, page.Info, error) {
	return list[txn.SetAside](ctx, c, transactions+"/set-aside", q)
}

// SummarizeTransactions adds transactions up; by is empty, or day, week, month, account or category.
func (c *Client) SummarizeTransactions(ctx context.Context, q txn.Query, byCurrency bool, by string) (txn.Summary, error) {
	return get[txn.Summary](ctx, c, transactions+"/summary", q, txn.Grouping{By: by, ByCurrency: byCurrency})
}

// SyncTransactions brings a connection's transactions up to date.
func (c *Client) SyncTransactions(ctx context.Context, p connection.SyncParams) (s txn.Synced, err error) {
	_, err = c.call(ctx, "POST", transactions+"/sync", nil, p, &s)
	return s, err
}
