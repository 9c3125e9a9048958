package main

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"

	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/txn"
)

// The data: 10 items of 5 employers, 4 accounts an item, 400 days, spread evenly, unlike a payroll.
const (
	items     = 10
	employers = 5
	accounts  = 4
	days      = 400
	lastDay   = int32(20700)
	pageRows  = 500 // rows a commit
)

var (
	merchants  = []string{"Uber", "United Airlines", "McDonald's", "Starbucks", "Tectra Inc", "Touchstone Climbing", "SparkFun", "KFC", "Madison Bicycle Shop", "Whole Foods Market"}
	categories = [][2]string{
		{"TRANSPORTATION", "TRANSPORTATION_TAXIS_AND_RIDE_SHARES"}, {"TRAVEL", "TRAVEL_FLIGHTS"}, {"FOOD_AND_DRINK", "FOOD_AND_DRINK_FAST_FOOD"},
		{"GENERAL_MERCHANDISE", "GENERAL_MERCHANDISE_SPORTING_GOODS"}, {"INCOME", "INCOME_WAGES"}, {"LOAN_PAYMENTS", "LOAN_PAYMENTS_CREDIT_CARD_PAYMENT"},
	}
)

const idLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// plaidID is 37 characters, as Plaid's are.
func plaidID(r *rand.Rand) string {
	b := make([]byte, 37)
	for i := range b {
		b[i] = idLetters[r.IntN(len(idLetters))]
	}
	return string(b)
}

// record is one transaction with the extra columns of a plain database.
type record struct {
	txn.Raw
	item int
	day  int32
	seq  int // position in the order of arrival
}

// data is the stored data, with the names that bankd gave it.
type data struct {
	rows        int
	tenant      string
	connections [items]string
	itemIDs     [items]string
	accountIDs  [items][accounts]string

	client, secret string // credentials for bankd
}

func employer(item int) string { return fmt.Sprintf("EMP%03d", item%employers) }

// connectionsOf lists an employer's connections; all for -1.
func (d *data) connectionsOf(employer int) (ids []string) {
	for i, id := range d.connections {
		if employer < 0 || i%employers == employer {
			ids = append(ids, id)
		}
	}
	return ids
}

// pages yields the data page by page, the items in turn, each item's days ascending. It is the same in every run.
func (d *data) pages(yield func(item int, page []record) bool) {
	r := rand.New(rand.NewPCG(3, 4))
	each := d.rows / items
	size := min(pageRows, each)
	for from, seq := 0, 0; from < each; from += size {
		for item := range items {
			page := make([]record, 0, size)
			for k := from; k < min(from+size, each); k++ {
				seq++
				page = append(page, d.fact(r, item, k, each, seq))
			}
			if !yield(item, page) {
				return
			}
		}
	}
}

func (d *data) fact(r *rand.Rand, item, k, each, seq int) record {
	f := record{item: item, day: lastDay - days + 1 + int32(k*days/each), seq: seq}
	merchant, category := merchants[r.IntN(len(merchants))], categories[r.IntN(len(categories))]
	minor := r.Int64N(50_000) + 1
	if r.IntN(4) == 0 {
		minor = -10 * minor
	}
	f.Raw = txn.Raw{AccountID: d.accountIDs[item][r.IntN(accounts)], Date: txn.Date(f.day), Amount: money.Amount{Minor: minor, Currency: "USD"}, Pending: f.day > lastDay-3 && r.IntN(3) == 0, Details: txn.Details{PlaidTransactionID: plaidID(r), AuthorizedDate: txn.Date(f.day - 1), Name: fmt.Sprintf("%s %06d*PAYMENT", merchant, r.IntN(1_000_000)), MerchantName: merchant, Category: category[0], CategoryDetailed: category[1], PaymentChannel: "in store"}}
	if r.IntN(3) == 0 {
		f.Datetime = f.Date + "T13:37:00Z"
	}
	return f
}

// plain encodes a record as the most compact plain database would: by position, in varints, without field names.
func (d *data) plain(b []byte, f record, now int64) []byte {
	for _, s := range []string{f.PlaidTransactionID, d.itemIDs[f.item], f.AccountID, employer(f.item), f.PendingTransactionID, f.Datetime, f.Name, f.MerchantName, f.Category, f.CategoryDetailed, f.PaymentChannel, f.CheckNumber, f.Amount.Currency} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	authorized, _ := txn.Day(f.AuthorizedDate)
	for _, v := range []int64{int64(f.day), int64(authorized), f.Amount.Minor, now, now} {
		b = binary.AppendVarint(b, v)
	}
	if f.Pending {
		return append(b, 1)
	}
	return append(b, 0)
}
