package plaidspec

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestRecorderSeesBreaches is the negative control: each wrong request or reply is noticed.
func TestRecorderSeesBreaches(t *testing.T) {
	const good = `{"access_token":"access-x","item_id":"i","request_id":"r"}`
	const failure = `{"error_type":"ITEM_ERROR","error_code":"X","error_message":"m","display_message":null,"request_id":"r"}`
	tests := []struct {
		name, path, request, reply string
		status                     int
		strict                     bool
		want                       string
	}{
		{"good", "/item/public_token/exchange", `{"public_token":"p"}`, good, 200, true, ""},
		{"reply-lacks-field", "/item/public_token/exchange", `{"public_token":"p"}`, `{"access_token":"a","request_id":"r"}`, 200, false, "item_id"},
		{"reply-wrong-type", "/item/public_token/exchange", `{"public_token":"p"}`, `{"access_token":1,"item_id":"i","request_id":"r"}`, 200, false, "access_token"},
		{"reply-no-request-id", "/item/public_token/exchange", `{"public_token":"p"}`, `{"access_token":"a","item_id":"i"}`, 200, false, "request_id"},
		{"request-accepted-wrongly", "/item/public_token/exchange", `{}`, good, 200, false, "request"},
		{"request-refused", "/item/public_token/exchange", `{}`, failure, 400, false, ""},
		{"request-refused-strict", "/item/public_token/exchange", `{}`, failure, 400, true, "request"},
		{"error-wrong-type", "/item/get", `{"access_token":"x"}`, strings.Replace(failure, "ITEM_ERROR", "MY_ERROR", 1), 400, false, "error_type"},
		{"error-not-json", "/item/get", `{"access_token":"x"}`, `<html>`, 502, false, "not JSON"},
		{"error-outside", "/nope", `{}`, `{"error_code":"NOT_FOUND"}`, 404, false, "error"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rec := Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.reply))
			}))
			rec.Strict = tt.strict
			req := httptest.NewRequest(http.MethodPost, tt.path, strings.NewReader(tt.request))
			req.Header.Set("Content-Type", "application/json")
			rec.ServeHTTP(httptest.NewRecorder(), req)
			got := strings.Join(rec.Violations(), "\n")
			if (tt.want == "") != (got == "") || !strings.Contains(got, tt.want) {
				t.Errorf("violations %q, want %q in them", got, tt.want)
			}
			if strings.Contains(got, "access-x") {
				t.Error("a violation repeats a token")
			}
			if !strings.Contains(rec.Report(), "violations") {
				t.Error("the report is empty")
			}
		})
	}
}

func TestFaultsAreSkipped(t *testing.T) {
	rec := Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(faultHeader, "html502")
		w.WriteHeader(http.StatusBadGateway)
	}))
	rec.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/item/get", strings.NewReader("{}")))
	if len(rec.Violations()) != 0 || len(rec.Counts()) != 0 {
		t.Error("an injected fault is judged")
	}
}
