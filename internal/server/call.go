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

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// maxBody bounds a request's body.
const maxBody = 1 << 20

// call is one request on its way through.
type call struct {
	w        http.ResponseWriter
	r        *http.Request
	id       string
	peer     *peer // nil in tests without a connection
	uid      int
	started  time.Time
	caller   tenant.Caller
	endpoint *endpoint
	values   url.Values // of the query
	body     []byte
	sentAs   map[string]string // the alias that the caller used, by the route's own name for the field
	path     chi.Context       // the router's result: parameters of the path
	out      *replyBuffer      // of the reply

	idHeader, lengthHeader [1]string

	more   pagination // of a listing
	status int
	data   json.RawMessage // of the reply, kept for a replay
	err    *fault.Error
}

// param gives a part of the path by its name in the route.
func (c *call) param(name string) string { return c.path.URLParam(name) }

// requestID uses the caller's id if it is a safe one, else makes one.
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
	c.peer.enter(receiving)
	defer c.peer.enter(working)
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

// failure is the JSON form of every error reply.
type failure struct {
	OK    bool         `json:"ok"`
	Error *fault.Error `json:"error"`
}

// pagination holds a page's numbers; for transactions also the next page's cursor and the time of the oldest sync.
type pagination struct {
	page.Info
	NextCursor string     `json:"next_cursor,omitempty" doc:"Of transactions: gives the page after this one, cheaper than its number"`
	SyncedAt   *time.Time `json:"synced_at,omitempty" doc:"Of transactions: the oldest sync among the connections listed"`
}

func (c *call) fail(err error) {
	f := fault.As(bank.StoreFault(err))
	c.refuse(f.Code.Status(), f)
}

// refuse answers with an error under another status than its code's.
func (c *call) refuse(status int, failed *fault.Error) {
	if c.status != 0 {
		return // a reply was sent already
	}
	f := *failed.WithFieldNames(c.sentName)
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

// sentName gives the name under which the caller sent a field: an alias, or camelCase on S2's routes.
func (c *call) sentName(field string) string {
	if sent, ok := c.sentAs[field]; ok {
		return sent
	}
	if c.endpoint.Bare && c.endpoint.Body != nil && strings.Contains(field, "_") {
		if camel := camelCase(field); jsonFields(c.endpoint.Body)[camel] != nil {
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
