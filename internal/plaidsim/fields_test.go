package plaidsim

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/plaidspec"
	"github.com/getkin/kin-openapi/openapi3"
)

// newerFields exist at Plaid but not in the document that the Go client ships.
var newerFields = []string{
	"/item/remove reason_code", "/item/remove reason_note",
	"/transactions/sync options.account_id", "/transactions/sync options.personal_finance_category_version",
	"/transactions/get options.personal_finance_category_version", "/transactions/recurring/get options.personal_finance_category_version",
	"/link/token/create user_id", "/link/token/create appearance_mode", "/link/token/create payment_configuration",
	"/link/token/create third_party_user_token", "/link/token/create cashflow_report", "/link/token/create cra_options.days_required",
	"/link/token/create cra_options.client_report_id", "/link/token/create cra_options.lend_score", "/link/token/create cra_options.network_insights",
	"/link/token/create cra_options.include_investments", "/link/token/create cra_options.income_insights",
	"/link/token/create account_filters.depository.limited_purpose_types", "/sandbox/public_token/create user_id",
	"/sandbox/user/reset_login user_id", "/user/create identity", "/user/create end_customer", "/user/create with_upgraded_user",
	"/user/create consumer_report_user_identity.ssn_full", "/user/create consumer_report_user_identity.ssn_last_4",
}

// optionalByNow are required in that document, and at Plaid no longer.
var optionalByNow = []string{"/link/token/create user", "/sandbox/user/reset_login user_token"}

// newerRoutes are not in that document.
var newerRoutes = []string{"/sandbox/transactions/create", "/sandbox/user/fire_webhook"}

// TestFieldTable compares fields.txt with Plaid's own document: routes, names, types and required marks.
func TestFieldTable(t *testing.T) {
	t.Parallel()
	doc, err := plaidspec.Spec()
	if err != nil {
		t.Fatal(err)
	}
	for path := range routes {
		root := fieldTable()[path]
		if root == nil {
			t.Errorf("%s has no line in fields.txt", path)
			continue
		}
		op := doc.Paths.Value(path)
		if op == nil {
			if !slices.Contains(newerRoutes, path) {
				t.Errorf("%s is not in the document", path)
			}
			continue
		}
		compareFields(t, path, "", root, op.Post.RequestBody.Value.Content["application/json"].Schema.Value)
	}
	for path := range fieldTable() {
		if _, ok := routes[path]; !ok {
			t.Errorf("%s in fields.txt is not served", path)
		}
	}
}

func compareFields(t *testing.T, path, prefix string, f *field, schema *openapi3.Schema) {
	t.Helper()
	props, required := flatten(schema)
	for _, name := range slices.Sorted(maps.Keys(props)) {
		if prefix == "" && (name == "client_id" || name == "secret") {
			continue
		}
		sub := f.find(name)
		if sub == nil {
			t.Errorf("%s: field %s%s is missing", path, prefix, name)
			continue
		}
		prop := props[name]
		kind := kindOf(prop)
		if sub.kind == "any" {
			continue
		}
		if sub.kind != kind || sub.required != slices.Contains(required, name) && !slices.Contains(optionalByNow, path+" "+prefix+name) {
			t.Errorf("%s: field %s%s is %s required=%v, want %s", path, prefix, name, sub.kind, sub.required, kind)
		}
		if strings.HasPrefix(kind, "[]") {
			prop = prop.Items.Value
		}
		compareFields(t, path, prefix+name+".", sub, prop)
	}
	for _, sub := range f.sub {
		if _, ok := props[sub.name]; !ok && sub.name != "client_id" && sub.name != "secret" && !slices.Contains(newerFields, path+" "+prefix+sub.name) {
			t.Errorf("%s: field %s%s is not Plaid's", path, prefix, sub.name)
		}
	}
}

func flatten(s *openapi3.Schema) (map[string]*openapi3.Schema, []string) {
	props, required := map[string]*openapi3.Schema{}, slices.Clone(s.Required)
	for _, part := range s.AllOf {
		p, r := flatten(part.Value)
		maps.Copy(props, p)
		required = append(required, r...)
	}
	for name, ref := range s.Properties {
		props[name] = ref.Value
	}
	return props, required
}

func kindOf(s *openapi3.Schema) string {
	for _, part := range s.AllOf {
		if s.Type == nil {
			return kindOf(part.Value)
		}
	}
	if s.Type == nil {
		return "object"
	}
	kind := s.Type.Slice()[0]
	if kind == "array" {
		return "[]" + kindOf(s.Items.Value)
	}
	return kind
}

func FuzzCheckFields(f *testing.F) {
	f.Add("/link/token/create", `{"client_name":"x","user":{"client_user_id":1},"products":[null]}`)
	f.Add("/transactions/sync", `{"access_token":"x","count":1e400,"options":[]}`)
	f.Add("/sandbox/transactions/create", `{"access_token":"x","transactions":[1,{"amount":"x"}]}`)
	f.Fuzz(func(t *testing.T, path, body string) {
		root := fieldTable()[path]
		obj, refusal := decodeText(body)
		if root == nil || refusal != nil {
			return
		}
		if err := checkFields(root, obj); err != nil {
			if err.status != 400 || err.code == "" || err.message == "" {
				t.Errorf("refusal is %d %q %q", err.status, err.code, err.message)
			}
			return
		}
		// an accepted request has every required field and no unknown one
		if len(missingFields(root, obj, "")) > 0 || len(unknownFields(root, obj, "")) > 0 {
			t.Error("a wrong body was let through")
		}
	})
}

func FuzzCursor(f *testing.F) {
	f.Add(cursor{Item: "item", From: 1, To: 2, Skip: 3}.String())
	f.Add("e30=")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := parseCursor(text, "item")
		if err != nil {
			return
		}
		again, err := parseCursor(c.String(), "item")
		if err != nil || again != c {
			t.Errorf("cursor %+v becomes %+v, %v", c, again, err)
		}
	})
}

func TestRoutingChecksum(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"011401533": true, "021000021": true, "110000000": true, "333333334": true,
		"021000022": false, "000000000": false, "02100002": false, "02100002x": false} {
		if validRouting(text) != want {
			t.Errorf("routing number %s: valid is %v", text, !want)
		}
	}
}
