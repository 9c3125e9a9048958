package server

import (
	"strconv"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/txn"
)

const txnRoot = "/api/v1/plaid/transactions"

var txnFilters = []string{
	"employer_id", "carrier_id", "plaid_item_id", "item_id", "plaid_account_id", "date_from", "date_to", "pending", "currency", "min_cents", "max_cents", "text",
}

func (s *Server) txns() []route {
	return []route{
		{Method: "GET", Path: txnRoot, Name: "ListTransactions", Summary: "List transactions, newest day first", Act: tenant.Read,
			Query: with(append([]string{"cursor"}, txnFilters...)...), Reply: typed[txn.Transaction](), List: true, Handle: s.listTransactions},
		{Method: "GET", Path: txnRoot + "/removed", Name: "RemovedTransactions", Summary: "List what Plaid has taken back since a time, as it was, the latest first", Act: tenant.Read,
			Query: with("since", "employer_id", "carrier_id", "plaid_item_id"), Reply: typed[txn.Transaction](), List: true, Handle: s.removedTransactions},
		{Method: "GET", Path: txnRoot + "/summary", Name: "SummarizeTransactions", Summary: "Add transactions up; the same filters as the list", Act: tenant.Read,
			Query: append([]string{"by", "by_currency"}, txnFilters...), Reply: typed[txn.Summary](), Handle: s.summarizeTransactions},
		{Method: "POST", Path: txnRoot + "/sync", Name: "SyncTransactions", Summary: "Bring a connection's transactions up to date", Act: tenant.Write,
			Body: typed[connection.SyncParams](), Reply: typed[txn.Synced](), Handle: withBody(s.bank.SyncTransactions)},
		{Method: "GET", Path: txnRoot + "/{id}", Name: "GetTransaction", Summary: "Read a transaction by our id or Plaid's", Act: tenant.Read,
			Reply: typed[txn.Transaction](), Handle: withID(s.bank.GetTransaction)},
	}
}

// txnQuery reads the filters that the list and the summary share (R84-R96, A20).
func (q *query) txnQuery() txn.Query {
	f := txn.Query{
		Item: q.twin("plaid_item_id", "item_id"), AccountID: q.text("plaid_account_id"), DateFrom: q.text("date_from"), DateTo: q.text("date_to"),
		Pending: q.boolean("pending", q.text("pending")), Currency: q.text("currency"), Text: q.text("text"),
		MinCents: q.integer("min_cents"), MaxCents: q.integer("max_cents"),
	}
	f.EmployerID, f.CarrierID = q.owners()
	return f
}

func (q *query) integer(name string) *int64 {
	v := q.text(name)
	if v == "" {
		return nil
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		q.bad.Add(name, "must be a whole number of minor units")
	}
	return &n
}

func (s *Server) listTransactions(c *call) (any, *page.Info, error) {
	q := c.query()
	f := q.txnQuery()
	f.Cursor = q.text("cursor")
	f.Request = page.Request{Page: q.number("page"), Limit: q.number("limit")}
	f.Request.Check(&q.bad)
	f.Check(&q.bad)
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	p, err := s.bank.ListTransactions(c.r.Context(), c.caller, f, c.begin(true))
	if err != nil {
		return nil, nil, err
	}
	c.out.b, c.more = p.Rows, pagination{NextCursor: p.Next, SyncedAt: p.SyncedAt}
	return begun{}, &p.Info, nil
}

func (s *Server) removedTransactions(c *call) (any, *page.Info, error) {
	q := c.query()
	f := txn.Query{Item: q.text("plaid_item_id"), EmployerID: q.text("employer_id"), CarrierID: q.text("carrier_id")}
	since := q.moment("since")
	return listing(q, func(p page.Request) ([]txn.Transaction, page.Info, error) {
		f.Request = p
		return s.bank.RemovedTransactions(c.r.Context(), c.caller, f, since)
	})
}

func (s *Server) summarizeTransactions(c *call) (any, *page.Info, error) {
	q := c.query()
	f := q.txnQuery()
	f.Check(&q.bad)
	by := q.enum("by", "day", "week", "month", "account", "category")
	byCurrency := q.boolean("by_currency", q.text("by_currency"))
	if err := q.err(); err != nil {
		return nil, nil, err
	}
	sum, err := s.bank.SummarizeTransactions(c.r.Context(), c.caller, f, byCurrency != nil && *byCurrency, by)
	return sum, nil, err
}
