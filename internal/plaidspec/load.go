package plaidspec

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

const module = "github.com/plaid/plaid-go/v29"

// spec is the document, its router and the schema of an error.
type spec struct {
	router  routers.Router
	failure *openapi3.Schema
	doc     *openapi3.T
}

// load reads the document once in a process; it takes seconds.
var load = sync.OnceValues(func() (*spec, error) {
	raw, err := Document()
	if err != nil {
		return nil, err
	}
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, fmt.Errorf("load plaid openapi: %w", err)
	}
	doc.Servers = nil
	addNewer(doc)
	router, err := gorillamux.NewRouter(doc)
	if err != nil {
		return nil, fmt.Errorf("route plaid openapi: %w", err)
	}
	failure := doc.Components.Schemas["PlaidError"]
	if failure == nil {
		return nil, fmt.Errorf("plaid openapi has no PlaidError")
	}
	return &spec{router: router, failure: failure.Value, doc: doc}, nil
})

// addNewer lets replies have the values that Plaid added after the document.
func addNewer(doc *openapi3.T) {
	if account := doc.Components.Schemas["AccountBase"]; account != nil && account.Value.Properties["verification_status"] != nil {
		status := account.Value.Properties["verification_status"].Value
		status.Enum = append(status.Enum, "unsent")
	}
	if scope := doc.Components.Schemas["ItemConsentedDataScope"]; scope != nil {
		scope.Value.Enum = append(scope.Value.Enum, "account_balance_info", "account_routing_number", "credit_loan_info")
	}
}

// Document returns the bytes of the OpenAPI document in the module cache.
func Document() ([]byte, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		return nil, fmt.Errorf("find module %s: %w", module, err)
	}
	return os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "api", "openapi.yaml"))
}

// Spec returns the parsed document, for tests that read it themselves.
func Spec() (*openapi3.T, error) {
	s, err := load()
	if err != nil {
		return nil, err
	}
	return s.doc, nil
}
