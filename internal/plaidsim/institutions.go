package plaidsim

import (
	"slices"
	"strings"
)

var knownProducts = []string{"assets", "auth", "balance", "balance_plus", "beacon", "identity", "identity_match", "investments",
	"investments_auth", "liabilities", "payment_initiation", "identity_verification", "transactions", "credit_details", "income",
	"income_verification", "standing_orders", "transfer", "employment", "recurring_transactions", "signal", "statements",
	"processor_payments", "processor_identity", "profile", "cra_base_report", "cra_income_insights", "cra_partner_insights",
	"cra_cashflow_insights", "layer", "pay_by_bank", "transactions_refresh", "cra_network_insights", "cra_monitoring", "cra_lend_score",
	"cra_plaid_credit_score", "cra_qualify", "cra_home_lending", "protect_linked_bank", "protect_transactions"}

func checkProducts(names []string) *apiError {
	for _, p := range names {
		if !slices.Contains(knownProducts, p) {
			return errProduct(p)
		}
	}
	return nil
}

func (s *Server) institutionsGetByID(c *call) (obj, *apiError) {
	b := findBank(c.str("institution_id"))
	if b == nil || !b.in(c.strs("country_codes")) {
		return nil, errInstitution()
	}
	return obj{"institution": institutionObject(b, c)}, nil
}

func (s *Server) institutionsSearch(c *call) (obj, *apiError) {
	query := strings.TrimSpace(c.str("query"))
	if query == "" {
		return nil, errInvalidField("query", "must not be empty")
	}
	found, err := selectBanks(c, c.strs("products"))
	if err != nil {
		return nil, err
	}
	found = slices.DeleteFunc(found, func(b *bank) bool { return !b.matches(query) })
	return obj{"institutions": institutionObjects(found[:min(len(found), 10)], c)}, nil
}

func (s *Server) institutionsGet(c *call) (obj, *apiError) {
	found, err := selectBanks(c, c.strs("options.products"))
	if err != nil {
		return nil, err
	}
	if wanted := c.strs("options.routing_numbers"); len(wanted) > 0 {
		found = slices.DeleteFunc(found, func(b *bank) bool { return !hasAll(b.routing, wanted) })
	}
	from := min(c.num("offset", 0), len(found))
	to := min(from+c.num("count", 1), len(found))
	return obj{"institutions": institutionObjects(found[from:to], c), "total": len(found)}, nil
}

func hasAll(have, want []string) bool {
	for _, w := range want {
		if !slices.Contains(have, w) {
			return false
		}
	}
	return true
}

func selectBanks(c *call, products []string) ([]*bank, *apiError) {
	if err := checkProducts(products); err != nil {
		return nil, err
	}
	countries := c.strs("country_codes")
	if len(countries) == 0 {
		return nil, errInvalidField("country_codes", "must hold at least 1 entries")
	}
	oauth, filterOAuth := dig(c.body, "options.oauth").(bool)
	var out []*bank
	for _, b := range banks() {
		if b.in(countries) && b.supports(products) && (!filterOAuth || b.oauth == oauth) {
			out = append(out, b)
		}
	}
	return out, nil
}

func institutionObjects(found []*bank, c *call) []obj {
	out := []obj{}
	for _, b := range found {
		out = append(out, institutionObject(b, c))
	}
	return out
}

func institutionObject(b *bank, c *call) obj {
	out := obj{"institution_id": b.id, "name": b.name, "products": b.products, "country_codes": b.countries,
		"routing_numbers": list(b.routing), "dtc_numbers": []string{}, "oauth": b.oauth}
	if c.flag("options.include_optional_metadata", false) {
		out["url"], out["primary_color"], out["logo"] = b.url, b.color, logoPNG(b.color)
	}
	if c.flag("options.include_status", false) {
		out["status"] = nil
	}
	if c.flag("options.include_auth_metadata", false) {
		out["auth_metadata"] = authMetadata(b)
	}
	if c.flag("options.include_payment_initiation_metadata", false) {
		out["payment_initiation_metadata"] = paymentMetadata(b)
	}
	return out
}

func authMetadata(b *bank) any {
	if !slices.Contains(b.products, "auth") {
		return nil
	}
	return obj{"supported_methods": obj{"instant_auth": b.flow == "", "instant_match": b.flow == "match",
		"automated_micro_deposits": b.flow == "match", "instant_micro_deposits": b.flow == "instant"}}
}

func paymentMetadata(b *bank) any {
	if !b.payments {
		return nil
	}
	return obj{"supports_international_payments": true, "supports_sepa_instant": false, "supports_refund_details": true,
		"supports_payment_consents": true, "maximum_payment_amount": obj{"GBP": "1000000"},
		"standing_order_metadata": obj{"supports_standing_order_end_date": false,
			"supports_standing_order_negative_execution_days": false, "valid_standing_order_intervals": []string{"WEEKLY", "MONTHLY"}}}
}

func (s *Server) categoriesGet(*call) (obj, *apiError) {
	rows := []struct {
		id, group string
		path      []string
	}{
		{"10000000", "special", []string{"Bank Fees"}},
		{"13005000", "place", []string{"Food and Drink", "Restaurants"}},
		{"13005032", "place", []string{"Food and Drink", "Restaurants", "Fast Food"}},
		{"13005043", "place", []string{"Food and Drink", "Restaurants", "Coffee Shop"}},
		{"15001000", "special", []string{"Interest", "Interest Earned"}},
		{"16000000", "special", []string{"Payment"}},
		{"16001000", "special", []string{"Payment", "Credit Card"}},
		{"17018000", "place", []string{"Recreation", "Gyms and Fitness Centers"}},
		{"19013000", "place", []string{"Shops", "Computers and Electronics"}},
		{"19046000", "place", []string{"Shops", "Sporting Goods"}},
		{"21005000", "special", []string{"Transfer", "Credit"}},
		{"21006000", "special", []string{"Transfer", "Debit"}},
		{"21007000", "special", []string{"Transfer", "Deposit"}},
		{"21009000", "special", []string{"Transfer", "Payroll"}},
		{"22001000", "special", []string{"Travel", "Airlines and Aviation Services"}},
		{"22016000", "special", []string{"Travel", "Taxi"}},
	}
	out := []obj{}
	for _, r := range rows {
		out = append(out, obj{"category_id": r.id, "group": r.group, "hierarchy": r.path})
	}
	return obj{"categories": out}, nil
}
