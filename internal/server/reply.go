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

// room is where a reply is written before it is sent.
type room struct {
	b    []byte
	enc  *json.Encoder // writes to b
	rows []byte        // of a page that the bank writes
}

// rooms are used again: without that, memory for pages would cost more than the pages.
var rooms = sync.Pool{New: func() any {
	o := &room{}
	o.enc = json.NewEncoder(o)
	o.enc.SetEscapeHTML(false) // replies are read by programs, and by people in terminals
	return o
}}

// largestRoom bounds what is kept for the next reply.
const largestRoom = 256 << 10

func (o *room) Write(p []byte) (int, error) {
	o.b = append(o.b, p...)
	return len(p), nil
}

// encode appends the JSON of a value.
func (o *room) encode(v any) error {
	if written, ok := v.(txn.JSON); ok {
		o.b = append(o.b, written...)
		return nil
	}
	err := o.enc.Encode(v)
	o.b = bytes.TrimSuffix(o.b, []byte("\n"))
	return err
}

// leave gives the room back; nothing may hold on to what stands in it.
func (o *room) leave() {
	if cap(o.b)+cap(o.rows) <= largestRoom {
		o.b, o.rows = o.b[:0], o.rows[:0]
		rooms.Put(o)
	}
}

// lead is what stands before a reply's data, by the form of the route's family: S1's envelope, or S2's bare object (A33).
func (rt route) lead(listing bool) string {
	switch {
	case !rt.Bare:
		return `{"ok":true,"data":`
	case listing:
		return `{"items":`
	}
	return ""
}

func (c *call) succeed(rt *route, reply any, info *page.Info) {
	lead := rt.lead(info != nil)
	c.out.b = append(c.out.b[:0], lead...)
	if err := c.out.encode(reply); err != nil {
		c.fail(err)
		return
	}
	c.data = c.out.b[len(lead):len(c.out.b):len(c.out.b)]
	c.send(rt, rt.Status, info)
}

// replay answers with what was answered before.
func (c *call) replay(rt *route, r bank.Reply) {
	if r.Fault != nil {
		c.fail(r.Fault)
		return
	}
	c.out.b = append(append(c.out.b[:0], rt.lead(false)...), r.Data...)
	c.send(rt, r.Status, nil)
}

// send closes the reply in the call's room and sends it.
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
	c.w.WriteHeader(status)
	_, _ = c.w.Write(b)
}
