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
		{"no_such_account", "GET", "/api/v1/bank-accounts/000000000000000000000000", "", 404, "not_found", ""},
		{"odd_id", "GET", "/api/v1/bank-accounts/..%2f..%2fetc", "", 404, "not_found", ""},
		{"no_such_route", "GET", "/api/v2/accounts", "", 404, "not_found", ""},
		{"wrong_method", "PUT", "/api/v1/bank-accounts", "{}", 404, "not_found", ""},
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
