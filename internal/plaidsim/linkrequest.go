package plaidsim

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// linkRequest is the part of a /link/token/create that its sessions need.
type linkRequest struct {
	ClientName, Language, Webhook, RedirectURI, Completion string
	Countries                                              []string
	Products, Required, Optional, Additional               []string
	Filters                                                map[string][]string
	Routing                                                string
	Item                                                   string // update mode
	SelectAccounts                                         bool
	Single                                                 bool // one account only
	Days                                                   int
	Auth                                                   authFlows
	User                                                   string `json:",omitempty"` // user_id of /user/create
}

// authFlows are the ways of verification that the caller switched on.
type authFlows struct {
	SelectType, Automated, Match, SameDay, Instant, Database bool
}

func (r linkRequest) update() bool { return r.Item != "" }

// consented lists the products that the user is asked to consent to.
func (r linkRequest) consented() []string {
	return uniq(slices.Concat(r.Products, r.Required, r.Optional, r.Additional))
}

func uniq(in []string) []string {
	var out []string
	for _, v := range in {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// manual reports whether Link offers to type numbers: only if Auth is the only product and US banks are asked for.
func (r linkRequest) manual() bool {
	return (r.Auth.SameDay || r.Auth.Instant || r.Auth.Database) && slices.Equal(r.Products, []string{"auth"}) &&
		slices.Equal(r.Countries, []string{"US"})
}

const (
	hostedLife     = 30 * time.Minute
	newItemLife    = 4 * time.Hour
	updateLife     = 30 * time.Minute
	maxHostedLife  = 21 * 24 * time.Hour
	maxClientName  = 30
	genericName    = "This application"
	smsHostedLife  = 24 * time.Hour
	mailHostedLife = 7 * 24 * time.Hour
)

var linkLanguages = []string{"da", "nl", "en", "et", "fr", "de", "hi", "it", "lv", "lt", "no", "pl", "pt", "ro", "es", "sv", "vi"}

var (
	mailPattern  = regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`)
	phonePattern = regexp.MustCompile(`^\+?1?[-. (]*[2-9][0-9]{2}[-. )]*[2-9][0-9]{2}[-. ]*[0-9]{4}$`)
)

// checkLink makes the checks of a create that need more than one field.
func (s *Server) checkLink(c *call) *apiError {
	checks := []func(*call) *apiError{s.checkLinkUser, s.checkLinkProducts, checkLinkURLs, checkHosted, checkFlows, checkUpdateConfig}
	for _, check := range checks {
		if err := check(c); err != nil {
			return err
		}
	}
	if !slices.Contains(linkLanguages, c.str("language")) {
		return errInvalidField("language", "is not a supported language")
	}
	if id := c.str("institution_id"); id != "" && findBank(id) == nil {
		return errInstitution()
	}
	if c.str("link_customization_name") == "no_use_case" {
		return invalidInput("INVALID_LINK_CUSTOMIZATION", "requested link customization is not set up with a data transparency use case")
	}
	return nil
}

func (s *Server) checkLinkUser(c *call) *apiError {
	if id := c.str("user_id"); id != "" {
		if u := s.st.Users[id]; u == nil || u.Client != c.client {
			return errInvalidField("user_id", "is not the id of a user")
		}
	} else if !c.has("user") {
		return errMissingFields([]string{"user"})
	}
	id := c.str("user.client_user_id")
	if mailPattern.MatchString(id) || phonePattern.MatchString(id) {
		return errInvalidField("user.client_user_id", "must not contain personally identifiable information")
	}
	if phone := c.str("user.phone_number"); phone != "" && !strings.HasPrefix(phone, "+") && !phonePattern.MatchString(phone) ||
		strings.HasPrefix(phone, "+1") && !phonePattern.MatchString(phone) {
		return errInvalidField("user.phone_number", "must be a valid phone number")
	}
	if mail := c.str("user.email_address"); mail != "" && !mailPattern.MatchString(mail) {
		return errInvalidField("user.email_address", "must be a valid email address")
	}
	return nil
}

func (s *Server) checkLinkProducts(c *call) *apiError {
	products := c.strs("products")
	others := map[string][]string{}
	for _, name := range []string{"required_if_supported_products", "optional_products", "additional_consented_products"} {
		others[name] = c.strs(name)
	}
	for _, set := range append([][]string{products}, others["required_if_supported_products"], others["optional_products"], others["additional_consented_products"]) {
		if err := checkItemProducts(set); err != nil {
			return err
		}
	}
	if c.str("access_token") != "" {
		return checkUpdateProducts(products)
	}
	if len(products) == 0 {
		return errNoProducts()
	}
	for _, name := range sortedKeys(others) {
		if overlap(products, others[name]) {
			return errInvalidField(name, "must not repeat an entry of products")
		}
	}
	if overlap(others["required_if_supported_products"], others["additional_consented_products"]) {
		return errInvalidField("additional_consented_products", "must not repeat an entry of required_if_supported_products")
	}
	return nil
}

// checkUpdateProducts refuses products that update mode cannot add.
func checkUpdateProducts(products []string) *apiError {
	for _, p := range products {
		if !slices.Contains([]string{"auth", "identity", "liabilities", "assets", "statements"}, p) {
			return errInvalidField("products", "cannot be set in update mode")
		}
	}
	return nil
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(v string) bool { return slices.Contains(b, v) })
}

func checkLinkURLs(c *call) *apiError {
	if hook := c.str("webhook"); hook != "" && !validURL(hook) {
		return errInvalidField("webhook", "must be a valid URL")
	}
	uri := c.str("redirect_uri")
	if uri == "" {
		return nil
	}
	u, err := url.Parse(uri)
	if err != nil || !validURL(uri) || u.RawQuery != "" || u.Fragment != "" {
		return errInvalidField("redirect_uri", "must be a valid URI without query parameters")
	}
	return nil
}

func checkHosted(c *call) *apiError {
	if c.has("hosted_link.url_lifetime_seconds") {
		n := c.num("hosted_link.url_lifetime_seconds", 0)
		if n <= 0 || time.Duration(n)*time.Second > maxHostedLife {
			return errInvalidField("hosted_link.url_lifetime_seconds", "must be greater than 0 and at most 1814400")
		}
	}
	uri := c.str("hosted_link.completion_redirect_uri")
	if uri == "" {
		return nil
	}
	u, err := url.Parse(uri)
	if err != nil || u.Scheme == "" || slices.Contains([]string{"javascript", "data", "vbscript", "file"}, strings.ToLower(u.Scheme)) {
		return errInvalidField("hosted_link.completion_redirect_uri", "must be a valid URI")
	}
	return nil
}

func checkFlows(c *call) *apiError {
	database := c.flag("auth.database_insights_enabled", false)
	others := c.flag("auth.same_day_microdeposits_enabled", false) || c.flag("auth.instant_microdeposits_enabled", false) ||
		c.flag("auth.database_match_enabled", false)
	if database && others {
		return invalidRequest("INVALID_CONFIGURATION", "database_insights_enabled cannot be combined with other auth methods")
	}
	return nil
}

func checkUpdateConfig(c *call) *apiError {
	if c.str("access_token") != "" && c.has("account_filters") && !c.flag("update.account_selection_enabled", false) {
		return errInvalidField("account_filters", "needs update.account_selection_enabled in update mode")
	}
	return nil
}

func readLinkRequest(c *call) linkRequest {
	r := linkRequest{ClientName: c.str("client_name"), Language: c.str("language"), Webhook: c.str("webhook"),
		RedirectURI: c.str("redirect_uri"), Completion: c.str("hosted_link.completion_redirect_uri"), Countries: c.strs("country_codes"),
		Products: c.strs("products"), Required: c.strs("required_if_supported_products"), Optional: c.strs("optional_products"),
		Additional: c.strs("additional_consented_products"), Routing: c.str("institution_data.routing_number"),
		SelectAccounts: c.flag("update.account_selection_enabled", false), Single: c.str("link_customization_name") == "single",
		Days: c.num("transactions.days_requested", 0), User: c.str("user_id")}
	r.Auth = authFlows{SelectType: c.flag("auth.auth_type_select_enabled", false), Automated: c.flag("auth.automated_microdeposits_enabled", false),
		Match: c.flag("auth.instant_match_enabled", true), SameDay: c.flag("auth.same_day_microdeposits_enabled", false),
		Instant:  c.flag("auth.instant_microdeposits_enabled", false),
		Database: c.flag("auth.database_match_enabled", false) || c.flag("auth.database_insights_enabled", false)}
	filters, _ := c.body["account_filters"].(map[string]any)
	for typ, filter := range filters {
		if filter == nil {
			continue
		}
		if r.Filters == nil {
			r.Filters = map[string][]string{}
		}
		r.Filters[typ] = c.strs("account_filters." + typ + ".account_subtypes")
	}
	return r
}

// offers applies the caller's account filters. If auth is among the products, it allows only debitable accounts.
func (r linkRequest) offers(f fixture) bool {
	if slices.Contains(r.Products, "auth") && !f.debitable() {
		return false
	}
	if r.Filters == nil {
		return true
	}
	subtypes := r.Filters[f.typ]
	return slices.Contains(subtypes, f.subtype) || slices.Contains(subtypes, "all")
}
