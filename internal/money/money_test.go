package money_test

import (
	"math"
	"math/big"
	"strconv"
	"testing"

	"github.com/bankctl/bankctl/internal/money"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		digits, currency string
		minor            int64
		rounded          bool
		text             string
	}{
		{"100", "USD", 10000, false, "100.00 USD"},
		{"-4.22", "USD", -422, false, "-4.22 USD"},
		{"23631.9805", "USD", 2363198, true, "23,631.98 USD"},
		{"0.005", "USD", 0, true, "0.00 USD"},
		{"0.015", "USD", 2, true, "0.02 USD"},
		{"-0.015", "USD", -2, true, "-0.02 USD"},
		{"1234", "JPY", 1234, false, "1,234 JPY"},
		{"1.2345", "KWD", 1234, true, "1.234 KWD"},
		{"1e3", "USD", 100000, false, "1,000.00 USD"},
		{"0", "USD", 0, false, "0.00 USD"},
		{"-0.00", "USD", 0, false, "0.00 USD"},
		{"1e-3", "USD", 0, true, "0.00 USD"},
		{"6e-3", "USD", 1, true, "0.01 USD"},
		{"0.025", "USD", 2, true, "0.02 USD"},
		{"0.0250001", "USD", 3, true, "0.03 USD"},
		{"92233720368547758.07", "USD", 9223372036854775807, false, "92,233,720,368,547,758.07 USD"},
	} {
		got, rounded, err := money.Parse(c.digits, c.currency)
		if err != nil || got.Minor != c.minor || rounded != c.rounded || got.String() != c.text {
			t.Errorf("%s %s: got %d rounded=%v %q %v, want %d rounded=%v %q",
				c.digits, c.currency, got.Minor, rounded, got, err, c.minor, c.rounded, c.text)
		}
	}
	for _, bad := range []string{"", "x", "1.2.3", "92233720368547758.08", "1e999999999", "NaN", "Inf", "1.", ".5", "+1", "1e", "0x10", "1_0", "-", "--1"} {
		if _, _, err := money.Parse(bad, "USD"); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// A formatted amount parses back to itself, in every currency; rounding is never off by more than half a unit.
func TestDecimalRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := money.Amount{
			Minor:    rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "minor"),
			Currency: rapid.SampledFrom([]string{"USD", "JPY", "KWD", "CLF", "ZZZ"}).Draw(t, "currency"),
		}
		back, rounded, err := money.Parse(a.Decimal(), a.Currency)
		if err != nil || rounded || back != a {
			t.Fatalf("%v printed %s, came back %v rounded=%v %v", a.Minor, a.Decimal(), back.Minor, rounded, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.005", "-0", "1e-5", "999999999999.999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, rounded, err := money.Parse(s, "USD")
		if err != nil {
			return
		}
		exact, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Skip("math/big reads fewer spellings")
		}
		exact.Mul(exact, big.NewRat(100, 1))
		off := new(big.Rat).Sub(exact, new(big.Rat).SetInt64(a.Minor))
		if off.Abs(off).Cmp(big.NewRat(1, 2)) > 0 || rounded == (off.Sign() == 0) {
			t.Fatalf("%s became %s", s, strconv.FormatInt(a.Minor, 10))
		}
	})
}
