package bank

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/txn"
)

// ListTransactions lists the caller's selected transactions, newest day first (R84-R91). The rows are JSON, a list of
// txn.Transaction written to buf straight from the stored texts.
func (b *Bank) ListTransactions(ctx context.Context, c tenant.Caller, q txn.Query, buf []byte) (txn.RawPage, error) {
	conns, err := b.seenBy(ctx, c, &q)
	if err != nil {
		return txn.RawPage{}, err
	}
	visible := connectionIDs(conns)
	p := txn.RawPage{SyncedAt: b.ledger.SyncedAt(c.TenantID, visible)}
	p.Rows, p.Info, p.Next, err = b.ledger.AppendPage(ctx, buf[:0], c.TenantID, visible, q, func(p *txn.Place) { completePlace(p, conns) })
	if errors.Is(err, ledger.ErrCursor) {
		return txn.RawPage{}, fault.Field("cursor", "is not of this listing").WithHint("leave it out to begin at the newest")
	}
	return p, err
}

// GetTransaction finds a transaction by our id or Plaid's (R92, A28).
func (b *Bank) GetTransaction(ctx context.Context, c tenant.Caller, id string) (txn.Transaction, error) {
	conns, err := b.seenBy(ctx, c, &txn.Query{})
	if err != nil {
		return txn.Transaction{}, err
	}
	t, err := b.ledger.Get(ctx, c.TenantID, connectionIDs(conns), id)
	if errors.Is(err, ledger.ErrNotFound) {
		return txn.Transaction{}, fault.New(fault.NotFound, "no such transaction")
	}
	completePlace(&t.Place, conns)
	return t, err
}

// RemovedTransactions lists the transactions that Plaid took back since a time, as they were, the latest first: pending
// ones that were never posted, and rows that the bank withdrew. Pending ones that were posted are not removed.
func (b *Bank) RemovedTransactions(ctx context.Context, c tenant.Caller, q txn.Query, since time.Time) ([]txn.Transaction, page.Info, error) {
	conns, err := b.seenBy(ctx, c, &q)
	if err != nil {
		return nil, page.Info{}, err
	}
	all, err := b.ledger.Removed(ctx, c.TenantID, connectionIDs(conns), since)
	if err != nil {
		return nil, page.Info{}, err
	}
	rows, info := page.Of(all, q.Request)
	for i := range rows {
		completePlace(&rows[i].Place, conns)
	}
	return rows, info, nil
}

// SetAsideTransactions lists the rows that could not be read or stored, the latest first.
func (b *Bank) SetAsideTransactions(ctx context.Context, c tenant.Caller, q txn.Query) ([]txn.SetAside, page.Info, error) {
	conns, err := b.seenBy(ctx, c, &q)
	if err != nil {
		return nil, page.Info{}, err
	}
	all, err := b.ledger.SetAside(ctx, c.TenantID, connectionIDs(conns))
	if err != nil {
		return nil, page.Info{}, err
	}
	rows, info := page.Of(all, q.Request)
	for i := range rows {
		completePlace(&rows[i].Place, conns)
	}
	return rows, info, nil
}

// CountSetAside counts the rows of all tenants that could not be read or stored.
func (b *Bank) CountSetAside() int { return b.ledger.CountSetAside() }

// SummarizeTransactions adds up the selected transactions (R93-R101).
func (b *Bank) SummarizeTransactions(ctx context.Context, c tenant.Caller, q txn.Query, byCurrency bool, by string) (txn.Summary, error) {
	conns, err := b.seenBy(ctx, c, &q)
	if err != nil {
		return txn.Summary{}, err
	}
	visible := connectionIDs(conns)
	s, err := b.ledger.Summarize(ctx, c.TenantID, visible, q, byCurrency, by)
	switch {
	case errors.Is(err, txn.ErrMixed):
		return txn.Summary{}, fault.Field("currency", "is needed: the selection holds several currencies, which do not add up").
			WithHint("give currency=USD, or another of its codes, or none, or by_currency=true")
	case errors.Is(err, txn.ErrOverflow):
		return txn.Summary{}, fault.New(fault.Invalid, "the sum does not fit 64 bits of minor units").WithHint("select less")
	case err != nil:
		return txn.Summary{}, err
	}
	if at := b.ledger.SyncedAt(c.TenantID, visible); at != nil {
		text := at.Format(time.RFC3339)
		s.SyncedAt = &text
	}
	if by == "account" {
		labelAccounts(s.By, conns)
	}
	return s, nil
}

// labelAccounts adds the accounts' names to a summary by account.
func labelAccounts(buckets []txn.Bucket, conns []*linkedBank) {
	for i := range buckets {
		for _, conn := range conns {
			for a := range conn.eachAccount {
				if a.PlaidAccountID == buckets[i].Key && buckets[i].Label == "" {
					buckets[i].Label = conn.Institution.Name + " " + a.Name + " " + a.Mask
				}
			}
		}
	}
}

// seenBy finds the connections that the caller sees and the query selects. It replaces our id of a bank account in the
// query by Plaid's.
func (b *Bank) seenBy(ctx context.Context, c tenant.Caller, q *txn.Query) ([]*linkedBank, error) {
	all, err := b.linkedBanks(ctx, c.TenantID)
	if err != nil {
		return nil, err
	}
	if q.AccountID != "" {
		err := b.db.View(ctx, func(tx *store.Tx) error {
			a, err := seenAccount(tx, c, q.AccountID)
			if err == nil && a.PlaidAccountID != "" {
				q.AccountID = a.PlaidAccountID
			}
			return err
		})
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, err
		}
	}
	out := make([]*linkedBank, 0, len(all))
	owner := connection.Query{EmployerID: q.EmployerID, CarrierID: q.CarrierID}
	for i := range all {
		conn := &all[i]
		if c.Sees(conn.EmployerID, conn.CarrierID) && (q.Item == "" || q.Item == conn.ID || q.Item == conn.ItemID) && owner.Match(conn.Connection) {
			out = append(out, conn)
		}
	}
	return out, nil
}

func connectionIDs(conns []*linkedBank) []string {
	out := make([]string, len(conns))
	for i, conn := range conns {
		out[i] = conn.ID
	}
	return out
}

// completePlace adds the connection's data of a transaction's account.
func completePlace(p *txn.Place, conns []*linkedBank) {
	at := slices.IndexFunc(conns, func(conn *linkedBank) bool { return conn.ID == p.ConnectionID })
	if at < 0 {
		return
	}
	conn := conns[at]
	p.PlaidItemID, p.EmployerID, p.CarrierID = conn.ItemID, conn.EmployerID, conn.CarrierID
	for a := range conn.eachAccount {
		if a.PlaidAccountID == p.PlaidAccountID {
			p.BankAccountID = a.ID
			return
		}
	}
}

// withTransactions adds the progress of its transactions to a connection.
func (b *Bank) withTransactions(tenantID string, conn connection.Connection) connection.Connection {
	if s := b.ledger.State(tenantID, conn.ID); s.SyncedAt != nil {
		conn.Transactions = &connection.Transactions{Status: s.Status, Total: s.Rows, SetAside: s.SetAside, SyncedAt: *s.SyncedAt}
		if s.SetAside > 0 {
			conn.Notices = append(slices.Clone(conn.Notices), connection.RowsSetAside(conn.ID, s.SetAside, *s.SyncedAt))
		}
	}
	conn.Reading = b.underwayNow(conn.ID)
	return conn
}
