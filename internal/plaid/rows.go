package plaid

import (
	"crypto/sha256"
	"encoding/hex"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/txn"
)

// wireRow has the fields of a transaction that are kept; its amount stays the digits that Plaid sent. Members with the
// same name in Plaid and txn.Details are read into Details; those with another name are fields here, and hide the ones
// of Details.
type wireRow struct {
	txn.Details
	ID         string         `json:"transaction_id"`
	AccountID  string         `json:"account_id"`
	Amount     jsontext.Value `json:"amount"`
	ISO        string         `json:"iso_currency_code"`
	Unofficial string         `json:"unofficial_currency_code"`
	Date       string         `json:"date"`
	Pending    bool           `json:"pending"`
	Finance    *wireCategory  `json:"personal_finance_category"`
	Legacy     jsontext.Value `json:"category"` // Plaid's older categories, a list
}

type wireCategory struct {
	Primary  string `json:"primary"`
	Detailed string `json:"detailed"`
}

type wireRemoved struct {
	ID        string `json:"transaction_id"`
	AccountID string `json:"account_id"`
}

// wireEnd is the part of a page behind its rows.
type wireEnd struct {
	Next    *string        `json:"next_cursor"`
	More    *bool          `json:"has_more"`
	Status  jsontext.Value `json:"transactions_update_status"`
	Request jsontext.Value `json:"request_id"`
}

type wirePage struct {
	Added    []wireRow     `json:"added"`
	Modified []wireRow     `json:"modified"`
	Removed  []wireRemoved `json:"removed"`
	wireEnd
}

// loosePage is a page of which some row has a field of another type than it should.
type loosePage struct {
	Added    []jsontext.Value `json:"added"`
	Modified []jsontext.Value `json:"modified"`
	Removed  []jsontext.Value `json:"removed"`
	wireEnd
}

// extractRows reads the rows of a reply and returns the reply without them. It sets aside a row that cannot be read.
func (r *syncRows) extractRows(body []byte) (rest []byte, ok bool) {
	var p wirePage
	end := &p.wireEnd
	if json.Unmarshal(body, &p, lenient) == nil {
		r.added, r.modified = r.raws(p.Added), r.raws(p.Modified)
		for i := range p.Removed {
			r.remove(&p.Removed[i], nil)
		}
	} else {
		var loose loosePage
		if json.Unmarshal(body, &loose, lenient) != nil {
			return nil, false
		}
		end = &loose.wireEnd
		r.added, r.modified = r.looseRaws(loose.Added), r.looseRaws(loose.Modified)
		for _, v := range loose.Removed {
			o := objectOf(v)
			r.remove(&wireRemoved{ID: o.text("transaction_id"), AccountID: o.text("account_id")}, v)
		}
	}
	if end.Next == nil || end.More == nil {
		return nil, false
	}
	r.taken = true
	if end.Status.Kind() != '"' {
		end.Status = nil
	}
	if end.Request.Kind() != '"' {
		end.Request = nil
	}
	stub := struct {
		Added    []struct{}     `json:"added"`
		Modified []struct{}     `json:"modified"`
		Removed  []struct{}     `json:"removed"`
		Accounts []struct{}     `json:"accounts"`
		Next     *string        `json:"next_cursor"`
		More     *bool          `json:"has_more"`
		Status   jsontext.Value `json:"transactions_update_status,omitzero"`
		Request  jsontext.Value `json:"request_id,omitzero"`
	}{[]struct{}{}, []struct{}{}, []struct{}{}, []struct{}{}, end.Next, end.More, end.Status, end.Request}
	rest, err := json.Marshal(stub)
	return rest, err == nil
}

func (r *syncRows) remove(w *wireRemoved, source jsontext.Value) {
	if w.ID == "" {
		r.setAside(&wireRow{AccountID: w.AccountID}, source, &unreadable{"transaction_id", "is missing"})
		return
	}
	r.removed = append(r.removed, txn.Removed(*w))
}

func (r *syncRows) raws(in []wireRow) []txn.Raw {
	out := make([]txn.Raw, 0, len(in))
	for i := range in {
		var row txn.Raw
		if err := in[i].raw(&row); err != nil {
			r.setAside(&in[i], nil, err)
			continue
		}
		out = append(out, row)
	}
	return out
}

func (r *syncRows) looseRaws(in []jsontext.Value) []txn.Raw {
	out := make([]txn.Raw, 0, len(in))
	for _, v := range in {
		var row txn.Raw
		w, err := looseRow(v)
		if err == nil {
			err = w.raw(&row)
		}
		if err != nil {
			r.setAside(w, v, err)
			continue
		}
		out = append(out, row)
	}
	return out
}

