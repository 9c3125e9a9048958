package txn

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

// Pages of transactions are the most frequent reply, and encoding/json takes five times as long for one as this code
// (BenchmarkPage in package ledger). A test compares the two byte for byte.

// JSON is a reply, or a part of one, that is encoded already.
type JSON []byte

// Line is a transaction for a page, with texts as they stand between quotes in JSON.
type Line struct {
	ID                   []byte
	Texts                [TextCount][]byte // of Details
	Place                []byte            // as AppendPlace writes it
	Date                 []byte
	Amount               int64
	Currency             string
	Debit                bool // of an amount that is rounded to 0
	Rounded, Pending     bool
	FirstSeen, UpdatedAt []byte
}

// AppendJSON appends the line as encoding/json writes a Transaction. Its id begins IDOffset bytes after the line's
// beginning.
func (l *Line) AppendJSON(dst []byte) []byte {
	dst = append(append(append(dst, `{"_id":"`...), l.ID...), '"')
	for i, t := range texts {
		if len(l.Texts[i]) > 0 || t.always {
			dst = append(append(append(dst, t.lead...), l.Texts[i]...), '"')
		}
	}
	dst = append(append(append(dst, l.Place...), `,"date":"`...), l.Date...)
	dst = strconv.AppendInt(append(dst, `","amount_cents":`...), l.Amount, 10)
	dst = AppendQuoted(append(dst, `,"currency":`...), l.Currency)
	dst = append(append(append(dst, `,"direction":"`...), DirectionOf(l.Amount, l.Debit)...), '"')
	if l.Rounded {
		dst = append(dst, `,"rounded":true`...)
	}
	dst = strconv.AppendBool(append(dst, `,"pending":`...), l.Pending)
	dst = append(append(dst, `,"first_seen":"`...), l.FirstSeen...)
	dst = append(append(dst, `","updated_at":"`...), l.UpdatedAt...)
	return append(dst, `"}`...)
}

// IDOffset is the offset of the id in a line.
const IDOffset = len(`{"_id":"`)

// member is the beginning of a text's object member; always means that it is written even if the text is empty.
type member struct {
	lead   string
	always bool
}

// texts are the members of Details, from its tags.
var texts = func() (out [TextCount]member) {
	t := reflect.TypeFor[Details]()
	for i := range out {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		out[i] = member{lead: `,"` + name + `":"`, always: option != "omitempty"}
	}
	return out
}()

// AppendPlace appends the members of a Place, with the comma before them.
func AppendPlace(dst []byte, p Place) []byte {
	dst = AppendQuoted(append(dst, `,"connection_id":`...), p.ConnectionID)
	dst = AppendQuoted(append(dst, `,"plaid_item_id":`...), p.PlaidItemID)
	dst = AppendQuoted(append(dst, `,"plaid_account_id":`...), p.PlaidAccountID)
	dst = appendOptional(dst, `,"bank_account_id":`, p.BankAccountID)
	dst = appendOptional(dst, `,"employer_id":`, p.EmployerID)
	return appendOptional(dst, `,"carrier_id":`, p.CarrierID)
}

func appendOptional(dst []byte, lead, value string) []byte {
	if value == "" {
		return dst
	}
	return AppendQuoted(append(dst, lead...), value)
}

// AppendQuoted appends a string as JSON.
func AppendQuoted(dst []byte, s string) []byte {
	if IsPlain(s) {
		return append(append(append(dst, '"'), s...), '"')
	}
	quoted, _ := json.Marshal(s) // marshalling a string cannot fail
	return append(dst, quoted...)
}

// plain marks the bytes that JSON, in HTML too, does not escape.
var plain = func() (t [256]bool) {
	for c := ' '; c < 0x7f; c++ {
		t[c] = c != '"' && c != '\\' && c != '<' && c != '>' && c != '&'
	}
	return t
}()

// IsPlain reports whether a text needs no escapes in JSON.
func IsPlain[T string | []byte](text T) bool {
	for i := range len(text) {
		if !plain[text[i]] {
			return false
		}
	}
	return true
}
