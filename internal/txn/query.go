package txn

import (
	"errors"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
)

// Query selects transactions; its zero fields select all.
type Query struct {
	EmployerID, CarrierID string
	Item                  string // Plaid's item id or our connection's
	AccountID             string // Plaid's account id or our bank account's
	DateFrom, DateTo      string // YYYY-MM-DD, inclusive, on the transaction's date (A21)
	Pending               *bool
	MinCents, MaxCents    *int64 // on the amount as it is, with its sign
	Currency              string
	Text                  string // part of the name or merchant, without case

	page.Request
	Cursor string // of the page before; instead of a page number
}

// Check names every bad filter.
func (q *Query) Check(bad *fault.Problems) {
	from, err := Day(q.DateFrom)
	bad.Check("date_from", err)
	to, err := Day(q.DateTo)
	bad.Check("date_to", err)
	if q.DateFrom != "" && q.DateTo != "" && to < from {
		bad.Add("date_to", "is before date_from")
	}
	if q.MinCents != nil && q.MaxCents != nil && *q.MaxCents < *q.MinCents {
		bad.Add("max_cents", "is less than min_cents")
	}
	if len(q.Text) > 200 {
		bad.Add("text", "is too long")
	}
	if q.Cursor != "" && q.Page > 1 {
		bad.Add("cursor", "goes without page")
	}
	q.Currency = strings.ToUpper(q.Currency)
}

const dayForm = "2006-01-02"

var errDay = errors.New("must be a day such as 2026-01-31")

// Day turns a calendar day into its number since 1970-01-01; "" is 0.
func Day(date string) (int32, error) {
	if date == "" {
		return 0, nil
	}
	if len(date) != len(dayForm) || date[4] != '-' || date[7] != '-' {
		return 0, errDay
	}
	year, month, day := digits(date[:4]), digits(date[5:7]), digits(date[8:])
	if year < 1900 || year > 2500 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, errDay
	}
	if t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC); t.Day() == day {
		return int32(t.Unix() / 86400), nil
	}
	return 0, errDay
}

// digits reads a number; -1 where it is none.
func digits(s string) (n int) {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return -1
		}
		n = 10*n + int(s[i]-'0')
	}
	return n
}

// Date is the inverse of Day.
func Date(day int32) string { return time.Unix(int64(day)*86400, 0).UTC().Format(dayForm) }
