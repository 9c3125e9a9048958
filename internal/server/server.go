// Package server owns the HTTP side of bankd: one table of routes, who is calling, decoding to one call of package
// bank, encoding its answer. It holds no rule of the domain.
package server

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Config is what a Server works with.
type Config struct {
	Bank   *bank.Bank
	Log    *slog.Logger
	Status func() status.Status // read at every call
	Owner  int                  // uid that counts as the local owner, beside root; -1 = none
}

// Server answers the API.
type Server struct {
	bank    *bank.Bank
	log     *slog.Logger
	status  func() status.Status
	owner   int
	routes  []route
	mux     *chi.Mux // only finds a route: ServeMux refuses /ach/{id} beside /{id}/default
	served  map[line]*served
	refused served // stands for what is refused before its route is looked for
	unknown served // and for all routes that there are not
	metrics *metrics
	openapi []byte
}

// New builds the table of routes; it fails where the table does not fit together.
func New(c Config) (*Server, error) {
	s := &Server{bank: c.Bank, log: c.Log, status: c.Status, owner: c.Owner, mux: chi.NewRouter(), served: map[line]*served{}}
	s.metrics = newMetrics(c.Bank)
	s.routes = s.table()
	doc, err := describe(s.routes)
	if err != nil {
		return nil, err
	}
	s.openapi = doc
	s.unknown.Path = "unknown"
	for _, r := range s.routes {
		s.mux.Method(r.Method, r.Path, http.NotFoundHandler()) // which is never called
		s.served[line{r.Method, r.Path}] = s.newServed(r)
	}
	return s, nil
}

// HTTP gives the server with the limits that keep a slow or hostile peer from tying it up.
func (s *Server) HTTP() *http.Server {
	return &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 2 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      3 * time.Minute, // a live balance may take 90 s, a waiting session asks for less
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			uid, err := socket.PeerUID(conn)
			if err != nil {
				uid = -1
			}
			return context.WithValue(ctx, peerKey{}, uid)
		},
	}
}

type peerKey struct{}

// ServeHTTP is the chain around every route: request id, recovery, the checks of headers, log and metrics.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{
		w: w, r: r, started: time.Now(), id: requestID(header(r, "X-Request-Id")), uid: -1, to: &s.refused,
	}
	if uid, ok := r.Context().Value(peerKey{}).(int); ok {
		c.uid = uid
	}
	c.idHeader[0] = c.id
	w.Header()["X-Request-Id"] = c.idHeader[:]
	c.out = rooms.Get().(*room)
	defer s.finish(c)
	if err := foreign(r); err != nil {
		c.fail(err)
		return
	}
	s.serve(c)
}

// finish recovers from a panic, then writes the access log and the metrics.
func (s *Server) finish(c *call) {
	if p := recover(); p != nil {
		// The value may hold data, so only where it happened is told.
		s.log.Error("panic", "request_id", c.id, "stack", string(debug.Stack()))
		c.fail(fault.New(fault.Internal, "internal error").WithHint("see the daemon's log for this request id"))
	}
	took := time.Since(c.started)
	s.metrics.observe(c.to, c.r.Method, c.status, took)
	s.logCall(c, took)
	if c.err != nil && c.err.Code == fault.Internal && c.err.Unwrap() != nil {
		s.log.Error("internal error", "request_id", c.id, "error", c.err.Unwrap().Error())
	}
	c.out.leave()
}

// header gives a header's first value, by the name that net/http keeps it under.
func header(r *http.Request, name string) string {
	if v := r.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// foreign refuses what a browser would send: the API is for programs on this machine.
func foreign(r *http.Request) error {
	if header(r, "Origin") != "" || header(r, "Referer") != "" {
		return fault.New(fault.Forbidden, "calls from a web page are refused")
	}
	host := r.Host
	if host == "bankd" { // as our own client says
		return nil
	}
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if host != "" && host != "localhost" && host != "bankd" {
		return fault.New(fault.Forbidden, "the Host header must be localhost or bankd")
	}
	return nil
}

// serve finds the route, then who is calling, whether they may, what was said before under the same key, and calls.
func (s *Server) serve(c *call) {
	path := cmp.Or(c.r.URL.RawPath, c.r.URL.Path, "/")
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http leaves the body out
	}
	to := s.served[line{method, s.mux.Find(&c.path, method, path)}]
	if to == nil {
		c.to = &s.unknown
		s.noRoute(c, path)
		return
	}
	c.to = to
	rt := &to.route
	values, err := query.Parse(c.r.URL.RawQuery)
	if err != nil {
		c.fail(err)
		return
	}
	c.values = values
	if rt.Raw != nil {
		rt.Raw(c)
		return
	}
	if err := s.admit(c, rt); err != nil {
		c.fail(err)
		return
	}
	s.answer(c, rt)
}

