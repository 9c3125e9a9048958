package plaidsim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/plaidspec"
)

// publishedUsers are the custom users in testdata, or in the directory that BANKD_CUSTOM_USERS names.
func publishedUsers(t testing.TB) map[string]string {
	t.Helper()
	dir := os.Getenv("BANKD_CUSTOM_USERS")
	if dir == "" {
		dir = filepath.Join("testdata", "custom-users")
	}
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		raw, err := os.ReadFile(path)
		out[filepath.Base(path)] = string(raw)
		return err
	})
	if err != nil || len(out) == 0 {
		t.Fatalf("no custom users in %s: %v", dir, err)
	}
	return out
}

// largeUser is as large as the largest that Plaid publishes: 67,748 bytes with its white space.
func largeUser(t testing.TB) string {
	t.Helper()
	var rows []object
	for i := range 300 {
		rows = append(rows, object{"date_transacted": "2026-04-01", "date_posted": "2026-04-02", "amount": float64(i) + 0.5, "description": fmt.Sprintf("SHOP %d", i), "currency": "USD"})
	}
	raw, err := json.MarshalIndent(object{"override_accounts": []object{{"type": "depository", "subtype": "checking", "transactions": rows}}}, "", "        ")
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// custom makes the Item of a custom user; ok is false if the configuration is refused.
func (s *sim) custom(config string, products ...string) (token any, ok bool) {
	s.t.Helper()
	status, made := s.post("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": products,
		"options": object{"override_username": "user_custom", "override_password": config}})
	if status != http.StatusOK {
		return nil, false
	}
	return s.ok("/item/public_token/exchange", object{"public_token": made["public_token"]})["access_token"], true
}

// TestCustomUsers takes every custom user that Plaid publishes; start holds all replies to Plaid's document.
func TestCustomUsers(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	s.clock.at = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	users := publishedUsers(t)
	users["large"] = largeUser(t)
	if len(users["large"]) < 67_748 {
		t.Fatalf("the large user has %d bytes only", len(users["large"]))
	}
	for name, config := range users {
		token, ok := s.custom(config, "auth", "identity", "transactions")
		if !ok {
			t.Errorf("%s is refused", name)
			continue
		}
		s.clock.add(time.Minute)
		body := object{"access_token": token}
		if len(each(s.ok("/accounts/get", body)["accounts"])) == 0 {
			t.Errorf("%s has no accounts", name)
		}
		s.ok("/identity/get", body)
		s.ok("/transactions/sync", object{"access_token": token, "count": 500})
		if status, got := s.post("/auth/get", body); status != http.StatusOK && got["error_code"] != "NO_AUTH_ACCOUNTS" {
			t.Errorf("%s: Auth: %v", name, got["error_code"])
		}
	}
	t.Logf("%d custom users", len(users))
}

func TestCustomUserDefaults(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	first := func(config string) object {
		token, ok := s.custom(config, "auth")
		if !ok {
			t.Fatalf("%s is refused", config)
		}
		return each(s.ok("/accounts/get", object{"access_token": token})["accounts"])[0]
	}
	for config, want := range map[string]string{
		`{"override_accounts":[{"type":null,"subtype":null,"meta":{"name":null}}]}`:        "depository checking 0000",
		`{"override_accounts":[{"type":"credit","meta":{"mask":"12345"}}]}`:                "credit credit card 2345",
		`{"override_accounts":[{"type":"loan","subtype":"student","numbers":null}]}`:       "loan student 0000",
		`{"override_accounts":[{"numbers":{"account":"9876543210"}}]}`:                     "depository checking 3210",
		`{"override_accounts":[{"type":"payroll","subtype":"payroll"},{"subtype":"hsa"}]}`: "depository hsa 1111",
		`{"ocr_status":"OCR_FAILURE"}`:                                                     "depository checking 0000",
	} {
		a := first(config)
		if got := fmt.Sprint(a["type"], " ", a["subtype"], " ", a["mask"]); got != want {
			t.Errorf("%s: %s, want %s", config, got, want)
		}
	}
	for _, config := range []string{"", "[]", "null", "7", "{", `{"override_accounts":[{"type":"gold"}]}`, `{"override_accounts":[{"subtype":"gold"}]}`,
		`{"override_accounts":[{"starting_balance":"much"}]}`, `{"override_accounts":[` + strings.Repeat("{},", 10) + `{}]}`, `{"x":"` + strings.Repeat("x", 55_000) + `"}`} {
		if _, ok := s.custom(config, "auth"); ok {
			t.Errorf("%.60s is taken", config)
		}
	}
}

