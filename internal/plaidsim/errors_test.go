package plaidsim_test

import (
	"net/http"
	"testing"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

// TestErrors has one row for each error that a call can end in.
func TestErrors(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	good, _ := s.item("ins_109508", "user_good", "auth", "identity", "transactions")
	authOnly, _ := s.item("ins_109508", "user_good", "auth")
	plain, _ := s.item("ins_109510", "user_good", "auth")
	broken, _ := s.item("ins_109508", "user_good", "auth", "identity", "transactions")
	s.ok("/sandbox/item/reset_login", object{"access_token": broken})
	removed, _ := s.item("ins_109508", "user_good", "auth")
	s.ok("/item/remove", object{"access_token": removed})
	rotated, _ := s.item("ins_109508", "user_good", "auth")
	s.ok("/item/access_token/invalidate", object{"access_token": rotated})
	used := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}})["public_token"]
	s.ok("/item/public_token/exchange", object{"public_token": used})
	capital, _ := s.item("ins_128026", "user_good", "auth")
	linked, _ := s.consented(nil)
	account := at(s.ok("/accounts/get", object{"access_token": authOnly}), "accounts", 0, "account_id")
	credit := at(s.ok("/accounts/get", object{"access_token": authOnly}), "accounts", 3, "account_id")
	s.clock.add(5e9)
	foreign := s.ok("/transactions/sync", object{"access_token": good})["next_cursor"]
	other, _ := s.item("ins_109508", "user_good", "transactions")

	create := func(extra object) object {
		body := object{"client_name": "Bank Control", "language": "en", "country_codes": []string{"US"}, "products": []string{"auth"}, "user": object{"client_user_id": "e-1"}}
		for k, v := range extra {
			body[k] = v
			if v == nil {
				delete(body, k)
			}
		}
		return body
	}
	token := func(v any, extra ...any) object {
		body := object{"access_token": v}
		for i := 0; i < len(extra); i += 2 {
			body[extra[i].(string)] = extra[i+1]
		}
		return body
	}
	us := []string{"US"}
	tests := []struct {
		name, path string
		body       object
		status     int
		code       string
	}{
		{"unknown-route", "/no/such/route", object{}, 404, "NOT_FOUND"},
		{"missing-access-token", "/item/get", object{}, 400, "MISSING_FIELDS"},
		{"null-access-token", "/item/get", object{"access_token": nil}, 400, "MISSING_FIELDS"},
		{"unknown-field", "/item/get", token(good, "extra", 1), 400, "UNKNOWN_FIELDS"},
		{"unknown-nested-field", "/auth/get", token(good, "options", object{"extra": 1}), 400, "UNKNOWN_FIELDS"},
		{"wrong-type", "/item/get", token(1), 400, "INVALID_FIELD"},
		{"options-not-object", "/auth/get", token(good, "options", []int{1}), 400, "INVALID_FIELD"},
		{"consent-identity", "/identity/get", token(linked), 400, "ADDITIONAL_CONSENT_REQUIRED"},
		{"consent-match", "/identity/match", token(linked, "user", object{"legal_name": "A"}), 400, "ADDITIONAL_CONSENT_REQUIRED"},
		{"consent-sync", "/transactions/sync", token(linked), 400, "ADDITIONAL_CONSENT_REQUIRED"},
		{"account-ids-not-array", "/auth/get", token(good, "options", object{"account_ids": "x"}), 400, "INVALID_FIELD"},
		{"account-ids-not-strings", "/auth/get", token(good, "options", object{"account_ids": []int{1}}), 400, "INVALID_FIELD"},
		{"malformed-token", "/item/get", token("nonsense"), 400, "INVALID_ACCESS_TOKEN"},
		{"rotated-token", "/item/get", token(rotated), 400, "INVALID_ACCESS_TOKEN"},
		{"removed-item", "/item/get", token(removed), 400, "ITEM_NOT_FOUND"},
		{"remove-twice", "/item/remove", token(removed), 400, "ITEM_NOT_FOUND"},
		{"unknown-public-token", "/item/public_token/exchange", object{"public_token": "public-sandbox-0"}, 400, "INVALID_PUBLIC_TOKEN"},
		{"used-public-token", "/item/public_token/exchange", object{"public_token": used}, 400, "INVALID_PUBLIC_TOKEN"},
		{"unknown-link-token", "/link/token/get", object{"link_token": "link-sandbox-0"}, 400, "INVALID_LINK_TOKEN"},
		{"accounts-broken", "/accounts/get", token(broken), 400, "ITEM_LOGIN_REQUIRED"},
		{"balance-broken", "/accounts/balance/get", token(broken), 400, "ITEM_LOGIN_REQUIRED"},
		{"identity-broken", "/identity/get", token(broken), 400, "ITEM_LOGIN_REQUIRED"},
		{"sync-broken", "/transactions/sync", token(broken), 400, "ITEM_LOGIN_REQUIRED"},
		{"refresh-broken", "/transactions/refresh", token(broken), 400, "ITEM_LOGIN_REQUIRED"},
		{"identity-not-supported", "/identity/get", token(plain), 400, "PRODUCTS_NOT_SUPPORTED"},
		{"foreign-account", "/auth/get", token(good, "options", object{"account_ids": []any{account}}), 400, "INVALID_ACCOUNT_ID"},
		{"auth-of-credit-only", "/auth/get", token(authOnly, "options", object{"account_ids": []any{credit}}), 400, "NO_AUTH_ACCOUNTS"},
		{"capital-one-no-datetime", "/accounts/balance/get", token(capital), 400, "INVALID_FIELD"},
		{"capital-one-too-fresh", "/accounts/balance/get", token(capital, "options", object{"min_last_updated_datetime": "2030-01-01T00:00:00Z"}), 400, "LAST_UPDATED_DATETIME_OUT_OF_RANGE"},
		{"bad-datetime", "/accounts/balance/get", token(capital, "options", object{"min_last_updated_datetime": "yesterday"}), 400, "INVALID_FIELD"},
		{"foreign-cursor", "/transactions/sync", token(other, "cursor", foreign), 400, "INVALID_FIELD"},
		{"malformed-cursor", "/transactions/sync", token(good, "cursor", "%%%"), 400, "INVALID_FIELD"},
		{"long-cursor", "/transactions/sync", token(good, "cursor", string(make([]byte, 300))), 400, "INVALID_FIELD"},
		{"count-zero", "/transactions/sync", token(good, "count", 0), 400, "INVALID_FIELD"},
		{"count-too-large", "/transactions/sync", token(good, "count", 501), 400, "INVALID_FIELD"},
		{"count-fraction", "/transactions/sync", token(good, "count", 1.5), 400, "INVALID_FIELD"},
		{"bad-pfc-version", "/transactions/sync", token(good, "options", object{"personal_finance_category_version": "v9"}), 400, "INVALID_FIELD"},
		{"get-not-ready", "/transactions/get", token(other, "start_date", "2026-01-01", "end_date", "2026-02-01"), 400, "PRODUCT_NOT_READY"},
		{"get-bad-date", "/transactions/get", token(good, "start_date", "01/01/2026", "end_date", "2026-02-01"), 400, "INVALID_FIELD"},
		{"get-dates-reversed", "/transactions/get", token(good, "start_date", "2026-03-01", "end_date", "2026-02-01"), 400, "INVALID_FIELD"},
		{"get-negative-offset", "/transactions/get", token(good, "start_date", "2026-01-01", "end_date", "2026-02-01", "options", object{"offset": -1}), 400, "INVALID_FIELD"},
		{"recurring-not-ready", "/transactions/recurring/get", token(other), 400, "PRODUCT_NOT_READY"},
		{"institution-unknown", "/institutions/get_by_id", object{"institution_id": "ins_0", "country_codes": us}, 400, "INVALID_INSTITUTION"},
		{"institution-other-country", "/institutions/get_by_id", object{"institution_id": "ins_43", "country_codes": us}, 400, "INVALID_INSTITUTION"},
		{"institution-bad-country", "/institutions/get_by_id", object{"institution_id": "ins_12", "country_codes": []string{"XX"}}, 400, "INVALID_FIELD"},
		{"search-empty", "/institutions/search", object{"query": "", "country_codes": us}, 400, "INVALID_FIELD"},
		{"search-blank", "/institutions/search", object{"query": " ", "country_codes": us}, 400, "INVALID_FIELD"},
		{"search-bad-product", "/institutions/search", object{"query": "x", "country_codes": us, "products": []string{"gold"}}, 400, "INVALID_PRODUCT"},
		{"list-count-too-large", "/institutions/get", object{"count": 501, "offset": 0, "country_codes": us}, 400, "INVALID_FIELD"},
		{"list-no-country", "/institutions/get", object{"count": 1, "offset": 0, "country_codes": []string{}}, 400, "INVALID_FIELD"},
		{"webhook-bad-url", "/item/webhook/update", token(good, "webhook", "not a url"), 400, "INVALID_FIELD"},
		{"key-unknown", "/webhook_verification_key/get", object{"key_id": "0"}, 400, "INVALID_WEBHOOK_VERIFICATION_KEY_ID"},
		{"processor-foreign-account", "/processor/token/create", token(good, "account_id", "x", "processor", "dwolla"), 400, "INVALID_ACCOUNT_ID"},
		{"sandbox-bank", "/sandbox/public_token/create", object{"institution_id": "ins_0", "initial_products": []string{"auth"}}, 400, "INVALID_INSTITUTION"},
		{"sandbox-product", "/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"gold"}}, 400, "INVALID_PRODUCT"},
		{"sandbox-balance", "/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"balance"}}, 400, "INVALID_PRODUCT"},
		{"sandbox-no-products", "/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{}}, 400, "INVALID_FIELD"},
		{"sandbox-bank-lacks-product", "/sandbox/public_token/create", object{"institution_id": "ins_109510", "initial_products": []string{"identity"}}, 400, "INVALID_PRODUCT"},
		{"sandbox-wrong-password", "/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}, "options": object{"override_password": "x"}}, 400, "INVALID_CREDENTIALS"},
		{"sandbox-item-locked", "/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}, "options": object{"override_password": "error_ITEM_LOCKED"}}, 400, "ITEM_LOCKED"},
		{"sandbox-server-error", "/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}, "options": object{"override_password": "error_INTERNAL_SERVER_ERROR"}}, 500, "INTERNAL_SERVER_ERROR"},
		{"sandbox-bank-down", "/sandbox/public_token/create", object{"institution_id": "ins_132361", "initial_products": []string{"auth"}}, 400, "INSTITUTION_DOWN"},
		{"sandbox-bank-gone", "/sandbox/public_token/create", object{"institution_id": "ins_133402", "initial_products": []string{"auth"}}, 400, "INSTITUTION_NO_LONGER_SUPPORTED"},
		{"webhook-not-set", "/sandbox/item/fire_webhook", token(good, "webhook_code", "DEFAULT_UPDATE"), 400, "SANDBOX_WEBHOOK_INVALID"},
		{"webhook-bad-code", "/sandbox/item/fire_webhook", token(good, "webhook_code", "NOPE"), 400, "INVALID_FIELD"},
		{"verification-bad-status", "/sandbox/item/set_verification_status", token(good, "account_id", "x", "verification_status", "maybe"), 400, "INVALID_FIELD"},
		{"verification-foreign-account", "/sandbox/item/set_verification_status", token(good, "account_id", "x", "verification_status", "automatically_verified"), 400, "INVALID_ACCOUNT_ID"},
		{"verification-not-pending", "/sandbox/item/set_verification_status", token(authOnly, "account_id", account, "verification_status", "automatically_verified"), 400, "INVALID_FIELD"},
		{"transactions-create-static-user", "/sandbox/transactions/create", token(good, "transactions", []object{{"date_transacted": "2026-05-01", "date_posted": "2026-05-01", "amount": 1, "description": "x"}}), 400, "INVALID_FIELD"},
		{"transactions-create-none", "/sandbox/transactions/create", token(good, "transactions", []object{}), 400, "INVALID_FIELD"},
		{"create-no-name", "/link/token/create", create(object{"client_name": nil}), 400, "MISSING_FIELDS"},
		{"create-empty-name", "/link/token/create", create(object{"client_name": ""}), 400, "INVALID_FIELD"},
		{"create-no-user", "/link/token/create", create(object{"user": nil}), 400, "MISSING_FIELDS"},
		{"create-no-user-id", "/link/token/create", create(object{"user": object{}}), 400, "MISSING_FIELDS"},
		{"create-unknown-user-field", "/link/token/create", create(object{"user": object{"client_user_id": "1", "nick": "x"}}), 400, "UNKNOWN_FIELDS"},
		{"create-email-as-id", "/link/token/create", create(object{"user": object{"client_user_id": "someone@example.com"}}), 400, "INVALID_FIELD"},
		{"create-phone-as-id", "/link/token/create", create(object{"user": object{"client_user_id": "202-555-0165"}}), 400, "INVALID_FIELD"},
		{"create-bad-phone", "/link/token/create", create(object{"user": object{"client_user_id": "1", "phone_number": "12"}}), 400, "INVALID_FIELD"},
		{"create-bad-email", "/link/token/create", create(object{"user": object{"client_user_id": "1", "email_address": "x"}}), 400, "INVALID_FIELD"},
		{"create-no-products", "/link/token/create", create(object{"products": nil}), 400, "INVALID_FIELD"},
		{"create-balance", "/link/token/create", create(object{"products": []string{"balance"}}), 400, "INVALID_PRODUCT"},
		{"create-unknown-product", "/link/token/create", create(object{"products": []string{"gold"}}), 400, "INVALID_PRODUCT"},
		{"create-overlap", "/link/token/create", create(object{"required_if_supported_products": []string{"auth"}}), 400, "INVALID_FIELD"},
		{"create-overlap-consent", "/link/token/create", create(object{"required_if_supported_products": []string{"identity"}, "additional_consented_products": []string{"identity"}}), 400, "INVALID_FIELD"},
		{"create-no-country", "/link/token/create", create(object{"country_codes": []string{}}), 400, "INVALID_FIELD"},
		{"create-bad-language", "/link/token/create", create(object{"language": "xx"}), 400, "INVALID_FIELD"},
		{"create-redirect-query", "/link/token/create", create(object{"redirect_uri": "https://example.com/?a=1"}), 400, "INVALID_FIELD"},
		{"create-bad-webhook", "/link/token/create", create(object{"webhook": "nowhere"}), 400, "INVALID_FIELD"},
		{"create-lifetime-zero", "/link/token/create", create(object{"hosted_link": object{"url_lifetime_seconds": 0}}), 400, "INVALID_FIELD"},
		{"create-lifetime-too-long", "/link/token/create", create(object{"hosted_link": object{"url_lifetime_seconds": 1814401}}), 400, "INVALID_FIELD"},
		{"create-script-redirect", "/link/token/create", create(object{"hosted_link": object{"completion_redirect_uri": "javascript:alert(1)"}}), 400, "INVALID_FIELD"},
		{"create-days-too-many", "/link/token/create", create(object{"transactions": object{"days_requested": 731}}), 400, "INVALID_FIELD"},
		{"create-flows-clash", "/link/token/create", create(object{"auth": object{"database_insights_enabled": true, "same_day_microdeposits_enabled": true}}), 400, "INVALID_CONFIGURATION"},
		{"create-bad-institution", "/link/token/create", create(object{"institution_id": "ins_0"}), 400, "INVALID_INSTITUTION"},
		{"create-no-use-case", "/link/token/create", create(object{"link_customization_name": "no_use_case"}), 400, "INVALID_LINK_CUSTOMIZATION"},
		{"create-bad-filter", "/link/token/create", create(object{"account_filters": object{"depository": object{"account_subtypes": []string{"gold"}}}}), 400, "INVALID_FIELD"},
		{"update-unknown-token", "/link/token/create", create(object{"products": nil, "access_token": "access-sandbox-0"}), 400, "INVALID_ACCESS_TOKEN"},
		{"update-removed-item", "/link/token/create", create(object{"products": nil, "access_token": removed}), 400, "ITEM_NOT_FOUND"},
		{"update-with-products", "/link/token/create", create(object{"products": []string{"transactions"}, "access_token": good}), 400, "INVALID_FIELD"},
		{"update-unsupported-product", "/link/token/create", create(object{"products": []string{"identity"}, "access_token": plain}), 400, "PRODUCTS_NOT_SUPPORTED"},
		{"update-filter-without-selection", "/link/token/create", create(object{"products": nil, "access_token": good, "account_filters": object{"credit": object{"account_subtypes": []string{"all"}}}}), 400, "INVALID_FIELD"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s.with(t).refused(tt.path, tt.body, tt.status, tt.code)
		})
	}
	t.Logf("%d error cases", len(tests))
}

// TestTransportErrors covers the errors found before a field is read.
func TestTransportErrors(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	json, keys := "application/json", map[string]string{"PLAID-CLIENT-ID": "c", "PLAID-SECRET": "s", "Content-Type": "application/json"}
	tests := []struct {
		name, body string
		headers    map[string]string
		code       string
	}{
		{"no-content-type", "{}", map[string]string{"PLAID-CLIENT-ID": "c", "PLAID-SECRET": "s"}, "INVALID_HEADERS"},
		{"form", "a=b", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, "INVALID_HEADERS"},
		{"not-json", "{", keys, "INVALID_BODY"},
		{"array", "[]", keys, "INVALID_BODY"},
		{"two-values", "{}{}", keys, "INVALID_BODY"},
		{"no-keys", `{"access_token":"x"}`, map[string]string{"Content-Type": json}, "MISSING_FIELDS"},
		{"no-secret", `{"access_token":"x"}`, map[string]string{"Content-Type": json, "PLAID-CLIENT-ID": "c"}, "MISSING_FIELDS"},
		{"empty-client-id", `{"access_token":"x","client_id":"","secret":"s"}`, map[string]string{"Content-Type": json}, "INVALID_FIELD"},
		{"empty-secret", `{"access_token":"x","client_id":"c","secret":""}`, map[string]string{"Content-Type": json}, "INVALID_API_KEYS"},
		{"body-keys", `{"access_token":"x","client_id":"c","secret":"s"}`, map[string]string{"Content-Type": json}, "INVALID_ACCESS_TOKEN"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if status, out := s.with(t).send("/item/get", tt.body, tt.headers); status != http.StatusBadRequest || out["error_code"] != tt.code {
				t.Errorf("got %d %v, want %s", status, out["error_code"], tt.code)
			}
		})
	}
}

func TestUnknownFieldIsNamedWithItsPath(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	out := s.refused("/auth/get", object{"access_token": "x", "options": object{"bogus": 1}}, 400, "UNKNOWN_FIELDS")
	if want := "the following fields are not recognized by this endpoint: options.bogus"; out["error_message"] != want {
		t.Errorf("message is %q", out["error_message"])
	}
}

func TestTokensBelongToTheirClient(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_good", "auth")
	public := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}})["public_token"]
	link, _ := s.link(nil)
	s.client = "client-b"
	s.refused("/item/get", object{"access_token": access}, 400, "INVALID_ACCESS_TOKEN")
	s.refused("/item/public_token/exchange", object{"public_token": public}, 400, "INVALID_PUBLIC_TOKEN")
	s.refused("/link/token/get", object{"link_token": link}, 400, "INVALID_LINK_TOKEN")
}
