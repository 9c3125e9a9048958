package cli

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/txn"
)

// csvColumns are the columns of an export, by the names that a transaction's fields have in JSON. Two differ: id is _id,
// and amount is amount_cents in the currency's own unit.
var csvColumns = []string{
	"id", "date", "authorized_date", "name", "merchant_name", "amount", "amount_cents", "currency", "direction", "pending", "category", "category_detailed",
	"payment_channel", "check_number", "employer_id", "carrier_id", "bank_account_id", "plaid_account_id", "connection_id", "plaid_item_id",
	"plaid_transaction_id", "pending_transaction_id", "first_seen", "updated_at",
}

// csvFields gives each column its field's place in a transaction; none for amount, which is computed.
var csvFields = func() [][]int {
	places := map[string][]int{}
	for _, f := range reflect.VisibleFields(reflect.TypeFor[txn.Transaction]()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		places[strings.TrimPrefix(name, "_")] = f.Index
	}
	out := make([][]int, len(csvColumns))
	for i, name := range csvColumns {
		out[i] = places[name]
	}
	return out
}()

func csvRow(t txn.Transaction) []string {
	row, v := make([]string, len(csvColumns)), reflect.ValueOf(t)
	for i, at := range csvFields {
		if at == nil {
			row[i] = decimal(t.Amount, t.Currency)
			continue
		}
		switch field := v.FieldByIndex(at).Interface().(type) {
		case string:
			row[i] = field
		case time.Time:
			row[i] = utc(field)
		default:
			row[i] = fmt.Sprint(field)
		}
	}
	for i, cell := range row {
		row[i] = escapeCell(cell)
	}
	return row
}

// splitFormula finds what becomes a formula's beginning where a spreadsheet splits cells at semicolons too.
var splitFormula = regexp.MustCompile(`;(\s*["']*)([=+@＝＋＠-])`)

// escapeCell quotes a cell that any spreadsheet could read as a formula, after its own trimming and folding.
func escapeCell(cell string) string {
	cell = splitFormula.ReplaceAllString(strings.TrimSpace(clean(cell)), ";$1'$2")
	for _, wide := range []string{"＝", "＋", "－", "＠", "|", "%"} {
		if strings.HasPrefix(cell, wide) {
			return "'" + cell
		}
	}
	return escapeFormula(cell)
}

// writeCSV writes comma separated values as RFC 4180 quotes them, or the same with tabs.
func (e *export) writeCSV(ctx context.Context, w io.Writer, separator rune) error {
	c := csv.NewWriter(w)
	c.Comma = separator
	if err := c.Write(csvColumns); err != nil {
		return err
	}
	if err := e.each(ctx, e.query, func(t txn.Transaction) error { return c.Write(csvRow(t)) }); err != nil {
		return err
	}
	c.Flush()
	return c.Error()
}