// noRoute refuses a path that there is not, or that is there for other methods.
func (s *Server) noRoute(c *call, path string) {
	var allow []string
	for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
		if s.mux.Match(chi.NewRouteContext(), method, path) {
			allow = append(allow, method)
		}
	}
	if len(allow) == 0 {
		c.fail(fault.New(fault.NotFound, "there is no such route").WithHint("GET /openapi.json lists the routes"))
		return
	}
	if allow[0] == "GET" {
		allow = slices.Insert(allow, 1, "HEAD")
	}
	list := strings.Join(allow, ", ")
	c.w.Header().Set("Allow", list)
	c.refuse(http.StatusMethodNotAllowed, fault.New(fault.BadRequest, "this route is not for that method").WithHint("it takes %s", list))
}

// admit finds out who is calling and whether their role allows this route.
func (s *Server) admit(c *call, rt *route) error {
	if rt.Act == "" {
		return nil
	}
	caller, err := s.caller(c, rt)
	if err != nil {
		return err
	}
	c.caller = caller
	if err := caller.May(rt.Act); err != nil {
		s.noteRefusal(c, rt, err)
		return err
	}
	return nil
}

func (s *Server) caller(c *call, rt *route) (tenant.Caller, error) {
	id, clientSecret := header(c.r, "X-Client-Id"), header(c.r, "X-Client-Secret")
	caller := tenant.Caller{UID: c.uid, RequestID: c.id}
	ctx := c.r.Context()
	if id == "" && clientSecret == "" && rt.Act == tenant.Administer && s.isOwner(c.uid) {
		name := c.r.Header.Get("X-Tenant")
		if name == "" {
			name = tenant.DefaultName
		}
		t, err := s.bank.TenantByName(ctx, name)
		caller.LocalOwner, caller.TenantID = true, t.ID
		return caller, err
	}
	if id == "" || clientSecret == "" {
		return caller, fault.New(fault.Unauthenticated, "this route needs the headers X-Client-ID and X-Client-Secret").
			WithHint("`bankctl init` makes a client")
	}
	client, tenantID, err := s.bank.Authenticate(ctx, id, clientSecret)
	caller.Client, caller.TenantID = client, tenantID
	return caller, err
}

func (s *Server) isOwner(uid int) bool {
	return uid >= 0 && s.owner >= 0 && (uid == s.owner || uid == 0)
}

// OwnUID is the uid that New's Owner usually is.
func OwnUID() int { return os.Getuid() }

// noteRefusal audits what role, scope or capability forbids.
func (s *Server) noteRefusal(c *call, rt *route, err error) {
	code := fault.As(err).Code
	if code != fault.Forbidden && code != fault.CapabilityDisabled || c.caller.TenantID == "" {
		return
	}
	if err := s.bank.Refused(context.WithoutCancel(c.r.Context()), c.caller, rt.Name, code); err != nil {
		s.log.Error("refusal could not be audited", "request_id", c.id, "error", err.Error())
	}
}

// answer runs a route's call, under its Idempotency-Key where it has one, and writes the reply.
func (s *Server) answer(c *call, rt *route) {
	if len(rt.Query) == 0 {
		if err := c.takesNone(); err != nil {
			c.fail(err)
			return
		}
	}
	if err := c.readBody(); err != nil {
		c.fail(err)
		return
	}
	key := header(c.r, "Idempotency-Key")
	if c.r.Method != http.MethodPost || key == "" || c.caller.LocalOwner && c.caller.TenantID == "" {
		s.run(c, rt)
		return
	}
	if len(key) > 255 || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r > '~' }) {
		c.fail(fault.New(fault.BadRequest, "the Idempotency-Key must be 1 to 255 printable characters"))
		return
	}
	ctx, earlier, done, err := s.bank.Begin(c.r.Context(), c.caller, key, c.r.Method+" "+c.r.URL.Path, c.body)
	if err != nil {
		c.fail(err)
		return
	}
	defer done()
	if earlier != nil {
		c.w.Header().Set("Idempotent-Replay", "true")
		c.replay(rt, *earlier)
		return
	}
	c.r = c.r.WithContext(ctx)
	s.run(c, rt)
	if c.status < 500 && c.status != http.StatusTooManyRequests && c.data != nil {
		kept := bank.Reply{Status: c.status, Data: c.data}
		if c.err != nil {
			kept = bank.Reply{Status: c.status, Fault: c.err}
		}
		if err := s.bank.Keep(c.r.Context(), c.caller, kept); err != nil {
			s.log.Error("reply could not be kept", "request_id", c.id, "error", err.Error())
		}
	}
}

func (s *Server) run(c *call, rt *route) {
	reply, info, err := rt.Handle(c)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = fault.New(fault.Unavailable, "the call was given up")
		}
		s.noteRefusal(c, rt, err)
		c.fail(err)
		return
	}
	c.succeed(rt, reply, info)
}