// TestCustomUserNumbers: numbers of other countries are given as such, and only as such.
func TestCustomUserNumbers(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	for numbers, want := range map[string]string{
		`{"account":"111122220000","eft_institution":"114","eft_branch":"01533"}`: "eft",
		`{"account":"123456","bacs_sort_code":"123456"}`:                          "bacs",
		`{"international_iban":"IE29AIBK93115212345678","international_bic":"B"}`: "international",
		`{"account":"1111222233335555","ach_routing":"122105155"}`:                "ach",
		`null`: "ach",
	} {
		token, _ := s.custom(`{"override_accounts":[{"type":"depository","subtype":"checking","numbers":`+numbers+`}]}`, "auth")
		got := s.ok("/auth/get", object{"access_token": token})["numbers"].(object)
		for kind, list := range got {
			if n := len(each(list)); n != 1 && kind == want || n != 0 && kind != want {
				t.Errorf("%s: %d numbers in %s, want them in %s", numbers, n, kind, want)
			}
		}
	}
}

func TestCustomUserInflow(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, _ := s.custom(`{"override_accounts":[{"inflow_model":{"type":"monthly-income","income_amount":5125.25,"payment_day_of_month":1,"transaction_name":"PAY"},
		"transactions":[{"date_transacted":"2026-04-20","date_posted":"2026-04-21","amount":12,"description":"SHOP","currency":"CAD"}]}]}`, "transactions")
	s.clock.add(time.Minute)
	incomes := 0
	for _, row := range each(s.ok("/transactions/sync", object{"access_token": token})["added"]) {
		switch row["name"] {
		case "PAY":
			incomes++
			if day, _ := row["date"].(string); !strings.HasSuffix(day, "-01") || row["amount"] != -5125.25 {
				t.Errorf("an income of %v on %s", row["amount"], day)
			}
		case "SHOP":
			if row["iso_currency_code"] != "CAD" {
				t.Errorf("the currency is %v", row["iso_currency_code"])
			}
		}
	}
	if incomes != 3 { // within 90 days
		t.Errorf("%d incomes, want 3", incomes)
	}
}

// hostile are values that a field may be replaced by.
var hostile = []any{nil, "", 0, -1, 1e12, -999999999999.99, 0.0049, 1e308, true, []any{}, object{}, []any{nil}, "x", "\u0000", "\u202e<b>", strings.Repeat("9", 400),
	"2026-04-01", "2026-02-30", "9999-12-31", "depository", "credit", "loan", "investment", "checking", "BTC", "usd", "monthly-income", "monthly-balance-payment",
	json.Number("1e999"), "0000", []any{object{}, object{}}}

// replaced is the configuration with its nth value replaced; text that is no JSON stays as it is.
func replaced(config string, n, by uint16) string {
	var v any
	dec := json.NewDecoder(strings.NewReader(config))
	dec.UseNumber()
	if dec.Decode(&v) != nil {
		return config
	}
	var places []func(any)
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case object:
			for _, key := range slices.Sorted(maps.Keys(v)) {
				places = append(places, func(by any) { v[key] = by })
				walk(v[key])
			}
		case []any:
			for i := range v {
				places = append(places, func(by any) { v[i] = by })
				walk(v[i])
			}
		}
	}
	walk(v)
	if len(places) > 0 {
		places[int(n)%len(places)](hostile[int(by)%len(hostile)])
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return config
	}
	return string(raw)
}

