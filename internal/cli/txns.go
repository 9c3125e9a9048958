package cli

import (
	"cmp"
	"context"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

func newTxns(a *app) *cobra.Command {
	return group("txns", "Read transactions: list, sum up, export, browse",
		newTxnsList(a), newTxnsGet(a), newTxnsSummary(a), newTxnsExport(a), newTxnsRemoved(a), newTxnsSetAside(a), newTxnsBrowse(a))
}

func txnID(t txn.Transaction) string { return t.ID }

// txnColumns are the columns of a bank's statement. Debits and credits have a column each, so that no reader needs a rule
// for signs.
func txnColumns() []column[txn.Transaction] {
	type t = txn.Transaction
	return []column[t]{
		{name: "id", value: txnID},
		{name: "date", value: func(x t) string { return x.Date }},
		{name: "out", value: func(x t) string { return moneyOut(x) }},
		{name: "in", value: func(x t) string { return moneyIn(x) }},
		{name: "currency", value: func(x t) string { return x.Currency }},
		{name: "name", value: func(x t) string { return x.Name }, short: namedWithState},
		{name: "pending", value: func(x t) string { return yesNo(x.Pending) }},
		{name: "category", value: func(x t) string { return x.Category }, short: func(x t) string { return categoryWords(x.Category) }},
		{name: "account", value: func(x t) string { return cmp.Or(x.BankAccountID, x.PlaidAccountID) }},
	}
}

func namedWithState(t txn.Transaction) string {
	if t.Pending {
		return "pending: " + t.Name
	}
	return t.Name
}

func moneyOut(t txn.Transaction) string {
	if t.Direction != txn.Debit {
		return ""
	}
	return money.Amount{Minor: t.Amount, Currency: t.Currency}.Decimal()
}

// moneyIn writes a credit without Plaid's minus.
func moneyIn(t txn.Transaction) string {
	if t.Direction == txn.Debit {
		return ""
	}
	return strings.TrimPrefix(money.Amount{Minor: t.Amount, Currency: t.Currency}.Decimal(), "-")
}

// categoryWords writes one of Plaid's categories for people.
func categoryWords(c string) string {
	return strings.ToLower(strings.ReplaceAll(c, "_", " "))
}

// grouped writes an amount with separators between thousands and without its currency.
func grouped(minor int64, currency string) string {
	return strings.TrimSpace(strings.TrimSuffix(money.Amount{Minor: minor, Currency: currency}.String(), currency))
}

func txnIDs(c *client.Client) lister {
	all := func(ctx context.Context, p page.Request) ([]txn.Transaction, page.Info, error) {
		l, err := c.ListTransactions(ctx, txn.Query{Request: p})
		return l.Rows, l.Info, err
	}
	return candidates(all, txnID, func(t txn.Transaction) string {
		return t.Date + " " + t.Name + " " + money.Amount{Minor: t.Amount, Currency: t.Currency}.String()
	})
}
