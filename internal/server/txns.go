package server

import (
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/txn"
)

const txnRoot = "/api/v1/plaid/transactions"

func (s *Server) txns() []route {
	return []route{
		{Method: "GET", Path: txnRoot, Name: "ListTransactions", Summary: "List transactions, newest day first", Act: tenant.Read,
			Query: query.Of(txn.Query{}), Reply: typed[txn.Transaction](), List: true, Handle: s.listTransactions},
		{Method: "GET", Path: txnRoot + "/removed", Name: "RemovedTransactions", Summary: "List what Plaid has taken back since a time, as it was, the latest first", Act: tenant.Read,
			Query: query.Of(txn.Query{}, txn.Removal{}).Only("employer_id", "carrier_id", "plaid_item_id", "since", "page", "limit"), Reply: typed[txn.Transaction](), List: true, Handle: s.removedTransactions},
		{Method: "GET", Path: txnRoot + "/set-aside", Name: "SetAsideTransactions", Summary: "List rows that could not be read or stored, the latest first", Act: tenant.Read,
			Query: query.Of(txn.Query{}).Only("employer_id", "carrier_id", "plaid_item_id", "page", "limit"), Reply: typed[txn.SetAside](), List: true, Handle: s.setAsideTransactions},
		{Method: "GET", Path: txnRoot + "/summary", Name: "SummarizeTransactions", Summary: "Add transactions up; the same filters as the list", Act: tenant.Read,
			Query: query.Of(txn.Query{}, txn.Grouping{}).Without("page", "limit", "cursor"), Reply: typed[txn.Summary](), Handle: s.summarizeTransactions},
		{Method: "POST", Path: txnRoot + "/sync", Name: "SyncTransactions", Summary: "Bring a connection's transactions up to date", Act: tenant.Write,
			Body: typed[connection.SyncParams](), Reply: typed[txn.Synced](), Handle: withBody(s.bank.SyncTransactions)},
		{Method: "GET", Path: txnRoot + "/{id}", Name: "GetTransaction", Summary: "Read a transaction by our id or Plaid's", Act: tenant.Read,
			Reply: typed[txn.Transaction](), Handle: withID(s.bank.GetTransaction)},
	}
}

func (s *Server) listTransactions(c *call) (any, *page.Info, error) {
	var q txn.Query
	if err := c.decodeQuery(&q); err != nil {
		return nil, nil, err
	}
	p, err := s.bank.ListTransactions(c.r.Context(), c.caller, q, c.out.rows)
	if err != nil {
		return nil, nil, err
	}
	c.out.rows = p.Rows
	c.more = pagination{NextCursor: p.Next, SyncedAt: p.SyncedAt}
	return p.Rows, &p.Info, nil
}

func (s *Server) removedTransactions(c *call) (any, *page.Info, error) {
	var q txn.Query
	var removal txn.Removal
	if err := c.decodeQuery(&q, &removal); err != nil {
		return nil, nil, err
	}
	rows, info, err := s.bank.RemovedTransactions(c.r.Context(), c.caller, q, removal.Since)
	return rows, &info, err
}

func (s *Server) setAsideTransactions(c *call) (any, *page.Info, error) {
	var q txn.Query
	if err := c.decodeQuery(&q); err != nil {
		return nil, nil, err
	}
	rows, info, err := s.bank.SetAsideTransactions(c.r.Context(), c.caller, q)
	return rows, &info, err
}

func (s *Server) summarizeTransactions(c *call) (any, *page.Info, error) {
	var q txn.Query
	var g txn.Grouping
	if err := c.decodeQuery(&q, &g); err != nil {
		return nil, nil, err
	}
	sum, err := s.bank.SummarizeTransactions(c.r.Context(), c.caller, q, g.ByCurrency, g.By)
	return sum, nil, err
}
