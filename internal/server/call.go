package server

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

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
	w       http.ResponseWriter
	r       *http.Request
	id      string
	uid     int
	started time.Time
	caller  tenant.Caller
	route   string
	body    []byte

	more   pagination // of a listing
	status int
	data   json.RawMessage // what was answered, for a replay
	err    *fault.Error
}

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

func (c *call) succeed(rt route, reply any, info *page.Info) {
	data, written := reply.(json.RawMessage)
	if !written {
		var err error
		if data, err = marshal(reply); err != nil {
			c.fail(err)
			return
		}
	}
	c.data = data
	c.reply(rt, rt.Status, data, info)
}

// reply wraps data in the form of the route's family: S1's envelope, or S2's bare object (A33). The data is JSON already
// and is not read again.
func (c *call) reply(rt route, status int, data json.RawMessage, info *page.Info) {
	b := make([]byte, 0, len(data)+256)
	tail := "}\n"
	switch {
	case !rt.Bare:
		b = append(append(b, `{"ok":true,"data":`...), data...)
	case info != nil:
		b = append(append(b, `{"items":`...), data...)
	default:
		b, tail = append(b, data...), "\n"
	}
	if info != nil {
		c.more.Info = *info
		numbers, err := marshal(c.more)
		if err != nil {
			c.fail(err)
			return
		}
		b = append(append(b, `,"pagination":`...), numbers...)
	}
	c.bytes(status, "application/json", append(b, tail...))
}

// marshal leaves <, > and & as they are: replies are read by programs, and by people in terminals.
func marshal(v any) (json.RawMessage, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// pagination is a page's numbers, and for transactions the cursor of the next page and how fresh they are.
type pagination struct {
	page.Info
	NextCursor string     `json:"next_cursor,omitempty" doc:"Of transactions: gives the page after this one, cheaper than its number"`
	SyncedAt   *time.Time `json:"synced_at,omitempty" doc:"Of transactions: the oldest sync among the connections listed"`
}

// replay answers with what was answered before.
func (c *call) replay(rt route, r bank.Reply) {
	if r.Fault != nil {
		c.fail(r.Fault)
		return
	}
	c.reply(rt, r.Status, r.Data, nil)
}

func (c *call) fail(err error) {
	if c.status != 0 {
		return // the reply is on its way already
	}
	f := *fault.As(storeFault(err))
	f.RequestID = c.id
	c.err, c.data = &f, json.RawMessage("null")
	if f.RetryAfter > 0 {
		c.w.Header().Set("Retry-After", strconv.Itoa(f.RetryAfter))
	}
	b, err := marshal(failure{Error: &f})
	if err != nil {
		b = []byte(`{"ok":false,"error":{"code":"internal","message":"internal error","hint":"","fields":{},"retryable":false,"request_id":"` + c.id + `"}}`)
	}
	c.bytes(f.Code.Status(), "application/json", append(b, '\n'))
}

// storeFault gives the store's own failures their code.
func storeFault(err error) error {
	if errors.Is(err, store.ErrOutcomeUnknown) || errors.Is(err, store.ErrPoisoned) {
		return fault.New(fault.Unavailable, "the database could not confirm a write: its outcome is unknown").
			WithHint("bankd restarts itself to find out; then look whether it was done, or repeat it under the same Idempotency-Key").Because(err)
	}
	return err
}

func (c *call) bytes(status int, contentType string, b []byte) {
	h := c.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(b)))
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	c.status = status
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b)
}
