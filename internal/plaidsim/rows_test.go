package plaidsim_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/google/go-cmp/cmp"
)

// The tests TestPlaidRow… hold the simulator to what was settled about Plaid by recorded replies, its own SDKs and its own
// applications; where one caller alone has seen it, both behaviours are tested.

// as starts a simulator whose behaviour of that name is the observed one.
func as(t *testing.T, name string, o plaidsim.Options) *sim {
	t.Helper()
	var err error
	if o.Switches, err = plaidsim.ParseAs(name + "=observed"); err != nil {
		t.Fatal(err)
	}
	return start(t, o)
}

func (s *sim) publicToken(products ...string) any {
	s.t.Helper()
	return s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": products})["public_token"]
}

func TestPlaidRow2(t *testing.T) {
	t.Parallel()
	t.Run("documented", func(t *testing.T) {
		s := start(t, plaidsim.Options{})
		public := s.publicToken("auth")
		s.ok("/item/public_token/exchange", object{"public_token": public})
		s.refused("/item/public_token/exchange", object{"public_token": public}, 400, "INVALID_PUBLIC_TOKEN")
	})
	t.Run("observed", func(t *testing.T) {
		s := as(t, "re-exchange", plaidsim.Options{})
		public := s.publicToken("auth")
		first := s.ok("/item/public_token/exchange", object{"public_token": public})
		s.clock.add(29 * time.Minute)
		again := s.ok("/item/public_token/exchange", object{"public_token": public})
		if again["item_id"] != first["item_id"] || again["access_token"] != first["access_token"] {
			t.Error("a second exchange gives another Item or token")
		}
		s.clock.add(2 * time.Minute)
		s.refused("/item/public_token/exchange", object{"public_token": public}, 400, "INVALID_PUBLIC_TOKEN")
		if n := s.server.Counts()["items"]; n != 1 {
			t.Errorf("%d Items, want 1", n)
		}
	})
	t.Run("rotated", func(t *testing.T) { // the token in force, not the first one
		s := as(t, "re-exchange", plaidsim.Options{})
		public := s.publicToken("auth")
		first := s.ok("/item/public_token/exchange", object{"public_token": public})
		rotated := s.ok("/item/access_token/invalidate", object{"access_token": first["access_token"]})
		if again := s.ok("/item/public_token/exchange", object{"public_token": public}); again["access_token"] != rotated["new_access_token"] {
			t.Error("a second exchange gives a token that was replaced")
		}
	})
	t.Run("removed", func(t *testing.T) {
		s := as(t, "re-exchange", plaidsim.Options{})
		public := s.publicToken("auth")
		first := s.ok("/item/public_token/exchange", object{"public_token": public})
		s.ok("/item/remove", object{"access_token": first["access_token"]})
		s.refused("/item/public_token/exchange", object{"public_token": public}, 400, "ITEM_NOT_FOUND")
	})
}

func TestParseAs(t *testing.T) {
	t.Parallel()
	all, err := plaidsim.ParseAs("all=observed, phone=documented")
	if err != nil || !all.ReExchange || !all.FieldsFirst || all.PhoneStep || all.Production {
		t.Errorf("all but the phone: %+v, %v", all, err)
	}
	for _, text := range []string{"phone", "phone=yes", "nothing=observed", "=observed"} {
		if _, err := plaidsim.ParseAs(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestPlaidRow1: null for an optional field is as if left out, as Plaid's own Quickstart sends it.
func TestPlaidRow1(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	public := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"transactions"}, "options": nil})["public_token"]
	token := s.ok("/item/public_token/exchange", object{"public_token": public})["access_token"]
	s.clock.add(time.Minute)
	if len(each(s.ok("/transactions/sync", object{"access_token": token, "cursor": nil, "count": nil, "options": nil})["added"])) == 0 {
		t.Error("a sync from null has no rows")
	}
	s.ok("/item/webhook/update", object{"access_token": token, "webhook": nil})
	s.ok("/auth/get", object{"access_token": token, "options": object{"account_ids": nil}})
	s.ok("/link/token/create", object{"client_name": "x", "language": "en", "country_codes": []string{"US"}, "user": object{"client_user_id": "e", "legal_name": nil},
		"products": []string{"auth"}, "access_token": nil, "account_filters": object{"loan": nil}, "hosted_link": nil})
	s.ok("/item/remove", object{"access_token": token, "reason_code": nil})
	s.refused("/item/get", object{"access_token": nil}, 400, "MISSING_FIELDS")
}

