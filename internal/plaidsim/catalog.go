package plaidsim

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// bank is one institution of the catalogue.
type bank struct {
	id, name       string
	color          string
	url            string
	countries      []string
	routing        []string
	products       []string
	oauth          bool
	tokenized      bool   // account numbers are aliases (TAN)
	flow           string // numbers flow that the bank asks for: "match", "instant", or empty
	loginErrorCode string // error code of every login
	degraded       bool   // slow or partly failing, but usable
	payments       bool   // has payment initiation metadata
	listed         bool   // shown before anything is searched for
}

var everyProduct = []string{"assets", "auth", "balance", "identity", "investments", "liabilities", "transactions", "signal", "transfer", "identity_match"}

var bankTable = []bank{
	{id: "ins_109508", name: "First Platypus Bank", color: "#1f6f8b", listed: true, routing: []string{"011401533"}},
	{id: "ins_109509", name: "First Gingham Credit Union", color: "#b3261e", listed: true},
	{id: "ins_109510", name: "Tattersall Federal Credit Union", color: "#5b3a8c", listed: true, products: []string{"assets", "auth", "balance", "transactions"}},
	{id: "ins_109511", name: "Tartan Bank", color: "#9c2a2a", listed: true},
	{id: "ins_109512", name: "Houndstooth Bank", color: "#333333", listed: true, flow: "match", routing: []string{"021000021"}},
	{id: "ins_127287", name: "Platypus OAuth Bank", color: "#0b5d4e", listed: true, oauth: true, tokenized: true},
	{id: "ins_132241", name: "First Platypus OAuth App2App Bank", color: "#3b5f00", listed: true, oauth: true},
	{id: "ins_135858", name: "Windowpane Bank", color: "#7a4b00", listed: true, flow: "instant", routing: []string{"333333334"}},
	{id: "ins_130016", name: "First Platypus Balance Bank", color: "#24506b", listed: true},
	{id: "ins_132363", name: "Unhealthy Platypus Bank - Degraded", color: "#7d5700", degraded: true},
	{id: "ins_132361", name: "Unhealthy Platypus Bank - Down", color: "#8a1c1c", loginErrorCode: "INSTITUTION_DOWN"},
	{id: "ins_133402", name: "Unsupported Platypus Bank", color: "#555555", loginErrorCode: "INSTITUTION_NO_LONGER_SUPPORTED"},
	{id: "ins_133502", name: "Flexible Platypus Bank RUX", color: "#2f5597"},
	{id: "ins_133503", name: "Flexible Platypus Bank RUX OAuth", color: "#2f5597", oauth: true},
	{id: "ins_43", name: "Tartan-Dominion Bank of Canada", color: "#9c2a2a", countries: []string{"CA"}},
	{id: "ins_116834", name: "Flexible Platypus Open Banking", color: "#1f6f8b", countries: []string{"GB"}, oauth: true},
	{id: "ins_117181", name: "Flexible Platypus Open Banking QR", color: "#1f6f8b", countries: []string{"GB"}, oauth: true},
	{id: "ins_117650", name: "Royal Bank of Plaid", color: "#3a2d7d", countries: []string{"GB"}, oauth: true, payments: true},
	{id: "ins_117520", name: "First Platypus Bank (UK)", color: "#1f6f8b", countries: []string{"GB"}, oauth: true},
	{id: "ins_56", name: "Chase", color: "#0b4f9e", url: "https://www.chase.com", oauth: true, tokenized: true, routing: []string{"021000021", "322271627"}},
	{id: "ins_13", name: "PNC", color: "#9a4a00", url: "https://www.pnc.com", oauth: true, tokenized: true, routing: []string{"043000096"}},
	{id: "ins_127990", name: "U.S. Bank", color: "#0c2074", url: "https://www.usbank.com", oauth: true, tokenized: true, routing: []string{"091000022"}},
	{id: "ins_128026", name: "Capital One", color: "#004879", url: "https://www.capitalone.com", oauth: true, routing: []string{"051405515"}},
	{id: "ins_10", name: "American Express", color: "#00588f", url: "https://www.americanexpress.com", oauth: true},
	{id: "ins_127989", name: "Bank of America", color: "#a3122a", url: "https://www.bankofamerica.com", oauth: true, routing: []string{"021200339", "052001633"}},
	{id: "ins_127991", name: "Wells Fargo", color: "#a01d1d", url: "https://www.wellsfargo.com", oauth: true, routing: []string{"121000248"}},
	{id: "ins_12", name: "Fidelity", color: "#2f6b1f", url: "https://www.fidelity.com"},
	{id: "ins_14", name: "TD Bank", color: "#1a6b00", url: "https://www.td.com", oauth: true, routing: []string{"031101266"}},
	{id: "ins_15", name: "Navy Federal Credit Union", color: "#003b5c", url: "https://www.navyfederal.org", oauth: true, routing: []string{"256074974"}},
	{id: "ins_7", name: "USAA", color: "#12395b", url: "https://www.usaa.com", oauth: true, routing: []string{"314074269"}},
	{id: "ins_19", name: "Regions Bank", color: "#3f6b00", url: "https://www.regions.com"},
	{id: "ins_20", name: "Citizens Bank", color: "#00593d", url: "https://www.citizensbank.com"},
	{id: "ins_21", name: "Huntington Bank", color: "#2d6a1f", url: "https://www.huntington.com"},
	{id: "ins_25", name: "Ally Bank", color: "#650360", url: "https://www.ally.com", routing: []string{"124003116"}},
}

