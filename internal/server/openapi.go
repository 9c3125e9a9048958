package server

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/tenant"
)

const schemas = "#/components/schemas/"

// describe makes the OpenAPI 3.1 document. Its schemas come from the types that the handlers decode and encode.
func describe(routes []route) ([]byte, error) {
	reg := huma.NewMapRegistry(schemas, schemaName)
	reg.RegisterTypeAlias(reflect.TypeFor[ach.RoutingNumber](), reflect.TypeFor[string]())
	reg.RegisterTypeAlias(reflect.TypeFor[ach.AccountNumber](), reflect.TypeFor[string]())
	reg.RegisterTypeAlias(reflect.TypeFor[tenant.Scope](), reflect.TypeFor[scopeForm]())
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "bankd", Version: "1",
			Description: "Links bank accounts, keeps them in two layers and verifies them, over a Unix socket. Money is integer minor units; times are RFC 3339 UTC.",
		},
		Servers:    []*huma.Server{{URL: "http://localhost", Description: "over bankd's Unix socket"}},
		Paths:      map[string]*huma.PathItem{},
		Components: &huma.Components{Schemas: reg, SecuritySchemes: security},
	}
	failure := failureResponse(reg)
	for _, r := range routes {
		doc.AddOperation(operation(reg, r, failure))
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("write OpenAPI document: %w", err)
	}
	return b, nil
}

var security = map[string]*huma.SecurityScheme{
	"clientID":     {Type: "apiKey", In: "header", Name: "X-Client-ID"},
	"clientSecret": {Type: "apiKey", In: "header", Name: "X-Client-Secret"},
}

// schemaName puts the package before a type's name, for two packages may have a type of one name: account.AddParams is AccountAddParams.
func schemaName(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	pkg := t.PkgPath()[strings.LastIndex(t.PkgPath(), "/")+1:]
	if pkg == "" || strings.EqualFold(pkg, name) {
		return name
	}
	return strings.ToUpper(pkg[:1]) + pkg[1:] + name
}

// scopeForm stands for a scope in the document.
type scopeForm struct{}

// Schema describes a list of ids, or one of two words.
func (scopeForm) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Description: `List of ids, "*" for all, or "none"`, OneOf: []*huma.Schema{
		{Type: huma.TypeString, Enum: []any{"*", "none"}},
		{Type: huma.TypeArray, Items: &huma.Schema{Type: huma.TypeString}},
	}}
}

func operation(reg huma.Registry, r route, failure *huma.Response) *huma.Operation {
	op := &huma.Operation{
		Method: r.Method, Path: r.Path, OperationID: operationID(r), Summary: r.Summary,
		Responses: map[string]*huma.Response{fmt.Sprint(r.Status): success(reg, r), "default": failure},
	}
	if r.Reply == reflect.TypeFor[connection.Exchanged]() {
		op.Responses["200"] = success(reg, r)
		op.Responses["200"].Description = "The same exchange was made before"
	}
	for _, name := range pathNames(r.Path) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: name, In: "path", Required: true, Schema: text()})
	}
	for _, p := range slices.Concat(r.Query, aliasParams(r.Query)) {
		op.Parameters = append(op.Parameters, &huma.Param{Name: p.Name, In: "query", Description: sentence(p.Doc), Schema: parameter(p)})
	}
	if r.Method == "POST" && r.Act != "" {
		op.Parameters = append(op.Parameters, &huma.Param{Name: "Idempotency-Key", In: "header", Schema: text(),
			Description: "The same key within 24 h gives the first reply again"})
	}
	if r.Body != nil {
		op.RequestBody = &huma.RequestBody{Required: true, Content: content(reg.Schema(r.Body, true, ""))}
	}
	if r.Act != "" {
		op.Security = []map[string][]string{{"clientID": {}, "clientSecret": {}}}
		if r.Act == tenant.Administer {
			op.Security = append(op.Security, map[string][]string{}) // the local owner needs no client
		}
	}
	return op
}

// parameter describes the values that a parameter may have.
func parameter(p query.Param) *huma.Schema {
	s := text()
	for _, word := range p.Enum {
		s.Enum = append(s.Enum, word)
	}
	switch p.Kind {
	case query.Date:
		s.Format = "date"
	case query.Moment:
		s.Format = "date-time"
	case query.Duration:
		s.Examples = []any{"25s", "720h"}
	case query.Boolean:
		s.Type = huma.TypeBoolean
	case query.Integer:
		s.Type, s.Format, s.Minimum, s.Maximum = huma.TypeInteger, "int64", float(p.Min), float(p.Max)
	}
	return s
}

func float(n *int64) *float64 {
	if n == nil {
		return nil
	}
	f := float64(*n)
	return &f
}

// sentence begins a text with a capital letter.
func sentence(doc string) string {
	if doc == "" {
		return ""
	}
	return strings.ToUpper(doc[:1]) + doc[1:]
}

var pathParams = regexp.MustCompile(`\{(\w+)\}`)

// pathNames lists the parameters in a route's path.
func pathNames(path string) []string {
	var names []string
	for _, m := range pathParams.FindAllStringSubmatch(path, -1) {
		names = append(names, m[1])
	}
	return names
}

func text() *huma.Schema { return &huma.Schema{Type: huma.TypeString} }

func content(s *huma.Schema) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Schema: s}}
}

// operationID distinguishes the two paths of each of S2's routes.
func operationID(r route) string {
	if strings.HasPrefix(r.Path, "/companies/") {
		return r.Name + "Unprefixed"
	}
	return r.Name
}

func success(reg huma.Registry, r route) *huma.Response {
	if r.Reply == nil {
		return &huma.Response{Description: r.Summary}
	}
	data := reg.Schema(r.Reply, true, "")
	if r.Bare {
		if r.List {
			data = &huma.Schema{Type: huma.TypeObject, Required: []string{"items", "pagination"}, Properties: map[string]*huma.Schema{
				"items": {Type: huma.TypeArray, Items: data}, "pagination": reg.Schema(reflect.TypeFor[page.Info](), true, ""),
			}}
		}
		return &huma.Response{Description: r.Summary, Content: content(data)}
	}
	s := &huma.Schema{Type: huma.TypeObject, Required: []string{"ok", "data"}, Properties: map[string]*huma.Schema{
		"ok": {Type: huma.TypeBoolean, Enum: []any{true}}, "data": data,
	}}
	if r.List {
		s.Properties["data"] = &huma.Schema{Type: huma.TypeArray, Items: data}
		s.Properties["pagination"] = reg.Schema(reflect.TypeFor[pagination](), true, "")
		s.Required = append(s.Required, "pagination")
	}
	return &huma.Response{Description: r.Summary, Content: content(s)}
}

func failureResponse(reg huma.Registry) *huma.Response {
	return &huma.Response{Description: "What went wrong", Content: content(&huma.Schema{
		Type: huma.TypeObject, Required: []string{"ok", "error"}, Properties: map[string]*huma.Schema{
			"ok": {Type: huma.TypeBoolean, Enum: []any{false}}, "error": reg.Schema(reflect.TypeFor[fault.Error](), true, ""),
		},
	})}
}