// TestPlaidRow3 has the scores of six live calls.
func TestPlaidRow3(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, _ := s.item("ins_109508", "user_good", "identity")
	for name, want := range map[string]float64{
		"Alberta Bobbeth Charleson": 100, "Alberta B Charleson": 99, "Alberta Charleson": 99, "Alberta Bobbeth Charlesom": 93, "Xqz Wvkj": 0,
	} {
		if got := at(s.ok("/identity/match", object{"access_token": token, "user": object{"legal_name": name}}), "accounts", 0, "legal_name", "score"); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	other := at(s.ok("/identity/match", object{"access_token": token, "user": object{"legal_name": "Robert Harrison"}}), "accounts", 0, "legal_name", "score")
	if score, _ := other.(float64); score <= 0 || score >= 50 {
		t.Errorf("another person: %v, want more than 0 and less than 50", other)
	}
}

// TestPlaidRow4: nobody was asked for consent to an Item of a sandbox route, so a product that was not listed is added.
func TestPlaidRow4(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, _ := s.item("ins_109508", "user_good", "auth")
	s.ok("/identity/get", object{"access_token": token})
	got := s.ok("/item/get", object{"access_token": token})["item"].(object)
	for key := range got {
		if strings.HasPrefix(key, "consented_") {
			t.Errorf("the Item has %s", key)
		}
	}
	if products := got["products"].([]any); !slices.Contains(products, any("identity")) {
		t.Errorf("products are %v, want identity among them", products)
	}
	linked, _ := s.consented(nil)
	s.refused("/identity/get", object{"access_token": linked}, 400, "ADDITIONAL_CONSENT_REQUIRED")
	if at(s.ok("/item/get", object{"access_token": linked}), "item", "consented_products", 0) != "auth" {
		t.Error("an Item of Link has no consented_products")
	}
}

// TestPlaidRow5: the names that the newest SDK lists are taken, and one that it does not list too.
func TestPlaidRow5(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, _ := s.item("ins_109508", "user_good", "auth")
	account := at(s.ok("/accounts/get", object{"access_token": token}), "accounts", 0, "account_id")
	for _, name := range []string{"dwolla", "kikoff_enterprise", "seamlessach", "paynote", "a_name_of_next_year"} {
		got := s.ok("/processor/token/create", object{"access_token": token, "account_id": account, "processor": name})
		if text, _ := got["processor_token"].(string); !strings.HasPrefix(text, "processor-sandbox-") {
			t.Errorf("%s: the token is of another form", name)
		}
	}
	s.refused("/processor/token/create", object{"access_token": token, "account_id": account, "processor": "No Name!"}, 400, "INVALID_FIELD")
}

func TestPlaidRow6(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	body := object{"client_name": "x", "language": "en", "country_codes": []string{"US"}, "user": object{"client_user_id": "e"}}
	for _, products := range []any{nil, []string{}} {
		body["products"] = products
		if got := s.refused("/link/token/create", body, 400, "INVALID_FIELD"); !strings.Contains(got["error_message"].(string), "must provide at least one product") {
			t.Errorf("the message is %q", got["error_message"])
		}
	}
}

func TestPlaidRow7(t *testing.T) {
	t.Parallel()
	documented := start(t, plaidsim.Options{})
	token, _ := documented.item("ins_128026", "user_good", "auth")
	documented.refused("/accounts/balance/get", object{"access_token": token}, 400, "INVALID_FIELD")
	observed := as(t, "balance-age", plaidsim.Options{})
	token, _ = observed.item("ins_128026", "user_good", "auth")
	observed.ok("/accounts/balance/get", object{"access_token": token})
	observed.refused("/accounts/balance/get", object{"access_token": token, "options": object{"min_last_updated_datetime": "2030-01-01T00:00:00Z"}}, 400, "LAST_UPDATED_DATETIME_OUT_OF_RANGE")
}

func TestPlaidRow8(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	for _, body := range []string{"null", "{}", ""} {
		if status, got := s.send("/categories/get", body, map[string]string{"Content-Type": "application/json"}); status != 200 || len(each(got["categories"])) == 0 {
			t.Errorf("body %q: %d, %v", body, status, got["error_code"])
		}
	}
}

// TestPlaidRow9: user_good has 12 accounts where nothing is chosen, for older callers count them.
func TestPlaidRow9(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]int{"documented": 12, "observed": 14} {
		switches, err := plaidsim.ParseAs("accounts=" + name)
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, plaidsim.Options{Switches: switches})
		token, _ := s.item("ins_109508", "user_good", "auth")
		accounts := each(s.ok("/accounts/get", object{"access_token": token})["accounts"])
		if len(accounts) != want {
			t.Errorf("%s: %d accounts, want %d", name, len(accounts), want)
		}
		for _, a := range accounts {
			if _, has := a["apy"]; has != (want == 14) {
				t.Errorf("%s: account %v has apy: %v", name, a["mask"], has)
			}
		}
	}
}

