package txn

import (
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
)

// Query selects transactions; its zero fields select all.
type Query struct {
	EmployerID string `query:"employer_id" doc:"of this employer"`
	CarrierID  string `query:"carrier_id" doc:"of this carrier"`
	Item       string `query:"plaid_item_id" doc:"of this connection, by its id or Plaid's item id" flag:"connection-id" id:"connection"`
	AccountID  string `query:"plaid_account_id" doc:"of this bank account, by its id or Plaid's" flag:"account-id" id:"account"`
	DateFrom   string `query:"date_from" format:"date" doc:"from this day on, such as 2026-01-31" flag:"from"` // of the transaction's date (A21)
	DateTo     string `query:"date_to" format:"date" doc:"up to this day" flag:"to"`                           // inclusive
	Pending    *bool  `query:"pending" doc:"pending ones alone; with =false the posted"`
	MinCents   *int64 `query:"min_cents" unit:"minor units" doc:"this amount or more, with its sign: money in is negative" flag:"-"`
	MaxCents   *int64 `query:"max_cents" unit:"minor units" doc:"this amount or less, with its sign" flag:"-"`
	Currency   string `query:"currency" doc:"in this currency, written as the bank writes it, such as USD or USDT; none: without a currency"`
	Text       string `query:"text" doc:"with this in the name or merchant"` // ignoring case

	page.Request
	Cursor string `query:"cursor" doc:"go on after the page whose cursor this is; instead of page" flag:"-"`
}

// Grouping says how to group a summary's sums.
type Grouping struct {
	By         string `query:"by" enum:"day,week,month,account,category" doc:"a line each day, week, month, account, category"`
	ByCurrency bool   `query:"by_currency" doc:"each currency by itself"`
}

// Removal selects rows that Plaid took back, in addition to a query's owner and connection.
type Removal struct {
	Since time.Time `query:"since" doc:"taken back since then" flag:"-"`
}

// Check names every bad filter.
func (q *Query) Check(bad *fault.Problems) {
	q.Request.Check(bad)
	if q.DateFrom != "" && q.DateTo != "" && q.DateTo < q.DateFrom {
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
}

const dayForm = "2006-01-02"

var errDay = errors.New("must be a day such as 2026-01-31")

// Day returns the number of a calendar day, counted from 1970-01-01; 0 for "".
func Day(date string) (int32, error) {
	if date == "" {
		return 0, nil
	}
	if len(date) != len(dayForm) || date[4] != '-' || date[7] != '-' {
		return 0, errDay
	}
	year, month, day := digits(date[:4]), digits(date[5:7]), digits(date[8:])
	if year < 1 || month < 1 || month > 12 || day < 1 || day > 31 {
		return 0, errDay
	}
	if t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC); t.Day() == day {
		return int32(t.Unix() / 86400), nil
	}
	return 0, errDay
}

// digits parses a number; -1 if it is none.
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
