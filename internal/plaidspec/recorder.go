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
	"regexp"
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
	if rec.body.Len() == 0 && req.Context().Err() != nil { // the caller left before there was a reply
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
	err = openapi3filter.ValidateRequest(context.Background(), input)
	if err != nil && (r.Strict || rec.status < 300) && !r.fitsOlder(input, path, body) {
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

// fitsOlder validates a request again after what Plaid takes beyond the document was put in the document's words.
func (r *Recorder) fitsOlder(input *openapi3filter.RequestValidationInput, path string, body []byte) bool {
	older := asOlder(path, body)
	if older == nil {
		return false
	}
	again := *input
	again.Request = input.Request.Clone(context.Background())
	again.Request.Body = io.NopCloser(bytes.NewReader(older))
	again.Request.GetBody = nil // the first validation's, which has the body as it was
	again.Request.ContentLength = int64(len(older))
	return openapi3filter.ValidateRequest(context.Background(), &again) == nil
}

var processorName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// asOlder is a request as the document knows it: null is as if left out, a body may be null where nothing is asked for,
// user_id stands for a user, and there are newer webhook codes and processors. It is nil for what is no JSON object.
func asOlder(path string, body []byte) []byte {
	if path == "/categories/get" && len(body) == 0 {
		return []byte("{}")
	}
	var req map[string]any
	if json.Unmarshal(body, &req) != nil {
		return nil
	}
	if req == nil {
		req = map[string]any{}
	}
	dropNulls(req)
	_, byID := req["user_id"].(string)
	switch path {
	case "/link/token/create":
		if _, given := req["user"]; byID && !given {
			req["user"] = map[string]any{"client_user_id": "x"}
		}
	case "/sandbox/user/reset_login":
		if _, given := req["user_token"]; byID && !given {
			req["user_token"] = "x"
		}
	case "/sandbox/item/fire_webhook":
		if code, _ := req["webhook_code"].(string); slices.Contains([]string{"USER_PERMISSION_REVOKED", "USER_ACCOUNT_REVOKED", "PENDING_DISCONNECT"}, code) {
			req["webhook_code"] = "ERROR"
		}
	case "/processor/token/create":
		if name, _ := req["processor"].(string); processorName.MatchString(name) {
			req["processor"] = "dwolla"
		}
	}
	out, err := json.Marshal(req)
	if err != nil {
		return nil
	}
	return out
}

func dropNulls(v any) {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(_ string, e any) bool { return e == nil })
		for _, e := range v {
			dropNulls(e)
		}
	case []any:
		for _, e := range v {
			dropNulls(e)
		}
	}
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
