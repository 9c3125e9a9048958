package plaidsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
)

// customConfig is the JSON that user_custom gives as its password. Fields of products that the simulator does not have
// (income, liabilities, holdings) are taken and left alone; null is as if left out.
type customConfig struct {
	Accounts   []customAccount `json:"override_accounts"`
	MFA        customMFA       `json:"mfa"`
	Recaptcha  string          `json:"recaptcha"`
	ForceError string          `json:"force_error"`
}

type customMFA struct {
	Type           string `json:"type"`
	QuestionRounds int    `json:"question_rounds"`
	QuestionsPer   int    `json:"questions_per_round"`
	SelectionRound int    `json:"selection_rounds"`
	SelectionsPer  int    `json:"selections_per_question"`
}

type customAccount struct {
	Type            string   `json:"type"`
	Subtype         string   `json:"subtype"`
	StartingBalance float64  `json:"starting_balance"`
	ForceAvailable  *float64 `json:"force_available_balance"`
	NoAvailable     bool     `json:"has_null_available_balance"`
	Currency        string   `json:"currency"`
	Meta            struct {
		Name     string   `json:"name"`
		Official string   `json:"official_name"`
		Limit    *float64 `json:"limit"`
		Mask     string   `json:"mask"`
		APY      *float64 `json:"apy"`
	} `json:"meta"`
	Numbers struct {
		Account string `json:"account"`
		Routing string `json:"ach_routing"`
		Wire    string `json:"ach_wire_routing"`
		EFT     string `json:"eft_institution"`
		Branch  string `json:"eft_branch"`
		IBAN    string `json:"international_iban"`
		BIC     string `json:"international_bic"`
		Sort    string `json:"bacs_sort_code"`
	} `json:"numbers"`
	Inflow   customInflow `json:"inflow_model"`
	Rows     []customRow  `json:"transactions"`
	Identity *struct {
		Names  []string `json:"names"`
		Phones []struct {
			Data    string `json:"data"`
			Primary bool   `json:"primary"`
			Type    string `json:"type"`
		} `json:"phone_numbers"`
		Emails []struct {
			Data    string `json:"data"`
			Primary bool   `json:"primary"`
			Type    string `json:"type"`
		} `json:"emails"`
		Addresses []struct {
			Primary bool `json:"primary"`
			Data    struct {
				Street  string `json:"street"`
				City    string `json:"city"`
				Region  string `json:"region"`
				Postal  string `json:"postal_code"`
				Country string `json:"country"`
			} `json:"data"`
		} `json:"addresses"`
	} `json:"identity"`
}

// customInflow adds a payment each month: an income, or one that pays off what is owed.
type customInflow struct {
	Type   string  `json:"type"` // none, monthly-income, monthly-balance-payment, monthly-interest-only-payment
	Amount float64 `json:"income_amount"`
	Day    int     `json:"payment_day_of_month"`
	Name   string  `json:"transaction_name"`
}

type customRow struct {
	Transacted  string      `json:"date_transacted"`
	Posted      string      `json:"date_posted"`
	Amount      json.Number `json:"amount"`
	Description string      `json:"description"`
	Currency    string      `json:"currency"`
}

const (
	maxCustom         = 55_000 // without white space
	maxCustomText     = 512 << 10
	maxCustomAccounts = 10
	maxCustomAmount   = 1e12
)

// accountTypes are the types that Plaid has, with the subtype that each has where none is given.
var accountTypes = map[string]string{"depository": "checking", "credit": "credit card", "loan": "loan", "investment": "other", "brokerage": "brokerage", "other": "other"}

var accountSubtypes = []string{"401a", "401k", "403B", "457b", "529", "auto", "brokerage", "business", "cash isa", "cash management", "cd", "checking",
	"commercial", "construction", "consumer", "credit card", "crypto exchange", "ebt", "education savings account", "fixed annuity", "gic",
	"health reimbursement arrangement", "home equity", "hsa", "isa", "ira", "keogh", "lif", "life insurance", "line of credit", "lira", "loan", "lrif",
	"lrsp", "money market", "mortgage", "mutual fund", "non-custodial wallet", "non-taxable brokerage account", "other", "other insurance",
	"other annuity", "overdraft", "paypal", "payroll", "pension", "prepaid", "prif", "profit sharing plan", "rdsp", "resp", "retirement", "rlif", "roth",
	"roth 401k", "rrif", "rrsp", "sarsep", "savings", "sep ira", "simple ira", "sipp", "stock plan", "student", "thrift savings plan", "tfsa", "trust",
	"ugma", "utma", "variable annuity"}

// compactCustom drops the white space of a configuration, which does not count towards its size.
func compactCustom(text string) (string, error) {
	if len(text) > maxCustomText {
		return "", fmt.Errorf("custom user is too large")
	}
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		return "", fmt.Errorf("custom user is not valid JSON")
	}
	if b.Len() > maxCustom {
		return "", fmt.Errorf("custom user is larger than %d bytes", maxCustom)
	}
	return b.String(), nil
}

func parseCustom(text string) (customConfig, error) {
	var cfg customConfig
	text, err := compactCustom(text)
	if err != nil {
		return cfg, err
	}
	if !strings.HasPrefix(text, "{") {
		return cfg, fmt.Errorf("custom user is not a JSON object")
	}
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		return cfg, fmt.Errorf("custom user has a field of another type")
	}
	if len(cfg.Accounts) > maxCustomAccounts {
		return cfg, fmt.Errorf("custom user has more than %d accounts", maxCustomAccounts)
	}
	for i := range cfg.Accounts {
		if err := cfg.Accounts[i].check(); err != nil {
			return cfg, err
		}
	}
	return cfg, nil
}