func TestPlaidRow10(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	made := s.ok("/user/create", object{"client_user_id": "e-1", "identity": object{"name": object{"given_name": "A"}}})
	if again := s.ok("/user/create", object{"client_user_id": "e-1"}); again["user_id"] != made["user_id"] {
		t.Error("the same user has two ids")
	}
	body := object{"client_name": "x", "language": "en", "country_codes": []string{"US"}, "products": []string{"auth"}, "user_id": made["user_id"]}
	s.ok("/link/token/create", body)
	body["user_id"] = "usr_0"
	s.refused("/link/token/create", body, 400, "INVALID_FIELD")
	delete(body, "user_id")
	s.refused("/link/token/create", body, 400, "MISSING_FIELDS")
}

func TestPlaidRow11(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, _ := s.consented(object{"additional_consented_products": []string{"transactions"}})
	scopes := at(s.ok("/item/get", object{"access_token": token}), "item", "consented_data_scopes")
	if diff := cmp.Diff([]any{"account_balance_info", "account_routing_number", "transactions"}, scopes); diff != "" {
		t.Error(diff)
	}
	for _, path := range []string{"/accounts/get", "/auth/get"} {
		if at(s.ok(path, object{"access_token": token}), "item", "consented_data_scopes") != nil {
			t.Errorf("%s has consented_data_scopes", path)
		}
	}
}

func TestPlaidRow12(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, _ := s.item("ins_109508", "user_good", "transactions")
	s.clock.add(time.Minute)
	if _, has := s.ok("/item/get", object{"access_token": token})["item"].(object)["auth_method"]; has {
		t.Error("an Item of transactions alone has auth_method")
	}
	plain := each(s.ok("/transactions/sync", object{"access_token": token})["added"])
	asked := each(s.ok("/transactions/sync", object{"access_token": token, "options": object{"include_original_description": true}})["added"])
	if _, has := plain[0]["original_description"]; has || asked[0]["original_description"] == nil {
		t.Error("original_description is there unasked, or not where it is asked for")
	}
	s.ok("/auth/get", object{"access_token": token})
	if at(s.ok("/item/get", object{"access_token": token}), "item", "auth_method") != "INSTANT_AUTH" {
		t.Error("an Item with Auth has no auth_method")
	}
}

func TestPlaidRow13(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, _ := s.item("ins_109508", "user_good", "auth")
	s.ok("/sandbox/item/reset_login", object{"access_token": token})
	for want, got := range map[string]object{
		"invalid-request-errors": s.refused("/item/get", object{}, 400, "MISSING_FIELDS"),
		"invalid-input-errors":   s.refused("/item/get", object{"access_token": "x"}, 400, "INVALID_ACCESS_TOKEN"),
		"item-errors":            s.refused("/accounts/get", object{"access_token": token}, 400, "ITEM_LOGIN_REQUIRED"),
	} {
		if got["documentation_url"] != "https://plaid.com/docs/?ref=error#"+want {
			t.Errorf("documentation_url is %v, want …#%s", got["documentation_url"], want)
		}
	}
}

func TestPlaidRow14(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	got := s.refused("/item/get", object{"access_token": "access-x"}, 400, "INVALID_ACCESS_TOKEN")
	if text := got["error_message"].(string); !strings.Contains(text, "access-<environment>-<identifier>") {
		t.Errorf("the message is %q", text)
	}
	got = s.refused("/item/get", object{"access_token": "access-sandbox-00000000-0000-0000-0000-000000000000"}, 400, "INVALID_ACCESS_TOKEN")
	if text := got["error_message"].(string); strings.Contains(text, "identifier") {
		t.Errorf("the message of a well-formed token is %q", text)
	}
}

