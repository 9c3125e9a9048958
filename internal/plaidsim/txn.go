package plaidsim

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// txn is one row of /transactions/*; its fields are in alphabetical order of their keys.
type txn struct {
	AccountID           string         `json:"account_id"`
	AccountOwner        *string        `json:"account_owner"`
	Amount              float64        `json:"amount"`
	AuthorizedDate      *string        `json:"authorized_date"`
	AuthorizedDatetime  *string        `json:"authorized_datetime"`
	Category            []string       `json:"category"`
	CategoryID          *string        `json:"category_id"`
	CheckNumber         *string        `json:"check_number"`
	Counterparties      []counterparty `json:"counterparties"`
	Date                string         `json:"date"`
	Datetime            *string        `json:"datetime"`
	ISOCurrency         *string        `json:"iso_currency_code"`
	Location            location       `json:"location"`
	LogoURL             *string        `json:"logo_url"`
	CategoryCode        *string        `json:"merchant_category_code,omitempty"`
	MerchantEntityID    *string        `json:"merchant_entity_id"`
	MerchantName        *string        `json:"merchant_name"`
	Name                string         `json:"name"`
	OriginalDescription *string        `json:"original_description,omitempty"`
	PaymentChannel      string         `json:"payment_channel"`
	PaymentMeta         paymentMeta    `json:"payment_meta"`
	Pending             bool           `json:"pending"`
	PendingID           *string        `json:"pending_transaction_id"`
	Finance             *finance       `json:"personal_finance_category"`
	FinanceIcon         string         `json:"personal_finance_category_icon_url"`
	RunningBalance      *float64       `json:"running_balance,omitempty"`
	Code                *string        `json:"transaction_code"`
	ID                  string         `json:"transaction_id"`
	Type                string         `json:"transaction_type"`
	UnofficialCurrency  *string        `json:"unofficial_currency_code"`
	Website             *string        `json:"website"`
}

type counterparty struct {
	Confidence string  `json:"confidence_level"`
	EntityID   *string `json:"entity_id"`
	LogoURL    *string `json:"logo_url"`
	Name       string  `json:"name"`
	Phone      *string `json:"phone_number"`
	Type       string  `json:"type"`
	Website    *string `json:"website"`
}

type location struct {
	Address     *string  `json:"address"`
	City        *string  `json:"city"`
	Country     *string  `json:"country"`
	Lat         *float64 `json:"lat"`
	Lon         *float64 `json:"lon"`
	PostalCode  *string  `json:"postal_code"`
	Region      *string  `json:"region"`
	StoreNumber *string  `json:"store_number"`
}

type paymentMeta struct {
	ByOrderOf        *string `json:"by_order_of"`
	Payee            *string `json:"payee"`
	Payer            *string `json:"payer"`
	PaymentMethod    *string `json:"payment_method"`
	PaymentProcessor *string `json:"payment_processor"`
	PpdID            *string `json:"ppd_id"`
	Reason           *string `json:"reason"`
	ReferenceNumber  *string `json:"reference_number"`
}

type finance struct {
	Confidence string `json:"confidence_level"`
	Detailed   string `json:"detailed"`
	Primary    string `json:"primary"`
	Version    string `json:"version,omitempty"`
}

// versionedTxn is a transaction with the data versions in which it was added and removed (0 is never). Its fields are
// those of the first version; edits holds the later changes.
type versionedTxn struct {
	id, account, mask string
	date, authorized  string
	name, merchant    string
	detailed, primary string
	channel           string
	currency          string
	amount            float64
	pending           bool
	pendingID         string
	added, removed    int
	edits             []edit // oldest first
	confidence        string // of the category; empty is HIGH
	balance           *float64
}

// edit changes a row in a version. Zero fields change nothing.
type edit struct {
	version        int
	amount         float64
	date, currency string
}

func (e versionedTxn) at(version int) versionedTxn {
	for _, d := range e.edits {
		if d.version > version {
			break
		}
		e.amount, e.date, e.currency = cmp.Or(d.amount, e.amount), cmp.Or(d.date, e.date), cmp.Or(d.currency, e.currency)
	}
	return e
}

func (e versionedTxn) editedIn(from, to int) bool {
	return slices.ContainsFunc(e.edits, func(d edit) bool { return d.version > from && d.version <= to })
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (e versionedTxn) row(original bool, pfc string) txn {
	t := txn{AccountID: e.account, Amount: e.amount, AuthorizedDate: text(e.authorized), Date: e.date,
		ISOCurrency: text(e.currency), MerchantName: text(e.merchant), Name: e.name, PaymentChannel: e.channel,
		Pending: e.pending, PendingID: text(e.pendingID), ID: e.id, Type: "place", Counterparties: []counterparty{},
		Finance:     &finance{Confidence: cmp.Or(e.confidence, "HIGH"), Detailed: e.detailed, Primary: e.primary, Version: pfc},
		FinanceIcon: "https://plaid-category-icons.plaid.com/PFC_" + e.primary + ".png"}
	if currencyKey(e.currency) != "iso_currency_code" {
		t.ISOCurrency, t.UnofficialCurrency = nil, text(e.currency)
	}
	if !e.pending {
		t.RunningBalance = e.balance
	}
	if e.merchant != "" {
		t.describe(e.merchant)
	}
	if e.channel == "online" {
		t.Type = "digital"
	}
	if original {
		t.OriginalDescription = text(e.name)
	}
	return t
}

// merchant is what Plaid knows of a seller besides the name.
type merchant struct{ site, entity, code, store string }

var merchants = map[string]merchant{
	"Uber":                {"uber.com", "eyg8o776k0QmNgVpAmaQj4WgzW9Qzo6O51gdd", "4121", ""},
	"United Airlines":     {"united.com", "NKDjqyAdQQzpyeD8qpLnX0D6yvLe2KYKYYzQ4", "3000", ""},
	"McDonald's":          {"mcdonalds.com", "vzWXDWBjB06j5BJoD3Jo84OJZg7JJzmqOZA22", "5814", "3322"},
	"Starbucks":           {"starbucks.com", "NZAJQ5wYdo1W1p39X5q5gpb15OMe39pj4pJBb", "5814", "19425"},
	"KFC":                 {"kfc.com", "mzGRV1ZPRABdRGwEm7jWyGl5MPkm0Ql4lNJ5x", "5814", ""},
	"SparkFun":            {"sparkfun.com", "", "5732", ""},
	"Touchstone Climbing": {"touchstoneclimbing.com", "", "7941", ""},
}

// describe adds what is known of a row's merchant.
func (t *txn) describe(name string) {
	m := merchants[name]
	t.Website, t.MerchantEntityID, t.CategoryCode, t.Location.StoreNumber = text(m.site), text(m.entity), text(m.code), text(m.store)
	if m.entity != "" {
		logo := "https://plaid-merchant-logos.plaid.com/" + strings.ToLower(strings.NewReplacer(" ", "_", "'", "").Replace(name)) + ".png"
		t.LogoURL = &logo
	}
	confidence := "LOW"
	if m.site != "" {
		confidence = "VERY_HIGH"
	}
	t.Counterparties = append(t.Counterparties, counterparty{Confidence: confidence, Name: name, Type: "merchant",
		EntityID: t.MerchantEntityID, LogoURL: t.LogoURL, Website: t.Website})
}

func dayString(t time.Time) string { return t.UTC().Format(time.DateOnly) }