// looseRow reads a row field by field. It leaves a text out that is none; what a row cannot do without must be right.
func looseRow(v jsontext.Value) (*wireRow, *unreadable) {
	w := &wireRow{}
	if json.Unmarshal(v, w, lenient) == nil {
		return w, nil
	}
	o := objectOf(v)
	*w = wireRow{ID: o.text("transaction_id"), AccountID: o.text("account_id"), Amount: o["amount"], Date: o.text("date")}
	if o == nil {
		return w, &unreadable{"transaction", "is not an object"}
	}
	if _, ok := currencyOf(o); !ok {
		return w, &unreadable{"iso_currency_code", "is not a currency's code"}
	}
	w.ISO, w.Unofficial = o.text("iso_currency_code"), o.text("unofficial_currency_code")
	switch o["pending"].Kind() {
	case 't', 'f', 'n', 0:
		w.Pending = o["pending"].Kind() == 't'
	default:
		return w, &unreadable{"pending", "is neither true nor false"}
	}
	for _, t := range []struct {
		name string
		to   *string
	}{
		{"pending_transaction_id", &w.PendingTransactionID}, {"authorized_date", &w.AuthorizedDate}, {"datetime", &w.Datetime}, {"name", &w.Name},
		{"merchant_name", &w.MerchantName}, {"payment_channel", &w.PaymentChannel}, {"check_number", &w.CheckNumber},
	} {
		*t.to = o.text(t.name)
	}
	if f := objectOf(o["personal_finance_category"]); f != nil {
		w.Finance = &wireCategory{f.text("primary"), f.text("detailed")}
	}
	return w, nil
}

// unreadable says why a row cannot be stored, in words of ours: never with the text that came.
type unreadable struct{ field, reason string }

func (w *wireRow) raw(out *txn.Raw) *unreadable {
	currency := w.ISO
	if currency == "" {
		currency = w.Unofficial
	}
	switch {
	case w.ID == "":
		return &unreadable{"transaction_id", "is missing"}
	case w.AccountID == "":
		return &unreadable{"account_id", "is missing"}
	case !isCode(currency):
		return &unreadable{"iso_currency_code", "is not a currency's code"}
	case w.Amount.Kind() != '0':
		return &unreadable{"amount", "is not a number"}
	case w.Date == "":
		return &unreadable{"date", "is missing"}
	}
	if _, err := txn.Day(w.Date); err != nil {
		return &unreadable{"date", "is not a day of the calendar"}
	}
	digits := string(w.Amount)
	amount, rounded, err := money.Parse(digits, currency)
	if err != nil || !inRange(amount.Minor) {
		return &unreadable{"amount", "is out of range"}
	}
	*out = txn.Raw{Details: w.Details, AccountID: w.AccountID, Date: w.Date, Amount: amount, Rounded: rounded, Debit: amount.Minor > 0, Pending: w.Pending}
	if amount.Minor == 0 && rounded {
		out.Debit = money.Positive(digits)
	}
	if _, err := txn.Day(out.AuthorizedDate); err != nil {
		out.AuthorizedDate = ""
	}
	if out.Datetime != "" && !isTime(out.Datetime) {
		out.Datetime = ""
	}
	out.PlaidTransactionID, out.Category, out.CategoryDetailed = w.ID, "", ""
	if w.Finance != nil {
		out.Category, out.CategoryDetailed = w.Finance.Primary, w.Finance.Detailed
	}
	return nil
}

// setAside keeps what names a row that cannot be stored, and why. A row without an id goes by its own bytes.
func (r *syncRows) setAside(w *wireRow, source jsontext.Value, why *unreadable) {
	u := txn.Unread{Key: w.ID, ID: idText(w.ID), AccountID: idText(w.AccountID), Field: why.field, Reason: why.reason}
	if u.Key == "" {
		if source == nil {
			source, _ = json.Marshal(w, lenient) //nolint:errcheck // it came from JSON
		}
		sum := sha256.Sum256(source)
		u.Key = hex.EncodeToString(sum[:])
	}
	r.unread = append(r.unread, u)
}

// idText returns one of Plaid's ids if it can be one, else "".
func idText(id string) string {
	if len(id) > 100 {
		return ""
	}
	for i := range len(id) {
		if c := id[i]; c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return ""
		}
	}
	return id
}