// FuzzCustomUser: no configuration makes the simulator panic, and every one that is taken yields replies that Plaid's
// document allows.
func FuzzCustomUser(f *testing.F) {
	for _, config := range publishedUsers(f) {
		f.Add(config, uint16(0), uint16(0))
	}
	f.Add(`{"override_accounts":[{"type":"depository","subtype":"checking","starting_balance":-1e300,"currency":"XX","meta":{"mask":"é","limit":0},"inflow_model":{"type":"monthly-income","income_amount":1e308,"payment_day_of_month":-3}},{"meta":{"mask":"é"}}],"mfa":{"type":"questions","question_rounds":999999999}}`, uint16(2), uint16(4))
	f.Add(`{"override_accounts":[{"identity":{"names":["","a"],"phone_numbers":[{"data":"1","type":"x"}],"addresses":[{"data":{"street":"s"}}]},"transactions":[{"amount":1e400,"date_posted":"2026-13-01"},{"amount":"1","date_posted":"2026-04-01","description":""}]}]}`, uint16(20), uint16(5))
	var sim fuzzed
	f.Fuzz(func(t *testing.T, config string, n, by uint16) {
		sim.run(t, config)
		sim.run(t, replaced(config, n, by))
	})
}

// fuzzed is a simulator that is begun anew from time to time, for it keeps every Item.
type fuzzed struct {
	server *plaidsim.Server
	rec    *plaidspec.Recorder
	clock  *clock
	runs   int
}

const runsEach = 2000

func (f *fuzzed) run(t *testing.T, config string) {
	if f.runs++; f.server == nil || f.runs%runsEach == 0 {
		if f.server != nil {
			_ = f.server.Close()
		}
		f.clock = newClock()
		server, err := plaidsim.New(context.Background(), plaidsim.Options{Clock: f.clock.now, Limits: plaidsim.LimitsOff, Switches: plaidsim.Switches{FourteenAccounts: true}})
		if err != nil {
			t.Fatal(err)
		}
		f.server, f.rec = server, plaidspec.Wrap(server)
	}
	made := f.post(t, f.server, "/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth", "identity", "transactions"},
		"options": object{"override_username": "user_custom", "override_password": config}})
	if made["public_token"] == nil {
		if code := made["error_code"]; code == nil || code == "INTERNAL_SERVER_ERROR" && !strings.Contains(config, "INTERNAL") {
			t.Fatalf("refused with %v", code)
		}
		return
	}
	token := f.post(t, f.rec, "/item/public_token/exchange", object{"public_token": made["public_token"]})["access_token"]
	f.clock.add(time.Minute)
	for _, path := range []string{"/accounts/get", "/auth/get", "/identity/get", "/transactions/sync", "/transactions/recurring/get", "/item/get"} {
		f.post(t, f.rec, path, object{"access_token": token})
	}
	f.post(t, f.rec, "/identity/match", object{"access_token": token, "user": object{"legal_name": "Alberta Charleson"}})
	f.post(t, f.rec, "/item/remove", object{"access_token": token})
	for _, v := range f.rec.Violations() {
		t.Error(v)
	}
}

func (f *fuzzed) post(t *testing.T, h http.Handler, path string, body object) object {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req := httptest.NewRequest(http.MethodPost, path, bytes.NewReader(raw))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("PLAID-CLIENT-ID", "c")
	req.Header.Set("PLAID-SECRET", "s")
	reply := httptest.NewRecorder()
	h.ServeHTTP(reply, req)
	var out object
	if err := json.Unmarshal(reply.Body.Bytes(), &out); err != nil {
		t.Fatalf("%s: reply is not JSON: %v", path, err)
	}
	if reply.Code >= 500 && path != "/sandbox/public_token/create" {
		t.Fatalf("%s: %d", path, reply.Code)
	}
	return out
}
