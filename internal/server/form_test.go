package server_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/socket"
)

// A24, R10, R11: bad input is refused in the documented form; it names the field and echoes nothing.
func TestForm(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	const canary = "9876543210123456"
	ach := `"owner_type":"employer","owner_id":"e1","bank_name":"b","account_type":"checking"`
	for _, c := range []struct {
		name, method, path, body string
		status                   int
		code, field              string
	}{
		{"not_json", "POST", "/api/v1/plaid/exchange", "public_token=" + canary, 400, "bad_request", ""},
		{"an_array", "POST", "/api/v1/plaid/exchange", `["` + canary + `"]`, 400, "bad_request", ""},
		{"two_values", "POST", "/api/v1/plaid/exchange", `{} {}`, 400, "bad_request", ""},
		{"deep_nesting", "POST", "/api/v1/plaid/exchange", strings.Repeat("[", 20000), 400, "bad_request", ""},
		{"wrong_type", "POST", "/api/v1/plaid/exchange", `{"public_token":{"a":"` + canary + `"},"user_id":"u"}`, 400, "bad_request", "public_token"},
		{"number_as_number", "POST", "/api/v1/bank-accounts/ach", `{` + ach + `,"account_number":` + canary + `,"routing_number":"021000021"}`, 400, "bad_request", "account_number"},
		{"unknown_field", "POST", "/api/v1/bank-accounts", `{"user_id":"u","name":"n","bank_name":"b","acount":"` + canary + `"}`, 422, "invalid", "acount"},
		{"field_named_like_a_number", "POST", "/api/v1/bank-accounts", `{"user_id":"u","name":"n","bank_name":"b","` + canary + `":1}`, 422, "invalid", ""},
		{"wrong_checksum", "POST", "/api/v1/bank-accounts/ach", `{` + ach + `,"account_number":"` + canary + `","routing_number":"021000012"}`, 422, "invalid", "routing_number"},
		{"too_long", "POST", "/api/v1/bank-accounts/ach", `{` + ach + `,"account_number":"` + canary + canary + `","routing_number":"021000021"}`, 422, "invalid", "account_number"},
		{"control_characters", "POST", "/api/v1/bank-accounts", `{"user_id":"u","name":"a\u001b[2Jb","bank_name":"b"}`, 422, "invalid", "name"},
		{"broken_utf8", "POST", "/api/v1/bank-accounts", "{\"user_id\":\"u\",\"name\":\"\xff\",\"bank_name\":\"b\"}", 422, "invalid", "name"},
		{"twins_differ", "POST", "/api/v1/plaid/sync-accounts", `{"item_id":"a","plaid_item_id":"b"}`, 422, "invalid", "item_id"},
		{"owner_twins_differ", "POST", "/api/v1/bank-accounts/ach", `{` + ach + `,"employer_id":"e2","account_number":"12345","routing_number":"021000021"}`, 422, "invalid", "owner_id"},
		{"unknown_parameter", "GET", "/api/v1/bank-accounts?employer=e1", "", 422, "invalid", "employer"},
		{"parameter_on_a_post", "POST", "/api/v1/bank-accounts?dry=1", `{}`, 422, "invalid", "dry"},
		{"page_zero", "GET", "/api/v1/bank-accounts?page=0", "", 422, "invalid", "page"},
		{"limit_201", "GET", "/api/v1/bank-accounts?limit=201", "", 422, "invalid", "limit"},
		{"bad_enum", "GET", "/api/v1/bank-accounts/ach?status=verifed", "", 422, "invalid", "status"},
		{"bad_boolean", "GET", "/api/v1/bank-accounts?primary=yes", "", 422, "invalid", "primary"},
		{"twice", "GET", "/api/v1/bank-accounts?limit=5&limit=6", "", 422, "invalid", "limit"},
		{"empty_filter", "GET", "/api/v1/bank-accounts?employer_id=", "", 422, "invalid", "employer_id"}, // A8
		{"empty_without_equals", "GET", "/api/v1/plaid/connections?employer_id", "", 422, "invalid", "employer_id"},
		{"empty_other_spelling", "GET", "/api/v1/plaid/transactions?item_id=", "", 422, "invalid", "item_id"},
		{"empty_page", "GET", "/api/v1/bank-accounts?page=", "", 422, "invalid", "page"},
		{"empty_on_a_delete", "DELETE", "/api/v1/bank-accounts/000000000000000000000000?cascade=", "", 422, "invalid", "cascade"},
		{"broken_escape", "GET", "/api/v1/bank-accounts?employer_id=acme%zz", "", 400, "bad_request", ""}, // A7
		{"semicolon", "GET", "/api/v1/plaid/transactions?employer_id=acme;carrier_id=x", "", 400, "bad_request", ""},
		{"semicolon_on_a_delete", "DELETE", "/api/v1/plaid/connections/000000000000000000000000?ach=keep;x=1", "", 400, "bad_request", ""},
		{"broken_where_none_is_taken", "GET", "/api/v1/status?%zz", "", 400, "bad_request", ""},
		{"broken_on_a_post", "POST", "/api/v1/bank-accounts?%zz", `{}`, 400, "bad_request", ""},
		{"parameter_where_none_is_taken", "GET", "/api/v1/status?x=1", "", 422, "invalid", "x"},
		{"parameter_of_the_path", "GET", "/companies/c1/employees/p1/bankaccounts?employeeId=p2", "", 422, "invalid", "employeeId"},
		{"sent_by_its_other_name", "POST", "/api/v1/plaid/balance", `{"item_id":"nope"}`, 422, "invalid", "item_id"},
		{"sent_as_an_employer", "POST", "/api/v1/bank-accounts/ach", `{"employer_id":"a b","bank_name":"b","account_type":"checking","account_number":"12345","routing_number":"021000021"}`, 422, "invalid", "employer_id"},
		{"owner_of_half", "GET", "/api/v1/bank-accounts?owner_type=employer", "", 422, "invalid", "owner_id"},
		{"owner_of_no_kind", "GET", "/api/v1/bank-accounts?owner_type=bank&owner_id=x", "", 422, "invalid", "owner_type"},
		{"two_owners_of_one", "GET", "/api/v1/bank-accounts/ach?employer_id=a&carrier_id=b", "", 422, "invalid", "carrier_id"},
		{"twins_in_a_query_differ", "GET", "/api/v1/plaid/transactions?item_id=a&plaid_item_id=b", "", 422, "invalid", "plaid_item_id"},
		{"owners_in_a_query_differ", "GET", "/api/v1/bank-accounts?employer_id=a&owner_type=employer&owner_id=b", "", 422, "invalid", "employer_id"},
		{"key_twice", "POST", "/api/v1/bank-accounts", `{"user_id":"u","name":"n","bank_name":"b","name":"` + canary + `"}`, 400, "bad_request", "name"},
		{"key_twice_inside", "POST", "/api/v1/admin/clients", `{"name":"n","role":"viewer","employers":[{"a":1},{"a":1,"a":2}]}`, 400, "bad_request", "a"},
		{"day_that_there_is_not", "GET", "/api/v1/plaid/transactions?date_from=2026-02-30", "", 422, "invalid", "date_from"},
		{"day_zero", "GET", "/api/v1/plaid/transactions?date_to=0000-01-01", "", 422, "invalid", "date_to"},
		{"days_backwards", "GET", "/api/v1/plaid/transactions?date_from=2026-02-02&date_to=2026-02-01", "", 422, "invalid", "date_to"},
		{"before_zero", "GET", "/api/v1/admin/audit?before=0", "", 422, "invalid", "before"},
		{"no_duration", "GET", "/api/v1/plaid/expiring?within=soon", "", 422, "invalid", "within"},
		{"no_moment", "GET", "/api/v1/plaid/transactions/removed?since=yesterday", "", 422, "invalid", "since"},
		{"no_number", "GET", "/api/v1/plaid/transactions?min_cents=1.5", "", 422, "invalid", "min_cents"},
		{"reason_unknown", "GET", "/companies/c1/bankaccounts?reason=because", "", 422, "invalid", "reason"},
		{"no_such_account", "GET", "/api/v1/bank-accounts/000000000000000000000000", "", 404, "not_found", ""},
		{"odd_id", "GET", "/api/v1/bank-accounts/..%2f..%2fetc", "", 404, "not_found", ""},
		{"no_such_route", "GET", "/api/v2/accounts", "", 404, "not_found", ""},
		{"wrong_method", "PUT", "/api/v1/bank-accounts", "{}", 405, "bad_request", ""},
		{"too_large", "POST", "/api/v1/bank-accounts", `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, 413, "too_large", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, reply := b.Call(b.Client, c.method, c.path, c.body)
			if status != c.status || dig(reply, "error.code") != c.code || reply["ok"] != false {
				t.Fatalf("%d %v, want %d %s", status, reply["error"], c.status, c.code)
			}
			fields, _ := dig(reply, "error.fields").(map[string]any)
			if c.field != "" && fields[c.field] == nil {
				t.Errorf("names %v, not %s", fields, c.field)
			}
			if text := fmt.Sprint(reply); strings.Contains(text, canary) || strings.Contains(text, "021000012") {
				t.Errorf("the value is echoed: %s", text)
			}
			if id, _ := dig(reply, "error.request_id").(string); id == "" {
				t.Error("no request id")
			}
		})
	}
	if strings.Contains(b.Log(), canary) {
		t.Error("a refused number is in the log")
	}
}

// Every bad parameter is named at once, with what the route takes and what may have been meant (R84).
func TestEveryBadParameterIsNamed(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	_, reply := b.Call(b.Client, "GET", "/api/v1/plaid/transactions?employer=e&date_from=x&pending=maybe&limit=0&limit=&text="+strings.Repeat("x", 201)+"&currency=", "")
	fields, _ := dig(reply, "error.fields").(map[string]any)
	for _, name := range []string{"employer", "date_from", "pending", "limit", "text", "currency"} {
		if fields[name] == nil {
			t.Errorf("%s is not named: %v", name, fields)
		}
	}
	told := fmt.Sprint(fields["employer"])
	if !strings.Contains(told, "perhaps employer_id is meant; it takes carrier_id, currency, cursor, date_from,") || !strings.Contains(told, "item_id, limit, max_cents") {
		t.Errorf("unknown: %s", told)
	}
}

// Any real day may be asked for, from the year 1 to 9999.
func TestDaysOfAQuery(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for _, q := range []string{"date_from=0001-01-01&date_to=9999-12-31", "date_from=1800-01-01", "date_to=1899-12-31", "date_from=2400-02-29"} {
		for _, path := range []string{"/api/v1/plaid/transactions?", "/api/v1/plaid/transactions/summary?"} {
			if status, reply := b.Call(b.Client, "GET", path+q, ""); status != 200 {
				t.Errorf("%s%s: %d %v", path, q, status, reply)
			}
		}
	}
}

// HEAD answers as GET without the body; a path that is there for other methods says for which.
func TestMethods(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for _, path := range []string{"/api/v1/status", "/healthz", "/openapi.json", "/api/v1/bank-accounts?limit=1", "/api/v1/bank-accounts/000000000000000000000000"} {
		heads := map[string]*http.Response{}
		for _, method := range []string{"GET", "HEAD"} {
			resp, err := b.Client.Raw(t.Context(), method, path, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			heads[method] = resp
		}
		if get, head := heads["GET"], heads["HEAD"]; get.StatusCode != head.StatusCode || head.ContentLength <= 0 || get.Header.Get("Content-Type") != head.Header.Get("Content-Type") {
			t.Errorf("%s: GET %d, HEAD %d of %d bytes", path, get.StatusCode, head.StatusCode, head.ContentLength)
		}
	}
	for _, c := range []struct{ method, path, allow string }{
		{"DELETE", "/api/v1/bank-accounts", "GET, HEAD, POST"}, {"GET", "/api/v1/plaid/exchange", "POST"},
		{"HEAD", "/api/v1/plaid/exchange", "POST"}, {"POST", "/api/v1/status", "GET, HEAD"}, {"BREW", "/healthz", "GET, HEAD"},
		{"PUT", "/api/v1/bank-accounts/x", "GET, HEAD, PATCH, DELETE"}, {"PATCH", "/companies/c1/bankaccounts", "GET, HEAD"},
	} {
		resp, err := b.Client.Raw(t.Context(), c.method, c.path, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != 405 || resp.Header.Get("Allow") != c.allow {
			t.Errorf("%s %s: %d, Allow %q, want %q", c.method, c.path, resp.StatusCode, resp.Header.Get("Allow"), c.allow)
		}
	}
}

func TestHeadersOfWebPagesAreRefused(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	for name, h := range map[string][2]string{"origin": {"Origin", "http://localhost"}, "referer": {"Referer", "http://localhost/"}} {
		if status, _ := b.Call(b.Client, "GET", "/api/v1/status", "", h[0], h[1]); status != 403 {
			t.Errorf("%s: %d", name, status)
		}
	}
	hc := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return socket.Dial(ctx, b.Config.Socket)
	}}}
	for host, want := range map[string]int{"evil.example": 403, "localhost": 200, "localhost:80": 200, "bankd": 200, "127.0.0.1": 403} {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+host+"/api/v1/status", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := hc.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("Host %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
}

// The same key replays the first reply for a day; another body under it is a conflict; a one-time secret is not
// replayed.
func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	body := `{"user_id":"u","name":"n","bank_name":"b","employer_id":"e1"}`
	post := func(c *client.Client, path, body, key string) (int, map[string]any) {
		return b.Call(c, "POST", path, body, "Idempotency-Key", key)
	}
	_, first := post(b.Client, "/api/v1/bank-accounts", body, "k1")
	status, again := post(b.Client, "/api/v1/bank-accounts", body, "k1")
	if status != 201 || dig(first, "data._id") != dig(again, "data._id") {
		t.Errorf("%d: two accounts under one key", status)
	}
	if status, reply := post(b.Client, "/api/v1/bank-accounts", strings.Replace(body, `"n"`, `"m"`, 1), "k1"); status != 409 || dig(reply, "error.code") != "conflict" {
		t.Errorf("another body: %d", status)
	}
	if _, other := post(b.Client, "/api/v1/bank-accounts", body, "k2"); dig(other, "data._id") == dig(first, "data._id") {
		t.Error("another key gives the same account")
	}
	// A refusal is replayed too, and another client's key is its own.
	post(b.Client, "/api/v1/bank-accounts/ach", `{}`, "k3")
	if status, _ := post(b.Client, "/api/v1/bank-accounts/ach", `{}`, "k3"); status != 422 {
		t.Errorf("the replayed refusal is %d", status)
	}
	mint := `{"name":"n","role":"viewer"}`
	_, minted := post(b.Client, "/api/v1/admin/clients", mint, "k4")
	_, replayed := post(b.Client, "/api/v1/admin/clients", mint, "k4")
	if dig(minted, "data.client_secret") == nil || dig(replayed, "data.client_secret") != nil || dig(minted, "data.client_id") != dig(replayed, "data.client_id") {
		t.Error("the secret is shown again, or another client made")
	}
}