// check fills in the type and the subtype where there is none, and refuses those that Plaid does not have.
func (a *customAccount) check() error {
	for _, v := range []*float64{&a.StartingBalance, a.ForceAvailable, a.Meta.Limit, a.Meta.APY, &a.Inflow.Amount} {
		if v != nil && math.Abs(*v) > maxCustomAmount {
			return fmt.Errorf("custom user has an amount out of range")
		}
	}
	for _, r := range a.Rows {
		if v, err := r.Amount.Float64(); r.Amount != "" && (err != nil || math.Abs(v) > maxCustomAmount) {
			return fmt.Errorf("custom user has an amount out of range")
		}
	}
	if a.Type == "" {
		a.Type = "depository"
	}
	if a.payroll() {
		return nil
	}
	usual, ok := accountTypes[a.Type]
	if !ok {
		return fmt.Errorf("custom user has an account of an unknown type")
	}
	if a.Subtype == "" {
		a.Subtype = usual
	}
	if !slices.Contains(accountSubtypes, a.Subtype) {
		return fmt.Errorf("custom user has an account of an unknown subtype")
	}
	return nil
}

// payroll reports whether the account is an income source, which /accounts/get does not list.
func (a *customAccount) payroll() bool { return a.Type == "payroll" }

func (cfg customConfig) fixtures() []fixture {
	var out []fixture
	masks := map[string]bool{}
	for i, a := range cfg.Accounts {
		if a.payroll() {
			continue
		}
		f := a.fixture(i)
		for n := i; masks[f.mask]; n++ { // a mask names an account here, so each has its own
			f.mask = fmt.Sprintf("%04d", (n+1)*1111%10000)
		}
		masks[f.mask] = true
		out = append(out, f)
	}
	return out
}

func (a customAccount) fixture(i int) fixture {
	balance := a.StartingBalance
	f := fixture{name: a.Meta.Name, official: a.Meta.Official, mask: lastOf(a.Meta.Mask, 4), typ: a.Type, subtype: a.Subtype,
		current: &balance, available: a.ForceAvailable, limit: a.Meta.Limit, apy: a.Meta.APY, currency: a.Currency,
		number: a.Numbers.Account, routing: a.Numbers.Routing, wire: a.Numbers.Wire, rows: a.Rows, inflow: a.Inflow,
		abroad: abroad{eft: a.Numbers.EFT, branch: a.Numbers.Branch, iban: a.Numbers.IBAN, bic: a.Numbers.BIC, sort: a.Numbers.Sort}}
	if f.mask == "" {
		f.mask = lastOf(f.number, 4)
	}
	if f.mask == "" {
		f.mask = fmt.Sprintf("%04d", i*1111%10000)
	}
	if f.name == "" {
		f.name = "Plaid " + strings.ToUpper(f.subtype[:1]) + f.subtype[1:]
	}
	if f.available == nil && !a.NoAvailable && f.typ == "depository" {
		f.available = &balance
	}
	f.owners = a.owner()
	return f
}

func lastOf(text string, n int) string {
	runes := []rune(text)
	return string(runes[max(0, len(runes)-n):])
}

// oneOf is the value if it is one of Plaid's, else "other".
func oneOf(value string, known ...string) string {
	if slices.Contains(known, value) {
		return value
	}
	return "other"
}

func (a customAccount) owner() *owner {
	if a.Identity == nil {
		return nil
	}
	o := &owner{names: slices.DeleteFunc(slices.Clone(a.Identity.Names), func(name string) bool { return name == "" })}
	for _, p := range a.Identity.Phones {
		if p.Data != "" {
			o.phones = append(o.phones, datum{p.Data, oneOf(p.Type, "home", "work", "office", "mobile", "mobile1"), p.Primary})
		}
	}
	for _, e := range a.Identity.Emails {
		if e.Data != "" {
			o.emails = append(o.emails, datum{e.Data, oneOf(e.Type, "primary", "secondary"), e.Primary})
		}
	}
	for _, d := range a.Identity.Addresses {
		if d.Data.Street != "" {
			o.addresses = append(o.addresses, address{d.Data.Street, d.Data.City, d.Data.Region, d.Data.Postal, d.Data.Country, d.Primary})
		}
	}
	return o
}

// maxInflowDay is a day that every month has.
const maxInflowDay = 28

// inflowRows are the payments of an account's inflow model, the newest first.
func (h history) inflowRows(a account) []versionedTxn {
	amount, m := 0.0, a.inflow
	switch m.Type {
	case "monthly-income":
		amount = -m.Amount
	case "monthly-balance-payment":
		amount = -owed(a)
	case "monthly-interest-only-payment":
		amount = -cents(owed(a) / 100)
	}
	if amount == 0 {
		return nil
	}
	name := m.Name
	if name == "" {
		name = "PAYMENT"
	}
	var out []versionedTxn
	for back := range h.it.Txns.Days {
		day := h.it.Txns.Started.AddDate(0, 0, -back)
		if v := h.arrival(back); v > 0 && day.UTC().Day() == min(max(m.Day, 1), maxInflowDay) {
			out = append(out, plainTxn(h.id("inflow-"+a.mask, back), a, amount, name, dayString(day), v))
		}
	}
	return out
}

func owed(a account) float64 {
	if a.current == nil {
		return 0
	}
	return *a.current
}
