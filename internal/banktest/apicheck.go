package banktest

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// apiCheck validates each reply of bankd against the OpenAPI document that bankd serves, and searches it for account
// numbers and tokens.
type apiCheck struct {
	once  sync.Once
	doc   *apiDoc
	mu    sync.Mutex
	found []string
}

func (a *apiCheck) around(next http.Handler) http.Handler {
	a.once.Do(func() { a.load(next) })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body := &bytes.Buffer{}
		tee := &teeWriter{ResponseWriter: w, body: body, status: http.StatusOK}
		next.ServeHTTP(tee, r)
		a.check(r, tee.status, w.Header(), body.Bytes())
	})
}

func (a *apiCheck) load(next http.Handler) {
	w := httptest.NewRecorder()
	next.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost/openapi.json", nil))
	doc, err := loadAPI(w.Body.Bytes())
	if err != nil {
		a.note(fmt.Sprintf("the document itself: %v", err))
		return
	}
	a.doc = doc
}

func (a *apiCheck) check(r *http.Request, status int, h http.Header, body []byte) {
	searched := string(body)
	if r.URL.Path == "/metrics" { // a sample's value is a measurement, which may look like anything
		searched = sampleValue.ReplaceAllString(searched, "")
	}
	if leak := Leaked(searched); leak != "" {
		a.note(fmt.Sprintf("%s %s replies with %s", r.Method, r.URL.Path, leak))
	}
	if a.doc == nil || !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		return
	}
	route := a.doc.route(r)
	if route == nil {
		if status != http.StatusNotFound && status != http.StatusForbidden && status != http.StatusMethodNotAllowed {
			a.note(fmt.Sprintf("%s %s is answered with %d and not in the document", r.Method, r.URL.Path, status))
		}
		return
	}
	if err := a.doc.validate(route, status, body); err != nil {
		a.note(fmt.Sprintf("%s %s answers %d: %v", r.Method, route.Path, status, err))
	}
}

// sampleValue is the end of a line of Prometheus' text format.
var sampleValue = regexp.MustCompile(`(?m) [0-9.eE+-]+$`)

func (a *apiCheck) note(what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.found) < 20 {
		a.found = append(a.found, what)
	}
}

func (a *apiCheck) broken() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.found
}

// apiDoc is bankd's OpenAPI document, with the schema of each reply compiled once. A schema of OpenAPI 3.1 is a JSON
// schema, so the document is compiled as it stands, references included.
type apiDoc struct {
	router   routers.Router
	mu       sync.Mutex // the compiler is not safe for concurrent use; compiled schemas are
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

// apiDocs holds the documents of this process by their bytes. All daemons of a test run serve the same one.
var apiDocs = struct {
	sync.Mutex
	m map[string]*apiDoc
}{m: map[string]*apiDoc{}}

func loadAPI(raw []byte) (*apiDoc, error) {
	apiDocs.Lock()
	defer apiDocs.Unlock()
	if doc := apiDocs.m[string(raw)]; doc != nil {
		return doc, nil
	}
	doc, err := newAPIDoc(raw)
	if err != nil {
		return nil, err
	}
	apiDocs.m[string(raw)] = doc
	return doc, nil
}

const apiURL = "http://localhost/openapi.json"

func newAPIDoc(raw []byte) (*apiDoc, error) {
	doc, err := openapi3.NewLoader().LoadFromData(raw)
	if err != nil {
		return nil, err
	}
	if err := doc.Validate(context.Background()); err != nil {
		return nil, err
	}
	a := &apiDoc{compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	if a.router, err = gorillamux.NewRouter(doc); err != nil {
		return nil, err
	}
	tree, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	a.compiler.DefaultDraft(jsonschema.Draft2020)
	a.compiler.AssertFormat()
	return a, a.compiler.AddResource(apiURL, tree)
}

func (a *apiDoc) route(r *http.Request) *routers.Route {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // it answers as GET does, without the body
	}
	probe, err := http.NewRequest(method, "http://localhost"+r.URL.Path, nil)
	if err != nil {
		return nil
	}
	route, _, err := a.router.FindRoute(probe)
	if err != nil {
		return nil
	}
	return route
}

func (a *apiDoc) validate(route *routers.Route, status int, body []byte) error {
	schema, err := a.schema(route, status)
	if schema == nil || err != nil {
		return err
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return schema.Validate(value)
}

// schema is that of a route's reply by status; nil if the document gives it no body.
func (a *apiDoc) schema(route *routers.Route, status int) (*jsonschema.Schema, error) {
	key, response := fmt.Sprint(status), route.Operation.Responses.Status(status)
	if response == nil {
		key, response = "default", route.Operation.Responses.Default()
	}
	if response == nil {
		return nil, fmt.Errorf("status is not in the document")
	}
	if response.Value.Content["application/json"] == nil {
		return nil, nil
	}
	at := pointer("paths", route.Path, strings.ToLower(route.Method), "responses", key, "content", "application/json", "schema")
	a.mu.Lock()
	defer a.mu.Unlock()
	if schema := a.schemas[at]; schema != nil {
		return schema, nil
	}
	schema, err := a.compiler.Compile(apiURL + at)
	if err != nil {
		return nil, err
	}
	a.schemas[at] = schema
	return schema, nil
}

// pointer writes a JSON pointer as the fragment of a URL.
func pointer(tokens ...string) string {
	escape := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D")
	var b strings.Builder
	b.WriteString("#")
	for _, token := range tokens {
		b.WriteString("/" + escape.Replace(token))
	}
	return b.String()
}

type teeWriter struct {
	http.ResponseWriter
	body   *bytes.Buffer
	status int
}

func (t *teeWriter) WriteHeader(status int) {
	t.status = status
	t.ResponseWriter.WriteHeader(status)
}

func (t *teeWriter) Write(p []byte) (int, error) {
	t.body.Write(p)
	return t.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the writer itself.
func (t *teeWriter) Unwrap() http.ResponseWriter { return t.ResponseWriter }
