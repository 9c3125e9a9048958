// Package money owns exact amounts: whole minor units and their currency. It has no floats; decimals from Plaid come as
// their digits.
package money

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Amount is a number of minor units (cents for USD, yen for JPY) of one currency.
type Amount struct {
	Minor    int64  `json:"amount_cents" doc:"Whole minor units of the currency"`
	Currency string `json:"currency" doc:"ISO 4217 code, or Plaid's unofficial code, as it came; empty for none"`
}

// None is the word that stands for an amount without a currency where an empty text would mean any: in filters. Replies
// and files write such a currency as an empty text.
const None = "none"

// Filter returns the word that selects a currency: the code itself, or None.
func Filter(currency string) string {
	if currency == "" {
		return None
	}
	return currency
}

// Currencies of ISO 4217 whose exponent is not 2.
var exponents = map[string]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
	"UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// Exponent is the number of decimal places of a currency's minor unit; 2 for an unknown code and for none. Codes are
// compared as they are: "jpy" is not the yen.
func Exponent(currency string) int {
	if e, ok := exponents[currency]; ok {
		return e
	}
	return 2
}

// ErrRange means that an amount does not fit 64 bits of minor units.
var ErrRange = errors.New("amount is out of range")

var errForm = errors.New("not a decimal amount")

// maxDigits bounds the input: no amount of money needs nearly as many.
const maxDigits = 400

// Parse reads major units written as a JSON number ("23631.9805", "-1e3") exactly. It rounds an amount finer than the
// currency's minor unit half to even, and returns rounded as true. It works on the digits, so that no float is involved
// and a million amounts a second cost little.
func Parse(digits, currency string) (a Amount, rounded bool, err error) {
	negative, mantissa, scale, err := split(digits)
	if err != nil {
		return Amount{}, false, err
	}
	minor, rounded, err := shift(mantissa, Exponent(currency)-scale)
	if negative {
		minor = -minor
	}
	return Amount{Minor: minor, Currency: currency}, rounded, err
}

// Negative reports whether digits that Parse accepts are less than zero, before any rounding: -0.001 is, -0.00 is not.
func Negative(digits string) bool {
	negative, mantissa, _, err := split(digits)
	return err == nil && negative && len(mantissa) > 0
}

// Positive is Negative for more than zero.
func Positive(digits string) bool {
	negative, mantissa, _, err := split(digits)
	return err == nil && !negative && len(mantissa) > 0
}

// split returns a number's digits without leading zeros, and how many of them follow the point.
func split(s string) (negative bool, mantissa []byte, scale int, err error) {
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		negative, s = true, rest
	}
	number, power, scientific := strings.Cut(strings.ToLower(s), "e")
	if scientific {
		exponent, err := strconv.Atoi(power)
		if err != nil || exponent > maxDigits || exponent < -maxDigits {
			return false, nil, 0, errForm
		}
		scale = -exponent
	}
	whole, fraction, _ := strings.Cut(number, ".")
	if len(whole) == 0 || len(whole)+len(fraction) > maxDigits || strings.HasSuffix(number, ".") {
		return false, nil, 0, errForm
	}
	scale += len(fraction)
	mantissa = make([]byte, 0, 32)
	for _, part := range [2]string{whole, fraction} {
		for i := range len(part) {
			d := part[i]
			if d < '0' || d > '9' {
				return false, nil, 0, errForm
			}
			if len(mantissa) > 0 || d != '0' {
				mantissa = append(mantissa, d)
			}
		}
	}
	return negative, mantissa, scale, nil
}

// shift moves the decimal point of an integer and returns the integer part, rounded half to even.
func shift(mantissa []byte, places int) (n int64, rounded bool, err error) {
	if len(mantissa) == 0 {
		return 0, false, nil
	}
	kept, cut := mantissa, []byte(nil)
	if places < 0 {
		at := max(0, len(mantissa)+places)
		kept, cut = mantissa[:at], mantissa[at:]
	}
	if len(kept)+max(0, places) > 19 {
		return 0, false, ErrRange
	}
	for i := range len(kept) + max(0, places) {
		d := int64(0)
		if i < len(kept) {
			d = int64(kept[i] - '0')
		}
		if n > (math.MaxInt64-d)/10 {
			return 0, false, ErrRange
		}
		n = 10*n + d
	}
	up := roundsUp(cut, -places, n%2 == 1)
	if up && n == math.MaxInt64 {
		return 0, false, ErrRange
	}
	if up {
		n++
	}
	return n, len(bytes.Trim(cut, "0")) > 0, nil
}

// roundsUp reports whether dropped digits, a fraction of that many places, round up: more than half, or exactly half
// after an odd digit.
func roundsUp(cut []byte, places int, odd bool) bool {
	if len(cut) < places || len(cut) == 0 {
		return false // a fraction with leading zeros is less than a tenth
	}
	if cut[0] != '5' {
		return cut[0] > '5'
	}
	return odd || len(bytes.Trim(cut[1:], "0")) > 0
}

// Decimal formats the amount in major units with all places ("-12.50"), without the currency.
func (a Amount) Decimal() string {
	places := Exponent(a.Currency)
	digits := strconv.FormatInt(a.Minor, 10)
	sign := ""
	if rest, ok := strings.CutPrefix(digits, "-"); ok {
		sign, digits = "-", rest
	}
	if places == 0 {
		return sign + digits
	}
	for len(digits) <= places {
		digits = "0" + digits
	}
	return sign + digits[:len(digits)-places] + "." + digits[len(digits)-places:]
}

// String formats the amount for people: "1,234.50 USD".
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
