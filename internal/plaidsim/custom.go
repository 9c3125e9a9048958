package plaidsim

import (
	"encoding/json"
	"fmt"
	"strings"
)

// customConfig is the JSON that user_custom gives as its password.
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
	} `json:"meta"`
	Numbers struct {
		Account string `json:"account"`
		Routing string `json:"ach_routing"`
		Wire    string `json:"ach_wire_routing"`
	} `json:"numbers"`
	Rows     []customRow `json:"transactions"`
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

type customRow struct {
	Transacted  string      `json:"date_transacted"`
	Posted      string      `json:"date_posted"`
	Amount      json.Number `json:"amount"`
	Description string      `json:"description"`
	Currency    string      `json:"currency"`
}

const (
	maxCustom         = 55 << 10
	maxCustomAccounts = 10
)

func parseCustom(text string) (customConfig, error) {
	var cfg customConfig
	if len(text) > maxCustom {
		return cfg, fmt.Errorf("custom user is larger than %d bytes", maxCustom)
	}
	if err := json.Unmarshal([]byte(text), &cfg); err != nil {
		return cfg, fmt.Errorf("custom user is not valid JSON")
	}
	if len(cfg.Accounts) > maxCustomAccounts {
		return cfg, fmt.Errorf("custom user has more than %d accounts", maxCustomAccounts)
	}
	return cfg, nil
}

func (cfg customConfig) fixtures() []fixture {
	var out []fixture
	for i, a := range cfg.Accounts {
		out = append(out, a.fixture(i))
	}
	return out
}

func (a customAccount) fixture(i int) fixture {
	balance := a.StartingBalance
	f := fixture{name: a.Meta.Name, official: a.Meta.Official, mask: a.Meta.Mask, typ: a.Type, subtype: a.Subtype,
		current: &balance, available: a.ForceAvailable, limit: a.Meta.Limit, currency: a.Currency,
		number: a.Numbers.Account, routing: a.Numbers.Routing, wire: a.Numbers.Wire, rows: a.Rows}
	if f.mask == "" {
		f.mask = fmt.Sprintf("%04d", i*1111%10000)
	}
	if f.name == "" {
		f.name = "Plaid " + strings.ToUpper(f.subtype[:min(1, len(f.subtype))]) + f.subtype[min(1, len(f.subtype)):]
	}
	if f.available == nil && !a.NoAvailable && f.typ == "depository" {
		f.available = &balance
	}
	f.owners = a.owner()
	return f
}

func (a customAccount) owner() *owner {
	if a.Identity == nil {
		return nil
	}
	o := &owner{names: a.Identity.Names}
	for _, p := range a.Identity.Phones {
		o.phones = append(o.phones, datum{p.Data, p.Type, p.Primary})
	}
	for _, e := range a.Identity.Emails {
		o.emails = append(o.emails, datum{e.Data, e.Type, e.Primary})
	}
	for _, d := range a.Identity.Addresses {
		o.addresses = append(o.addresses, address{d.Data.Street, d.Data.City, d.Data.Region, d.Data.Postal, d.Data.Country, d.Primary})
	}
	return o
}
