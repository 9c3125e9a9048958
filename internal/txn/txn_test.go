package txn_test

import (
	"errors"
	"math"
	"testing"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/txn"
	"pgregory.net/rapid"
)

func TestSummarize(t *testing.T) {
	cells := map[string]txn.Cell{"USD": {Count: 847, Debits: 12500000, Credits: 15200000}}
	s, err := txn.Summarize(cells, false)
	if err != nil || s.Total != 847 || s.Net != 2700000 || s.Currency != "USD" { // R97-R101
		t.Errorf("%+v %v", s, err)
	}
	cells["EUR"] = txn.Cell{Count: 1, Debits: 5}
	if _, err := txn.Summarize(cells, false); !errors.Is(err, txn.ErrMixed) { // A21
		t.Errorf("%v", err)
	}
	if s, err = txn.Summarize(cells, true); err != nil || len(s.Each) != 2 || s.Each[0].Currency != "EUR" || s.Total != 0 {
		t.Errorf("%+v %v", s, err)
	}
	if s, err = txn.Summarize(nil, false); err != nil || s.Total != 0 || s.Net != 0 { // A22
		t.Errorf("%+v %v", s, err)
	}
}

// Adding amounts and taking them out again leaves zero; sums never wrap.
func TestCells(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		amounts := rapid.SliceOf(rapid.Int64Range(-1e15, 1e15)).Draw(t, "amounts")
		var c txn.Cell
		var net int64
		for _, a := range amounts {
			if err := c.Add(a); err != nil {
				t.Fatal(err)
			}
			net -= a
		}
		if s := c.Sums(); s.Net != net || s.Debits < 0 || s.Credits < 0 || s.Total != int64(len(amounts)) {
			t.Fatalf("%+v, net %d", s, net)
		}
		for _, a := range amounts {
			c.Subtract(a)
		}
		if c != (txn.Cell{}) {
			t.Fatalf("%+v is left", c)
		}
	})
	var full txn.Cell
	if full.Add(math.MaxInt64) != nil || full.Add(1) == nil || full.Add(math.MinInt64) == nil {
		t.Error("a sum wraps")
	}
}

func TestDays(t *testing.T) {
	for _, bad := range []string{"2026-02-30", "2026-1-1", "20260101", "0000-01-01", "-001-01-01", "x"} {
		if _, err := txn.Day(bad); err == nil {
			t.Errorf("%q passes", bad)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		day := rapid.Int32Range(-20000, 150000).Draw(t, "day")
		if back, err := txn.Day(txn.Date(day)); err != nil || back != day && txn.Date(day) >= "1970" {
			t.Fatalf("%d printed %s, came back %d %v", day, txn.Date(day), back, err)
		}
	})
	var bad fault.Problems
	(&txn.Query{DateFrom: "2026-03-01", DateTo: "2026-02-01"}).Check(&bad)
	if bad["date_to"] == "" {
		t.Error("a range backwards is taken")
	}
}
