package cli

import (
	"context"
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"github.com/bankctl/bankctl/internal/txn"
)

var csvHead = []string{
	"id", "date", "authorized_date", "name", "merchant_name", "amount", "amount_cents", "currency", "direction", "pending", "category", "category_detailed",
	"payment_channel", "check_number", "employer_id", "carrier_id", "bank_account_id", "plaid_account_id", "connection_id", "plaid_item_id",
	"plaid_transaction_id", "pending_transaction_id", "first_seen", "updated_at",
}

func csvRow(t txn.Transaction) []string {
	row := []string{
		t.ID, t.Date, t.AuthorizedDate, t.Name, t.MerchantName, decimal(t.Amount, t.Currency), strconv.FormatInt(t.Amount, 10), t.Currency, t.Direction,
		strconv.FormatBool(t.Pending), t.Category, t.CategoryDetailed, t.PaymentChannel, t.CheckNumber, t.EmployerID, t.CarrierID, t.BankAccountID,
		t.PlaidAccountID, t.ConnectionID, t.PlaidItemID, t.PlaidTransactionID, t.PendingTransactionID, utc(t.FirstSeen), utc(t.UpdatedAt),
	}
	for i, cell := range row {
		row[i] = inert(cell)
	}
	return row
}

// inert is a cell that no spreadsheet takes for a formula, however it trims or folds it.
func inert(cell string) string {
	cell = strings.TrimSpace(clean(cell))
	for _, wide := range []string{"＝", "＋", "－", "＠", "|", "%"} {
		if strings.HasPrefix(cell, wide) {
			return "'" + cell
		}
	}
	return harmless(cell)
}

func (e *export) writeCSV(ctx context.Context, w io.Writer) error {
	c := csv.NewWriter(w)
	if err := c.Write(csvHead); err != nil {
		return err
	}
	if err := e.each(ctx, e.query, func(t txn.Transaction) error { return c.Write(csvRow(t)) }); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}
