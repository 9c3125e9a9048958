package txn_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/txn"
)

// Texts lists every field of Details once, in the order of the struct: the stored form and the JSON of pages rely on
// it.
func TestTextsAreTheFields(t *testing.T) {
	t.Parallel()
	var d txn.Details
	v := reflect.ValueOf(&d).Elem()
	if v.NumField() != txn.TextCount {
		t.Fatalf("Details has %d fields, TextCount is %d", v.NumField(), txn.TextCount)
	}
	for i, p := range d.Texts() {
		if p != v.Field(i).Addr().Interface().(*string) {
			t.Errorf("text %d is not the field %s", i, v.Type().Field(i).Name)
		}
	}
	if d.Texts()[txn.CategoryText] != &d.Category {
		t.Error("CategoryText is another field's place")
	}
}

// A line is, byte for byte, the JSON that encoding/json makes of the struct, whichever fields are empty.
func TestLineIsTheStruct(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 25, 1, 2, 3, 4000, time.UTC)
	for full := range 2 {
		want := txn.Transaction{
			ID: "6a1f0d8f2b3c4d5e6f708192", Place: txn.Place{ConnectionID: "c", PlaidItemID: "i", PlaidAccountID: "a"},
			Date: "2026-11-25", Amount: -5, Currency: "USD", Direction: txn.Credit, FirstSeen: at, UpdatedAt: at.Add(time.Hour),
		}
		if full == 1 {
			for i, p := range want.Texts() {
				*p = string(rune('a' + i))
			}
			want.BankAccountID, want.EmployerID, want.CarrierID, want.Rounded, want.Pending = "b", `E"<1`, "C", true, true
		}
		line := txn.Line{
			ID: []byte(want.ID), Place: txn.AppendPlace(nil, want.Place), Date: []byte(want.Date), Amount: want.Amount, Currency: want.Currency,
			Rounded: want.Rounded, Pending: want.Pending, FirstSeen: []byte(want.FirstSeen.Format(time.RFC3339Nano)),
			UpdatedAt: []byte(want.UpdatedAt.Format(time.RFC3339Nano)),
		}
		for i, p := range want.Texts() {
			line.Texts[i] = []byte(*p)
		}
		b, err := json.Marshal(want)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(line.AppendJSON(nil)); got != string(b) {
			t.Errorf("a line is\n%s, encoding/json writes\n%s", got, b)
		}
	}
}
