package server

import (
	"bytes"
	"encoding/json"
	"strconv"
	"sync"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/txn"
)

// replyBuffer holds a reply until it is sent.
type replyBuffer struct {
	b    []byte
	enc  *json.Encoder // writes to b
	rows []byte        // of a page that the bank writes
}

// replyBuffers are used again: allocating memory for a page would cost more than writing it.
var replyBuffers = sync.Pool{New: func() any {
	o := &replyBuffer{}
	o.enc = json.NewEncoder(o)
	o.enc.SetEscapeHTML(false) // replies are read by programs, and by people in terminals
	return o
}}

// largestKept bounds the buffers that are kept for the next reply.
const largestKept = 256 << 10

func (o *replyBuffer) Write(p []byte) (int, error) {
	o.b = append(o.b, p...)
	return len(p), nil
}

// encode appends the JSON of a value.
func (o *replyBuffer) encode(v any) error {
	if written, ok := v.(txn.JSON); ok {
		o.b = append(o.b, written...)
		return nil
	}
	err := o.enc.Encode(v)
	o.b = bytes.TrimSuffix(o.b, []byte("\n"))
	return err
}

// release gives the buffer back; nothing may refer to its bytes afterwards.
func (o *replyBuffer) release() {
	if cap(o.b)+cap(o.rows) <= largestKept {
		o.b, o.rows = o.b[:0], o.rows[:0]
		replyBuffers.Put(o)
	}
}

// opening is the text before a reply's data: of S1's envelope, or of S2's list; S2's single objects have none (A33).
func (rt route) opening(listing bool) string {
	switch {
	case !rt.Bare:
		return `{"ok":true,"data":`
	case listing:
		return `{"items":`
	}
	return ""
}

func (c *call) succeed(rt *route, reply any, info *page.Info) {
	opening := rt.opening(info != nil)
	c.out.b = append(c.out.b[:0], opening...)
	if err := c.out.encode(reply); err != nil {
		c.fail(err)
		return
	}
	c.data = c.out.b[len(opening):len(c.out.b):len(c.out.b)]
	status := rt.Status
	if own, ok := reply.(interface{ HTTPStatus() int }); ok {
		status = own.HTTPStatus()
	}
	c.send(rt, status, info)
}

// replay answers with a reply that was kept under the same Idempotency-Key.
func (c *call) replay(rt *route, r bank.Reply) {
	if r.Fault != nil {
		c.fail(r.Fault)
		return
	}
	c.out.b = append(append(c.out.b[:0], rt.opening(false)...), r.Data...)
	c.send(rt, r.Status, nil)
}

// send writes the end of the reply in the call's buffer, and sends it.
func (c *call) send(rt *route, status int, info *page.Info) {
	if info != nil {
		c.more.Info = *info
		c.out.b = append(c.out.b, `,"pagination":`...)
		if err := c.out.encode(&c.more); err != nil {
			c.fail(err)
			return
		}
	}
	if !rt.Bare || info != nil {
		c.out.b = append(c.out.b, '}')
	}
	c.out.b = append(c.out.b, '\n')
	c.bytes(status, asJSON, c.out.b)
}

// Headers of a reply, under the names that net/http writes; their values are shared and never changed.
var (
	asJSON  = []string{"application/json"}
	asText  = []string{"text/plain; charset=utf-8"}
	noStore = []string{"no-store"}
	noSniff = []string{"nosniff"}
)

func (c *call) bytes(status int, contentType []string, b []byte) {
	h := c.w.Header()
	h["Content-Type"], h["Cache-Control"], h["X-Content-Type-Options"] = contentType, noStore, noSniff
	c.lengthHeader[0] = strconv.Itoa(len(b))
	h["Content-Length"] = c.lengthHeader[:]
	c.status = status
	c.peer.enter(sending)
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b)
}
