package server

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// maxBody bounds a request's body.
const maxBody = 1 << 20

// call is one request on its way through.
type call struct {
	w       http.ResponseWriter
	r       *http.Request
	id      string
	uid     int
	started time.Time
	caller  tenant.Caller
	to      *served
	values  url.Values // of the query
	body    []byte
	sent    map[string]string // how the caller spelled what the route has another name for
	path    chi.Context       // the router's notes
	out     *room             // of the reply

	idHeader, lengthHeader [1]string

	more   pagination // of a listing
	status int
	data   json.RawMessage // what was answered, for a replay
	err    *fault.Error
}

// param gives a part of the path by its name in the route.
func (c *call) param(name string) string { return c.path.URLParam(name) }

// requestID takes the caller's own where it is harmless, or mints one.
func requestID(given string) string {
	if len(given) >= 8 && len(given) <= 64 && store.ValidID(given) {
		return given
	}
	b := make([]byte, 8)
	rand.Read(b)
	return hex.EncodeToString(b)
}

func (c *call) readBody() error {
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead {
		return nil
	}
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return fault.New(fault.TooLarge, "the body is larger than 1 MiB")
		}
		return fault.New(fault.BadRequest, "the body could not be read whole")
	}
	c.body = b
	return nil
}

// failure is the form of every refusal.
type failure struct {
	OK    bool         `json:"ok"`
	Error *fault.Error `json:"error"`
}

// pagination is a page's numbers, and for transactions the cursor of the next page and how fresh they are.
type pagination struct {
	page.Info
	NextCursor string     `json:"next_cursor,omitempty" doc:"Of transactions: gives the page after this one, cheaper than its number"`
	SyncedAt   *time.Time `json:"synced_at,omitempty" doc:"Of transactions: the oldest sync among the connections listed"`
}

func (c *call) fail(err error) {
	f := fault.As(storeFault(err))
	c.refuse(f.Code.Status(), f)
}

// refuse answers with a failure under a status of its own.
func (c *call) refuse(status int, failed *fault.Error) {
	if c.status != 0 {
		return // the reply is on its way already
	}
	f := *failed.Spelled(c.spelled)
	f.RequestID = c.id
	c.err, c.data = &f, json.RawMessage("null")
	if f.RetryAfter > 0 {
		c.w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	c.out.b = c.out.b[:0]
	if err := c.out.encode(failure{Error: &f}); err != nil {
		c.out.b = append(c.out.b[:0], `{"ok":false,"error":{"code":"internal","message":"internal error","hint":"","fields":{},"retryable":false,"request_id":"`+c.id+`"}}`...)
	}
	c.out.b = append(c.out.b, '\n')
	c.bytes(status, asJSON, c.out.b)
}

// spelled names a field as the caller sent it: by its other name, or in S2's family in camelCase.
func (c *call) spelled(field string) string {
	if sent, ok := c.sent[field]; ok {
		return sent
	}
	if c.to.Bare && c.to.Body != nil && strings.Contains(field, "_") {
		if camel := camelCase(field); jsonFields(c.to.Body)[camel] != nil {
			return camel
		}
	}
	return field
}

func camelCase(name string) string {
	first, rest, _ := strings.Cut(name, "_")
	for word := range strings.SplitSeq(rest, "_") {
		first += sentence(word)
	}
	return first
}

// storeFault gives the store's own failures their code.
func storeFault(err error) error {
	if errors.Is(err, store.ErrOutcomeUnknown) || errors.Is(err, store.ErrPoisoned) {
		return fault.New(fault.Unavailable, "the database could not confirm a write: its outcome is unknown").
			WithHint("bankd restarts itself to find out; then look whether it was done, or repeat it under the same Idempotency-Key").Because(err)
	}
	return err
}
