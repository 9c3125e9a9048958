package server_test

import (
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/bankctl/bankctl/internal/banktest"
)

// The document tells the type of every parameter, its list of values, its range and what it is for.
func TestParametersAreTyped(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	resp, err := b.Client.Raw(t.Context(), "GET", "/openapi.json", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	doc, err := openapi3.NewLoader().LoadFromIoReader(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]string{
		"/api/v1/plaid/transactions date_from":           "string date ",
		"/api/v1/plaid/transactions pending":             "boolean  ",
		"/api/v1/plaid/transactions min_cents":           "integer int64 ",
		"/api/v1/plaid/transactions item_id":             "string  ",
		"/api/v1/plaid/transactions limit":               "integer int64 1-200",
		"/api/v1/plaid/transactions/summary by":          "string  day,week,month,account,category",
		"/api/v1/plaid/transactions/removed since":       "string date-time ",
		"/api/v1/bank-accounts primary":                  "boolean  ",
		"/api/v1/bank-accounts is_primary":               "boolean  ",
		"/api/v1/bank-accounts owner_type":               "string  employer,carrier",
		"/api/v1/bank-accounts/ach status":               "string  active,unverified,pending_verification,verified,verification_failed,disabled",
		"/api/v1/bank-accounts/ach employer_id":          "string  ",
		"/companies/{companyId}/bankaccounts isVerified": "boolean  ",
	} {
		path, name, _ := strings.Cut(at, " ")
		p := doc.Paths.Find(path).Get.Parameters.GetByInAndName("query", name)
		if p == nil {
			t.Errorf("%s is not in the document", at)
			continue
		}
		s := p.Schema.Value
		got := s.Type.Slice()[0] + " " + s.Format + " "
		for i, v := range s.Enum {
			if i > 0 {
				got += ","
			}
			got += v.(string)
		}
		if s.Min != nil && s.Max != nil {
			got += "1-200"
		}
		if got != want {
			t.Errorf("%s: %q, want %q", at, got, want)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for _, p := range op.Parameters {
				if p.Value.In == "query" && p.Value.Description == "" && len(p.Value.Schema.Value.Enum) == 0 {
					t.Errorf("%s %s: %s says nothing", method, path, p.Value.Name)
				}
			}
		}
	}
	if doc.Paths.Find("/companies/{companyId}/employees/{employeeId}/bankaccounts").Get.Parameters.GetByInAndName("query", "employeeId") != nil {
		t.Error("a parameter of the path is one of the query too")
	}
}
