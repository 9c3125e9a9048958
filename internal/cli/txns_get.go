package cli

import (
	"cmp"
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/txn"
)

func newTxnsGet(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "get ID", Short: "Show a transaction", Args: one("the id of a transaction, or Plaid's"),
		Example:           "  bankctl txns get 6a1f0b8f2b3c4d5e6f708192\n  bankctl txns get 6a1f0b8f2b3c4d5e6f708192 --jq .amount_cents",
		ValidArgsFunction: completeIDs(a, txnIDs),
		RunE:              func(cmd *cobra.Command, args []string) error { return runTxnsGet(cmd.Context(), a, args[0]) },
	}
}

func runTxnsGet(ctx context.Context, a *app, typed string) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	id, err := resolve(ctx, "a transaction", typed, txnIDs(c))
	if err != nil {
		return err
	}
	t, err := c.GetTransaction(ctx, id)
	if err != nil {
		return err
	}
	return single(a, t, txnID, txnColumns(), func() error { return a.txnCard(t) })
}

func (a *app) txnCard(t txn.Transaction) error {
	side := "in"
	if t.Direction == txn.Debit {
		side = "out"
	}
	state := "posted"
	if t.Pending {
		state = "pending"
	}
	exact := ""
	if t.Rounded {
		exact = "rounded: the bank's amount was finer"
	}
	size := moneyOut(t) + moneyIn(t)
	if a.OutTTY {
		size = grouped(max(t.Amount, -t.Amount), t.Currency)
	}
	return a.card([]fact{
		{"transaction", t.ID}, {"date", t.Date}, {"name", t.Name}, {"merchant", t.MerchantName},
		{side, size + " " + codeText(t.Currency)}, {"amount", exact}, {"state", state}, {"authorized", t.AuthorizedDate},
		{"category", categoryWords(t.Category)}, {"detail", categoryWords(t.CategoryDetailed)}, {"channel", t.PaymentChannel}, {"check", t.CheckNumber},
		{"owner", ownerOf(t.EmployerID, t.CarrierID)}, {"account", cmp.Or(t.BankAccountID, t.PlaidAccountID)}, {"connection", t.ConnectionID},
		{"plaid id", t.PlaidTransactionID}, {"was pending", t.PendingTransactionID}, {"first seen", a.moment(t.FirstSeen)}, {"updated", a.moment(t.UpdatedAt)},
	})
}

// decimal writes a sum in major units, for data.
func decimal(minor int64, currency string) string {
	return money.Amount{Minor: minor, Currency: currency}.Decimal()
}
