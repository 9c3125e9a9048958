package banktest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// apiCheck holds every reply of bankd against the OpenAPI document that bankd itself serves, and looks for numbers in
// it.
type apiCheck struct {
	once   sync.Once
	router routers.Router
	mu     sync.Mutex
	found  []string
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
	r := httptest.NewRequest("GET", "http://localhost/openapi.json", nil)
	next.ServeHTTP(w, r)
	doc, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	if err == nil {
		err = doc.Validate(context.Background())
	}
	if err == nil {
		a.router, err = gorillamux.NewRouter(doc)
	}
	if err != nil {
		a.note(fmt.Sprintf("the document itself: %v", err))
	}
}

func (a *apiCheck) check(r *http.Request, status int, h http.Header, body []byte) {
	if leak := Leaked(string(body)); leak != "" {
		a.note(fmt.Sprintf("%s %s replies with %s", r.Method, r.URL.Path, leak))
	}
	if a.router == nil || !strings.HasPrefix(h.Get("Content-Type"), "application/json") {
		return
	}
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // whose answer it is, but for the body
	}
	probe, err := http.NewRequest(method, "http://localhost"+r.URL.Path, nil)
	if err != nil {
		return
	}
	route, params, err := a.router.FindRoute(probe)
	if err != nil {
		if status != http.StatusNotFound && status != http.StatusForbidden && status != http.StatusMethodNotAllowed {
			a.note(fmt.Sprintf("%s %s is answered with %d and not in the document", r.Method, r.URL.Path, status))
		}
		return
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: probe, PathParams: params, Route: route},
		Status:                 status, Header: h, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
	})
	if err != nil {
		a.note(fmt.Sprintf("%s %s answers %d: %v", r.Method, route.Path, status, err))
	}
}

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