// banks is the whole catalogue: the table, and many small made-up banks so that paging has something to page over.
var banks = sync.OnceValue(func() []*bank {
	var out []*bank
	for _, b := range bankTable {
		if b.countries == nil {
			b.countries = []string{"US"}
		}
		if b.products == nil {
			b.products = everyProduct
		}
		if b.url == "" {
			b.url = "https://plaid.com/docs/sandbox/institutions/#" + strings.TrimPrefix(b.id, "ins_")
		}
		out = append(out, &b)
	}
	return append(out, smallBanks()...)
})

func smallBanks() []*bank {
	places := []string{"Aldenford", "Birchmont", "Cedar Hollow", "Dunmere", "Eastbrook", "Fallowfield", "Glenmoor", "Harrowgate",
		"Ivybridge", "Juniper Creek", "Kestrel Bay", "Larkspur", "Millbrae", "Northwick", "Oakhurst", "Pinecrest", "Quarry Lake",
		"Ridgeway", "Stonebridge", "Thornbury", "Underhill", "Valewood", "Westmarch", "Yarrow"}
	kinds := []string{"Community Bank", "Credit Union", "Savings Bank", "Federal Credit Union", "National Bank", "Trust"}
	colors := []string{"#1f4e79", "#7a1f3d", "#2e5e2e", "#5c3d00", "#4a2c6f", "#0f5257"}
	var out []*bank
	for i, place := range places {
		for j, kind := range kinds {
			out = append(out, &bank{id: fmt.Sprintf("ins_9%02d%02d", i, j), name: place + " " + kind, color: colors[j],
				url:       "https://example.com/" + strings.ToLower(strings.ReplaceAll(place, " ", "-")),
				countries: []string{"US"}, products: everyProduct})
		}
	}
	return out
}

var bankByID = sync.OnceValue(func() map[string]*bank {
	out := map[string]*bank{}
	for _, b := range banks() {
		out[b.id] = b
	}
	return out
})

func findBank(id string) *bank { return bankByID()[id] }

func (b *bank) in(countries []string) bool {
	return slices.ContainsFunc(countries, func(c string) bool { return slices.Contains(b.countries, c) })
}

// supports reports whether the bank offers all the products.
func (b *bank) supports(products []string) bool {
	for _, p := range products {
		if !slices.Contains(b.products, baseProduct(p)) {
			return false
		}
	}
	return true
}

// baseProduct maps a product to the one that banks list for it.
func baseProduct(p string) string {
	switch p {
	case "recurring_transactions":
		return "transactions"
	case "balance_plus", "processor_payments":
		return "auth"
	case "processor_identity":
		return "identity"
	}
	return p
}

func (b *bank) matches(query string) bool {
	return strings.Contains(strings.ToLower(b.name), strings.ToLower(strings.TrimSpace(query)))
}

// initials are the two letters drawn where a logo would be.
func (b *bank) initials() string {
	var out []rune
	for word := range strings.FieldsSeq(b.name) {
		if r := []rune(word)[0]; len(out) < 2 && r >= 'A' && r <= 'Z' && word != "Bank" {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return "B"
	}
	return string(out)
}
