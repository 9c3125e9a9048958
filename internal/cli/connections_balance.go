package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

func newConnectionsBalance(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "balance ID", Short: "Ask the bank for live balances (Plaid bills this)", Args: one("the id of a connection, or Plaid's item id"),
		Example:           "  bankctl connections balance 6a1f0c\n  bankctl connections balance 6a1f0c -o csv > balances.csv",
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runConnectionsBalance(cmd.Context(), a, args[0]) },
	}
}

func runConnectionsBalance(ctx context.Context, a *app, typed string) error {
	c, conn, err := a.openConnection(ctx, typed)
	if err != nil {
		return err
	}
	b, err := c.GetBalance(ctx, connection.BalanceParams{PlaidItemID: conn.ItemID})
	if err != nil {
		return err
	}
	a.warnNear("balance", b.Left)
	type row = connection.AccountBalance
	columns := []column[row]{
		{name: "id", value: func(x row) string { return x.ID }},
		{name: "name", value: func(x row) string { return x.Name }},
		{name: "mask", value: func(x row) string { return x.Mask }},
		{name: "type", value: func(x row) string { return x.Subtype }},
		{name: "available", value: func(x row) string { return available(x.Balance) }},
		{name: "current", value: func(x row) string { return current(x.Balance) }},
		{name: "error", value: func(x row) string { return x.Error }},
	}
	if !hasErrors(b) {
		columns = columns[:len(columns)-1]
	}
	return show(a, b, b.Accounts, columns[0].value, columns, func() error { return printTable(a, b.Accounts, columns) })
}

func hasErrors(b connection.Balances) bool {
	for _, x := range b.Accounts {
		if x.Error != "" {
			return true
		}
	}
	return false
}