func TestPlaidRow15(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	got := s.refused("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"balance"}}, 400, "INVALID_PRODUCT")
	if text := got["error_message"].(string); !strings.Contains(text, "initialized automatically") {
		t.Errorf("the message is %q", text)
	}
	token, _ := s.item("ins_109508", "user_good", "auth")
	s.ok("/accounts/balance/get", object{"access_token": token})
}

func TestPlaidRow16(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	status, got := s.send("/item/get", `{"access_token":"x"}`, map[string]string{"Content-Type": "application/json", "PLAID-CLIENT-ID": "", "PLAID-SECRET": "s"})
	if status != 400 || got["error_type"] != "INVALID_REQUEST" || got["error_code"] != "INVALID_FIELD" {
		t.Errorf("got %d %v %v", status, got["error_type"], got["error_code"])
	}
}

// TestPlaidRow17: the phone step, which can be taken, mistaken or skipped; a junk session beside a real one.
func TestPlaidRow17(t *testing.T) {
	t.Parallel()
	t.Run("phone", func(t *testing.T) {
		s := as(t, "phone", plaidsim.Options{})
		link, hosted := s.link(nil)
		p := open(t, hosted).want("CONSENT").post("continue", "1").want("SUBMIT_PHONE")
		p = p.post("phone_number", "12").want("SUBMIT_PHONE").complains().post("phone_number", "415-555-0010").want("VERIFY_PHONE")
		p.post("otp", "1").want("VERIFY_PHONE").complains().post("otp", "123456").want("SELECT_INSTITUTION")
		want := []string{"OPEN", "TV SUBMIT_PHONE", "SUBMIT_PHONE", "TV VERIFY_PHONE", "SUBMIT_OTP", "SUBMIT_OTP", "VERIFY_PHONE", "TV SELECT_INSTITUTION"}
		if diff := cmp.Diff(want, eventNames(s.session(link, 0))); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("skip", func(t *testing.T) {
		s := as(t, "phone", plaidsim.Options{})
		link, hosted := s.link(nil)
		open(t, hosted).post("continue", "1").want("SUBMIT_PHONE").post("skip", "1").want("SELECT_INSTITUTION")
		if names := eventNames(s.session(link, 0)); !slices.Contains(names, "SKIP_SUBMIT_PHONE") {
			t.Errorf("events are %v", names)
		}
	})
	t.Run("without", func(t *testing.T) {
		s := start(t, plaidsim.Options{})
		_, hosted := s.link(nil)
		open(t, hosted).want("CONSENT").post("continue", "1").want("SELECT_INSTITUTION")
	})
	t.Run("junk", func(t *testing.T) {
		s := as(t, "junk-session", plaidsim.Options{})
		link, hosted := s.link(nil)
		p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
		p.post("account_ids", p.account("0000")).want("CONNECTED")
		s.clock.add(time.Hour) // after the link's end too
		junk := s.session(link, 1)
		if junk["results"] != nil || junk["finished_at"] != nil || junk["exit"] != nil {
			t.Errorf("the junk session is %v", junk)
		}
		if s.session(link, 0)["results"] == nil {
			t.Error("the session of the user has no results")
		}
	})
	t.Run("no-junk", func(t *testing.T) {
		s := start(t, plaidsim.Options{})
		link, hosted := s.link(nil)
		open(t, hosted)
		if n := len(each(s.ok("/link/token/get", object{"link_token": link})["link_sessions"])); n != 1 {
			t.Errorf("%d sessions, want 1", n)
		}
	})
}

func TestPlaidRow18(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, _ := s.item("ins_109508", "user_good", "transactions")
	s.clock.add(time.Minute)
	confidence := map[any]bool{}
	var newest object
	for _, row := range each(s.ok("/transactions/sync", object{"access_token": token, "count": 500})["added"]) {
		confidence[at(row, "personal_finance_category", "confidence_level")] = true
		if row["name"] == "McDonald's" {
			newest = row
		}
	}
	if len(confidence) != 4 {
		t.Errorf("levels of confidence are %v, want VERY_HIGH to LOW", confidence)
	}
	for _, path := range [][]any{{"website"}, {"logo_url"}, {"location", "store_number"}, {"merchant_category_code"}, {"running_balance"}, {"counterparties", 0, "website"}} {
		if at(newest, path...) == nil {
			t.Errorf("a known merchant's row has no %v", path)
		}
	}
}

func TestPlaidRow19(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	for version, want := range map[string]string{"": "2020-09-14", "2019-05-29": "2019-05-29"} {
		req := httptest.NewRequest(http.MethodPost, "/item/get", strings.NewReader("{}"))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Plaid-Version", version)
		rec := httptest.NewRecorder()
		s.server.ServeHTTP(rec, req)
		if got := rec.Header().Get("Plaid-Version"); got != want {
			t.Errorf("Plaid-Version is %q, want %q", got, want)
		}
		if !strings.HasPrefix(rec.Body.String(), "{\n  \"display_message\": null,\n") {
			t.Error("the reply is not indented by two spaces")
		}
		if !regexp.MustCompile(`"request_id": "[0-9a-f]{15}"`).MatchString(rec.Body.String()) {
			t.Error("request_id is not of 15 lower-case hexadecimal digits")
		}
	}
}

func TestPlaidRow20(t *testing.T) {
	t.Parallel()
	bare := `{"override_accounts":[{"type":"depository","subtype":"checking","transactions":[]}]}`
	for name, wantCursor := range map[string]bool{"documented": true, "observed": false} {
		switches, err := plaidsim.ParseAs("empty-cursor=" + name)
		if err != nil {
			t.Fatal(err)
		}
		s := start(t, plaidsim.Options{Switches: switches})
		public := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"transactions"},
			"options": object{"override_username": "user_custom", "override_password": bare}})["public_token"]
		token := s.ok("/item/public_token/exchange", object{"public_token": public})["access_token"]
		early := s.ok("/transactions/sync", object{"access_token": token, "cursor": nil})
		if early["transactions_update_status"] != "NOT_READY" || early["has_more"] != false || early["next_cursor"] != "" {
			t.Errorf("%s: too early: %v", name, early)
		}
		s.clock.add(time.Minute)
		got := s.ok("/transactions/sync", object{"access_token": token})
		if got["transactions_update_status"] != "HISTORICAL_UPDATE_COMPLETE" || (got["next_cursor"] != "") != wantCursor {
			t.Errorf("%s: %v with cursor %q", name, got["transactions_update_status"], got["next_cursor"])
		}
		full, _ := s.item("ins_109508", "user_good", "transactions")
		s.clock.add(time.Minute)
		if s.ok("/transactions/sync", object{"access_token": full, "count": 500})["next_cursor"] == "" {
			t.Errorf("%s: an Item with transactions has an empty cursor", name)
		}
	}
}

