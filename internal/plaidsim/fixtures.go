package plaidsim

import (
	"regexp"
	"slices"
)

// fixture is one account as a sandbox user has it.
type fixture struct {
	name, official, mask string
	typ, subtype         string
	available, current   *float64
	limit                *float64
	apy                  *float64
	currency             string
	holder               string
	number, routing      string // empty means by the published pattern
	wire                 string
	owners               *owner // nil means the published owner
	rows                 []customRow
	inflow               customInflow
	abroad               abroad
}

// abroad are the numbers of an account outside the United States; an account that has some has no ACH number, unless a
// routing number is given too.
type abroad struct{ eft, branch, iban, bic, sort string }

const (
	fixtureRouting = "011401533"
	fixtureWire    = "021000021"
	numberPrefix   = "111122223333"
)

func usd(v float64) *float64 { return &v }

var goodAccounts = []fixture{
	{name: "Plaid Checking", official: "Plaid Gold Standard 0% Interest Checking", mask: "0000", typ: "depository", subtype: "checking", available: usd(100), current: usd(110), holder: "personal"},
	{name: "Plaid Saving", official: "Plaid Silver Standard 0.1% Interest Saving", mask: "1111", typ: "depository", subtype: "savings", available: usd(200), current: usd(210), holder: "personal", apy: usd(0.1)},
	{name: "Plaid CD", official: "Plaid Bronze Standard 0.2% Interest CD", mask: "2222", typ: "depository", subtype: "cd", current: usd(1000), apy: usd(0.2)},
	{name: "Plaid Credit Card", official: "Plaid Diamond 12.5% APR Interest Credit Card", mask: "3333", typ: "credit", subtype: "credit card", current: usd(410), limit: usd(2000)},
	{name: "Plaid Money Market", official: "Plaid Platinum Standard 1.85% Interest Money Market", mask: "4444", typ: "depository", subtype: "money market", available: usd(43200), current: usd(43200), apy: usd(1.85)},
	{name: "Plaid IRA", mask: "5555", typ: "investment", subtype: "ira", current: usd(320.76)},
	{name: "Plaid 401k", mask: "6666", typ: "investment", subtype: "401k", current: usd(23631.9805)},
	{name: "Plaid Student Loan", mask: "7777", typ: "loan", subtype: "student", current: usd(65262), holder: "personal"},
	{name: "Plaid Mortgage", mask: "8888", typ: "loan", subtype: "mortgage", current: usd(56302.06)},
	{name: "Plaid HSA", official: "Plaid Cares Health Savings Account", mask: "9001", typ: "depository", subtype: "hsa", available: usd(6009), current: usd(6009)},
	{name: "Plaid Cash Management", official: "Plaid Growth Cash Management", mask: "9002", typ: "depository", subtype: "cash management", available: usd(12060), current: usd(12060)},
	{name: "Plaid Business Credit Card", official: "Plaid Platinum Small Business Credit Card", mask: "9999", typ: "credit", subtype: "credit card", available: usd(4980), current: usd(5020), limit: usd(10000), holder: "business"},
}

var newerAccounts = []fixture{
	{name: "Plaid Auto Loan", mask: "9003", typ: "loan", subtype: "auto", current: usd(23211.33)},
	{name: "Plaid Home Equity Line of Credit", mask: "9004", typ: "loan", subtype: "home equity", current: usd(13500.50)},
}

// fixtures are the accounts of a sandbox user.
func (s *Server) fixtures(user, custom string) []fixture {
	if user == "user_custom" {
		if cfg, err := parseCustom(custom); err == nil {
			if own := cfg.fixtures(); len(own) > 0 {
				return own
			}
		}
	}
	if s.opt.Switches.FourteenAccounts {
		return slices.Concat(goodAccounts, newerAccounts)
	}
	return goodAccounts
}

// debitable reports whether Auth covers the account.
func (f fixture) debitable() bool {
	return f.typ == "depository" && slices.Contains([]string{"checking", "savings", "cash management"}, f.subtype)
}

func (f fixture) accountNumber() string {
	if f.number != "" {
		return f.number
	}
	return numberPrefix + f.mask
}

func (f fixture) routingNumber() string {
	if f.routing != "" {
		return f.routing
	}
	return fixtureRouting
}

func (f fixture) wireNumber() string {
	if f.wire != "" {
		return f.wire
	}
	return fixtureWire
}

var isoCurrency = regexp.MustCompile(`^[A-Z]{3}$`)

// currencyKey is the field that holds a currency: one for ISO 4217's codes, one for all others.
func currencyKey(code string) string {
	if isoCurrency.MatchString(code) && code != "BTC" && code != "ETH" {
		return "iso_currency_code"
	}
	return "unofficial_currency_code"
}

func (f fixture) currencyCode() string {
	if f.currency != "" {
		return f.currency
	}
	return "USD"
}
