package plaidspec

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
)

// faultHeader marks replies that the simulator broke on purpose.
const faultHeader = "X-Plaidsim-Fault"

// Recorder is a handler that passes calls on and validates both directions.
type Recorder struct {
	// Strict counts every request that does not fit the document as a
	// violation. Otherwise only one that was answered with success does, so
	// that tests may send wrong requests.
	Strict bool

	next       http.Handler
	spec       *spec
	mu         sync.Mutex
	counts     map[string]int
	outside    map[string]int
	codes      map[string]int
	violations []string
}

// Wrap returns a Recorder around a handler. It panics if the document
// cannot be loaded, since nothing can be validated then.
func Wrap(h http.Handler) *Recorder {
	s, err := load()
	if err != nil {
		panic(err)
	}
	return &Recorder{next: h, spec: s, counts: map[string]int{}, outside: map[string]int{}, codes: map[string]int{}}
}

// ServeHTTP serves pages, the simulator's own paths and unknown ones as they
// are, and API calls under validation.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if strings.HasPrefix(req.URL.Path, "/hl/") || strings.HasPrefix(req.URL.Path, "/simulator/") {
		r.next.ServeHTTP(w, req)
		return
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, "cannot read request", http.StatusBadRequest)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	rec := &capture{ResponseWriter: w, status: http.StatusOK}
	r.next.ServeHTTP(rec, req)
	if rec.hijacked || rec.Header().Get(faultHeader) != "" {
		return
	}
	r.check(req, body, rec)
}

func (r *Recorder) check(req *http.Request, body []byte, rec *capture) {
	path := req.URL.Path
	copied := req.Clone(context.Background())
	copied.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := r.spec.router.FindRoute(copied)
	if err != nil {
		r.note(func() { r.outside[path]++ })
		if rec.status >= 300 {
			r.checkFailure(path, rec)
		}
		return
	}
	r.note(func() { r.counts[path]++ })
	input := &openapi3filter.RequestValidationInput{Request: copied, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc}}
	if err := openapi3filter.ValidateRequest(context.Background(), input); err != nil && (r.Strict || rec.status < 300) && !newer(path, body) {
		r.violate("%s request: %s", path, reason(err))
	}
	if rec.status >= 300 {
		r.checkFailure(path, rec)
		return
	}
	reply := &openapi3filter.ResponseValidationInput{RequestValidationInput: input, Status: rec.status, Header: rec.Header(), Options: input.Options}
	reply.SetBodyBytes(rec.body.Bytes())
	if err := openapi3filter.ValidateResponse(context.Background(), reply); err != nil {
		r.violate("%s reply: %s", path, reason(err))
	}
	r.checkRequestID(path, rec)
}

// newer tells a request that uses a value which Plaid added after the
// document: webhook codes that /sandbox/item/fire_webhook takes by now.
func newer(path string, body []byte) bool {
	var req struct {
		Code string `json:"webhook_code"`
	}
	return path == "/sandbox/item/fire_webhook" && json.Unmarshal(body, &req) == nil &&
		slices.Contains([]string{"USER_PERMISSION_REVOKED", "USER_ACCOUNT_REVOKED", "PENDING_DISCONNECT"}, req.Code)
}

func (r *Recorder) checkFailure(path string, rec *capture) {
	var body map[string]any
	if err := json.Unmarshal(rec.body.Bytes(), &body); err != nil {
		r.violate("%s error reply is not JSON", path)
		return
	}
	if err := r.spec.failure.VisitJSON(body, openapi3.MultiErrors()); err != nil {
		r.violate("%s error reply: %s", path, reason(err))
	}
	code, _ := body["error_code"].(string)
	r.note(func() { r.codes[code]++ })
	r.checkRequestID(path, rec)
}

func (r *Recorder) checkRequestID(path string, rec *capture) {
	var body struct {
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal(rec.body.Bytes(), &body); err != nil || body.RequestID == "" {
		r.violate("%s reply has no request_id", path)
	}
}

// reason describes an error by its place and rule, never by the value.
func reason(err error) string {
	var multi openapi3.MultiError
	if errors.As(err, &multi) && len(multi) > 0 {
		err = multi[0]
	}
	var schema *openapi3.SchemaError
	if errors.As(err, &schema) {
		return fmt.Sprintf("/%s: %s (%s)", strings.Join(schema.JSONPointer(), "/"), schema.SchemaField, schema.Reason)
	}
	var response *openapi3filter.ResponseError
	if errors.As(err, &response) {
		return response.Reason
	}
	return fmt.Sprintf("%T", err)
}

func (r *Recorder) note(do func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	do()
}

func (r *Recorder) violate(format string, args ...any) {
	r.note(func() { r.violations = append(r.violations, fmt.Sprintf(format, args...)) })
}

// Violations are the breaches so far.
func (r *Recorder) Violations() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.violations)
}

// Counts are the validated calls per endpoint of the document.
func (r *Recorder) Counts() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.counts)
}

// ErrorCodes are the error codes seen, with their number.
func (r *Recorder) ErrorCodes() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.codes)
}

// Report tells the counts per endpoint, the codes and the violations.
func (r *Recorder) Report() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	total := 0
	for _, path := range slices.Sorted(maps.Keys(r.counts)) {
		fmt.Fprintf(&b, "%6d %s\n", r.counts[path], path)
		total += r.counts[path]
	}
	for _, path := range slices.Sorted(maps.Keys(r.outside)) {
		fmt.Fprintf(&b, "%6d %s (not in the document)\n", r.outside[path], path)
	}
	fmt.Fprintf(&b, "%d endpoints, %d replies validated, %d distinct error codes, %d violations\n", len(r.counts), total, len(r.codes), len(r.violations))
	for _, v := range r.violations {
		fmt.Fprintf(&b, "violation: %s\n", v)
	}
	return b.String()
}

// Merge adds the counts and violations of another Recorder.
func (r *Recorder) Merge(other *Recorder) {
	other.mu.Lock()
	defer other.mu.Unlock()
	r.note(func() {
		for _, pair := range []struct{ to, from map[string]int }{{r.counts, other.counts}, {r.outside, other.outside}, {r.codes, other.codes}} {
			for key, n := range pair.from {
				pair.to[key] += n
			}
		}
		r.violations = append(r.violations, other.violations...)
	})
}

// capture passes a reply through and keeps a copy.
type capture struct {
	http.ResponseWriter
	status   int
	body     bytes.Buffer
	hijacked bool
}

// WriteHeader keeps the status.
func (c *capture) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

// Write keeps the body.
func (c *capture) Write(b []byte) (int, error) {
	c.body.Write(b)
	return c.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection, which only a
// fault does.
func (c *capture) Unwrap() http.ResponseWriter {
	c.hijacked = true
	return c.ResponseWriter
}