func TestPlaidRow21(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token := s.ok("/item/import", object{"products": []string{"auth"}, "user_auth": object{"user_id": "user_good", "auth_token": "pass_good"}})["access_token"]
	account := at(s.ok("/auth/get", object{"access_token": token}), "accounts", 0, "account_id")
	s.refused("/item/import", object{"products": []string{"auth"}, "user_auth": object{"user_id": "nobody", "auth_token": "x"}}, 400, "INVALID_CREDENTIALS")
	if made := s.ok("/processor/stripe/bank_account_token/create", object{"access_token": token, "account_id": account})["stripe_bank_account_token"]; !strings.HasPrefix(made.(string), "btok_") {
		t.Errorf("the Stripe token is of another form")
	}
	if s.ok("/processor/apex/processor_token/create", object{"access_token": token, "account_id": account})["processor_token"] == nil {
		t.Error("no processor token")
	}
	user := s.ok("/user/create", object{"client_user_id": "e-1"})["user_id"]
	link, hosted := s.link(object{"user": nil, "user_id": user})
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
	p.post("account_ids", p.account("0000")).want("CONNECTED")
	mine, item := s.exchange(s.session(link, 0))
	s.ok("/sandbox/user/reset_login", object{"user_id": user, "item_ids": []string{"another"}})
	s.ok("/accounts/get", object{"access_token": mine})
	s.ok("/sandbox/user/reset_login", object{"user_id": user, "item_ids": []string{item}})
	s.refused("/accounts/get", object{"access_token": mine}, 400, "ITEM_LOGIN_REQUIRED")
	s.ok("/accounts/get", object{"access_token": token})
	s.refused("/sandbox/user/reset_login", object{}, 400, "MISSING_FIELDS")
	s.ok("/sandbox/user/fire_webhook", object{"user_id": user, "webhook_type": "CHECK_REPORT", "webhook_code": "CHECK_REPORT_READY", "webhook": "http://127.0.0.1:1/"})
}
