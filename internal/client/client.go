// Package client is the whole Go API of bankd: one typed method a route, over its Unix socket. The caller supplies the
// socket's path and the credentials.
package client

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/socket"
)

// maxReply bounds the size of a reply; exports stream through Raw.
const maxReply = 64 << 20

// Client speaks to one bankd. Its fields are set before the first call and not changed after.
type Client struct {
	Socket   string // path of bankd's socket
	ClientID string // empty = act as the local owner, who may administer only
	Secret   string
	Tenant   string // administered as the local owner; empty = default
	Agent    string // User-Agent

	// Named says that the user named the socket: whoever serves it gets the secret. Else the server must be the same user,
	// or root.
	Named bool
	// Starting is how long a first call waits for a bankd that is about to start.
	Starting time.Duration
	// Key is the Idempotency-Key of the first POST; later ones get keys of their own.
	Key string

	// OnReply, if set, is called with each call's method, path, status and duration; bankctl -v prints them.
	OnReply func(method, path string, status int, took time.Duration, requestID string)

	http *http.Client
}

// New makes a client for the daemon on a socket.
func New(path string) *Client {
	c := &Client{Socket: path}
	c.http = &http.Client{
		Transport: &http.Transport{
			DialContext:         func(ctx context.Context, _, _ string) (net.Conn, error) { return c.dial(ctx) },
			MaxIdleConnsPerHost: 16,
			IdleConnTimeout:     30 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c
}

// dial connects, and checks that the server's uid may receive our secret.
func (c *Client) dial(ctx context.Context) (net.Conn, error) {
	conn, err := c.dialStarting(ctx)
	if err != nil || c.Named {
		return conn, err
	}
	if err := socket.CheckServer(conn); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// grace is how long a daemon's process may take to show, mostGrace how long its socket.
const (
	grace     = 200 * time.Millisecond
	mostGrace = 3 * time.Second
)

// dialStarting connects, and waits for a socket that is about to be there: `bankd & bankctl init`.
func (c *Client) dialStarting(ctx context.Context) (net.Conn, error) {
	for began := time.Now(); ; {
		conn, err := socket.Dial(ctx, c.Socket)
		absent := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)
		waited := time.Since(began)
		if err == nil || !absent || waited > min(c.Starting, mostGrace) || waited > grace && !socket.SiblingStarts() {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Close lets idle connections go.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// envelope is the form of every reply but S2's.
type envelope struct {
	OK         bool            `json:"ok"`
	Data       json.RawMessage `json:"data"`
	Pagination json.RawMessage `json:"pagination"`
	Error      *fault.Error    `json:"error"`
}

// call sends one request and reads the "data" of its reply into out, which may be nil.
func (c *Client) call(ctx context.Context, method, path string, q url.Values, body, out any) (page.Info, error) {
	return c.send(ctx, method, path, q, body, out, nil)
}

// get reads the reply of a GET route.
func get[T any](ctx context.Context, c *Client, path string, queries ...any) (out T, err error) {
	_, err = c.send(ctx, "GET", path, query.Encode(queries...), nil, &out, nil)
	return out, err
}

// list reads one page of a listing.
func list[T any](ctx context.Context, c *Client, path string, queries ...any) (rows []T, info page.Info, err error) {
	info, err = c.send(ctx, "GET", path, query.Encode(queries...), nil, &rows, nil)
	return rows, info, err
}

func (c *Client) send(ctx context.Context, method, path string, q url.Values, body, out, more any) (page.Info, error) {
	if strings.HasSuffix(path, "/") || strings.Contains(path, "//") { // an empty id would name another route
		return page.Info{}, fault.Field("id", "must not be empty")
	}
	if len(q) > 0 {
		path += "?" + q.Encode()
	}
	payload, err := encode(body)
	if err != nil {
		return page.Info{}, err
	}
	resp, err := c.Raw(ctx, method, path, nil, payload)
	if err != nil {
		return page.Info{}, err
	}
	defer resp.Body.Close()
	return decode(resp, out, more)
}

func encode(body any) (io.Reader, error) {
	if body == nil {
		return nil, nil
	}
	if w, ok := body.(interface{ Wire() map[string]any }); ok {
		body = w.Wire()
	}
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode request: %w", err)
	}
	return bytes.NewReader(b), nil
}

func decode(resp *http.Response, out, more any) (page.Info, error) {
	b, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return page.Info{}, unreachable(err)
	}
	var e envelope
	if err := json.Unmarshal(b, &e); err != nil {
		return page.Info{}, fault.New(fault.Internal, "bankd answered %d with something that is not its API", resp.StatusCode)
	}
	if resp.StatusCode >= 300 || !e.OK {
		if e.Error == nil {
			return page.Info{}, fault.New(fault.Internal, "bankd answered %d without an error", resp.StatusCode)
		}
		return page.Info{}, e.Error
	}
	var info page.Info
	if len(e.Pagination) > 0 {
		err = json.Unmarshal(e.Pagination, &info)
		if more != nil && err == nil {
			err = json.Unmarshal(e.Pagination, more)
		}
	}
	if out != nil && err == nil {
		err = json.Unmarshal(e.Data, out)
	}
	if err != nil {
		return page.Info{}, fault.New(fault.Internal, "bankd's reply has another form than this bankctl knows").
			WithHint("compare `bankctl version` with `bankctl status`").Because(err)
	}
	return info, nil
}

// Raw sends one request as it is and hands back the reply unread; the caller closes its body.
func (c *Client) Raw(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://bankd"+path, body)
	if err != nil {
		return nil, fault.Field("path", "must be a path such as /api/v1/status")
	}
	for k, v := range header {
		req.Header[k] = v
	}
	c.sign(req)
	started := time.Now()
	resp, err := c.answer(req, patience(method, req.URL))
	for err == nil && resp.Header.Get("X-Bankd-Starting") != "" && time.Since(started) < c.Starting {
		if resp, err = c.again(req, resp); err == nil {
			resp, err = c.answer(req, patience(method, req.URL))
		}
	}
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	if c.OnReply != nil {
		c.OnReply(method, path, resp.StatusCode, time.Since(started), resp.Header.Get("X-Request-ID"))
	}
	return resp, nil
}

func (c *Client) sign(req *http.Request) {
	if c.Agent != "" {
		req.Header.Set("User-Agent", c.Agent)
	}
	if c.ClientID != "" {
		req.Header.Set("X-Client-ID", c.ClientID)
		req.Header.Set("X-Client-Secret", c.Secret)
	} else if c.Tenant != "" {
		req.Header.Set("X-Tenant", c.Tenant)
	}
	if req.Body != nil && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	if req.Method == http.MethodPost && req.Header.Get("Idempotency-Key") == "" && c.Key != "" {
		req.Header.Set("Idempotency-Key", c.Key)
		c.Key = ""
	}
	if req.Method == http.MethodPost && req.Header.Get("Idempotency-Key") == "" {
		// The transport repeats a call after a lost connection; the key makes sure that it is done once. Other retries get new keys.
		key := make([]byte, 16)
		rand.Read(key)
		req.Header.Set("Idempotency-Key", hex.EncodeToString(key))
	}
}

func (c *Client) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if slow, ok := errors.AsType[slowError](err); ok {
		return fault.New(fault.Unavailable, "bankd did not answer within %s", time.Duration(slow)).
			WithHint("look whether it was stopped (`ps`), and at its log; what was asked may have been done")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Unavailable, "bankd is not running: there is no socket at %s", c.Socket).
			WithHint("start it with `bankd`, or try everything first with `bankctl demo`")
	}
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fault.New(fault.Unavailable, "bankd is not running: nothing answers on %s", c.Socket).
			WithHint("start it with `bankd`")
	}
	if errors.Is(err, fs.ErrPermission) {
		return fault.New(fault.Unavailable, "the socket %s belongs to another user", c.Socket).
			WithHint("run bankctl as the user that runs bankd")
	}
	if errors.Is(err, socket.ErrForeignServer) {
		return fault.New(fault.Unavailable, "another user answers on %s: nothing was sent", c.Socket).
			WithHint("check the path; if it is right, name it with --socket or BANKD_SOCKET")
	}
	return unreachable(err)
}

func unreachable(err error) error {
	return fault.New(fault.Unavailable, "bankd did not answer: %v", rootCause(err)).Because(err)
}

func rootCause(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}
