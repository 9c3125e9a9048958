// Package money owns exact amounts: whole minor units and the currency they are of. It knows nothing of
// floats; what comes from Plaid as a decimal is handed over as its digits.
package money

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shopspring/decimal"
)

// Amount is a number of minor units (cents for USD, yen for JPY) of one currency.
type Amount struct {
	Minor    int64  `json:"amount_cents" doc:"Whole minor units of the currency"`
	Currency string `json:"currency" doc:"ISO 4217 code, or Plaid's unofficial code"`
}

// Currencies of ISO 4217 whose exponent is not 2.
var exponents = map[string]int32{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
	"UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// Exponent is the number of decimal places of a currency's minor unit; 2 where the code is not known.
func Exponent(currency string) int {
	if e, ok := exponents[strings.ToUpper(currency)]; ok {
		return int(e)
	}
	return 2
}

// ErrRange says that an amount does not fit 64 bits of minor units.
var ErrRange = errors.New("amount is out of range")

// Parse reads major units written as a decimal ("23631.9805") exactly. What is finer than the currency's
// minor unit is rounded half to even, and rounded says so.
func Parse(digits, currency string) (a Amount, rounded bool, err error) {
	d, err := decimal.NewFromString(digits)
	if err != nil || d.Exponent() > 30 || d.Exponent() < -64 {
		return Amount{}, false, errors.New("not a decimal amount")
	}
	exact := d.Shift(int32(Exponent(currency)))
	whole := exact.RoundBank(0)
	if !whole.BigInt().IsInt64() {
		return Amount{}, false, ErrRange
	}
	return Amount{Minor: whole.IntPart(), Currency: currency}, !whole.Equal(exact), nil
}

// Decimal writes the amount in major units with all its places ("-12.50"), without its currency.
func (a Amount) Decimal() string {
	places := int32(Exponent(a.Currency))
	return decimal.New(a.Minor, -places).StringFixed(places)
}

// String writes the amount as people read it: "1,234.50 USD".
func (a Amount) String() string {
	digits := a.Decimal()
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "-", rest
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	var b strings.Builder
	for i, r := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(r)
	}
	if fraction != "" {
		b.WriteString("." + fraction)
	}
	return strings.TrimSpace(fmt.Sprintf("%s%s %s", sign, b.String(), a.Currency))
}
