package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

type object = map[string]any

// reply is what bankd answered to one call.
type reply struct {
	call   string
	status int
	header http.Header
	raw    []byte
	body   any
}

func (r reply) String() string {
	text := string(r.raw)
	if len(text) > 300 {
		text = text[:300] + "…"
	}
	return fmt.Sprintf("%s: %d %s", r.call, r.status, text)
}

// at walks the body: "data.accounts.0._id".
func (r reply) at(path string) any {
	v := r.body
	for key := range strings.SplitSeq(path, ".") {
		switch x := v.(type) {
		case object:
			v = x[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func (r reply) text(path string) string {
	switch x := r.at(path).(type) {
	case string:
		return x
	case json.Number:
		return x.String()
	}
	return ""
}

func (r reply) list(path string) []any {
	l, _ := r.at(path).([]any)
	return l
}

// column returns one key of every row.
func (r reply) column(path, key string) []string {
	var all []string
	for _, row := range r.list(path) {
		o, _ := row.(object)
		all = append(all, fmt.Sprint(o[key]))
	}
	return all
}

// request is one call in full; post, get and the others are short forms.
type request struct {
	method, path string
	by           client
	body         []byte
	header       http.Header
}

// send makes one call and keeps the reply for the searches at the end. It waits once where bankd asks to.
func (w *world) send(q request) reply {
	for attempt := 0; ; attempt++ {
		r, err := w.exchange(q)
		if err != nil {
			return reply{call: q.method + " " + q.path, raw: []byte(err.Error())}
		}
		wait, _ := strconv.Atoi(r.header.Get("Retry-After"))
		if r.status == http.StatusTooManyRequests && attempt == 0 && wait > 0 && wait <= 60 && q.header.Get("X-No-Retry") == "" {
			time.Sleep(time.Duration(wait) * time.Second)
			continue
		}
		if w.lie != nil {
			r = w.lie(r)
		}
		return r
	}
}

func (w *world) exchange(q request) (reply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	hr, err := http.NewRequestWithContext(ctx, q.method, "http://localhost"+q.path, bytes.NewReader(q.body))
	if err != nil {
		return reply{}, err
	}
	for k, v := range q.header {
		hr.Header[k] = v
	}
	if q.by.ID != "" {
		hr.Header.Set("X-Client-Id", q.by.ID)
	}
	if q.by.Secret != "" {
		hr.Header.Set("X-Client-Secret", q.by.Secret)
	}
	res, err := w.http.Do(hr)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return reply{}, err
	}
	w.hear(raw)
	for k, v := range res.Header {
		w.hear([]byte(k + ": " + strings.Join(v, ", ")))
	}
	w.calls++
	return read(reply{call: q.method + " " + q.path, status: res.StatusCode, header: res.Header, raw: raw}), nil
}

// read parses the body anew.
func read(r reply) reply {
	r.body = nil
	d := json.NewDecoder(bytes.NewReader(r.raw))
	d.UseNumber()
	_ = d.Decode(&r.body)
	return r
}

func (w *world) call(by client, method, path string, body any) reply {
	q := request{method: method, path: path, by: by}
	if body != nil {
		q.body, _ = json.Marshal(body)
	}
	return w.send(q)
}

func (w *world) get(by client, path string) reply { return w.call(by, http.MethodGet, path, nil) }
func (w *world) post(by client, path string, body any) reply {
	return w.call(by, http.MethodPost, path, body)
}
func (w *world) patch(by client, path string, body any) reply {
	return w.call(by, http.MethodPatch, path, body)
}
func (w *world) delete(by client, path string) reply {
	return w.call(by, http.MethodDelete, path, nil)
}

// but copies an object with some keys set, or left out where the value is absent.
func but(o object, pairs ...any) object {
	c := object{}
	for k, v := range o {
		c[k] = v
	}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] == absent {
			delete(c, pairs[i].(string))
		} else {
			c[pairs[i].(string)] = pairs[i+1]
		}
	}
	return c
}

type missing struct{}

var absent = missing{}
