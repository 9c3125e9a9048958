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

// Config holds the parts that a Server is built of.
type Config struct {
	Bank   *bank.Bank
	Log    *slog.Logger
	Status func() status.Status                 // read at every call
	Owner  int                                  // uid of the local owner, beside root; -1 = none
	Damage func() error                         // why nothing of a tenant may be served any more, or nil; read at every call
	Checks func(context.Context) []status.Check // of what surrounds the data, for an examination
}

// Server answers the API.
type Server struct {
	bank      *bank.Bank
	log       *slog.Logger
	status    func() status.Status
	owner     int
	damage    func() error
	checks    func(context.Context) []status.Check
	routes    []route
	mux       *chi.Mux // used to find routes alone: http.ServeMux refuses /ach/{id} beside /{id}/default
	endpoints map[routeKey]*endpoint
	refused   endpoint // counts the calls that are refused before routing
	unknown   endpoint // counts the calls of paths without a route
	metrics   *metrics
	openapi   []byte
}

// New builds the table of routes. It fails if the OpenAPI document cannot be made of it.
func New(c Config) (*Server, error) {
	s := &Server{bank: c.Bank, log: c.Log, status: c.Status, owner: c.Owner, damage: c.Damage, checks: c.Checks, mux: chi.NewRouter(), endpoints: map[routeKey]*endpoint{}}
	s.metrics = newMetrics(c.Bank)
	s.routes = s.table()
	doc, err := describe(s.routes)
	if err != nil {
		return nil, err
	}
	s.openapi = doc
	s.unknown.Path = "unknown"
	for _, r := range s.routes {
		s.mux.Method(r.Method, r.Path, http.NotFoundHandler()) // never called: the mux is used for matching alone
		s.endpoints[routeKey{r.Method, r.Path}] = s.newEndpoint(r)
	}
	return s, nil
}

// HTTP returns a server for the handler, with limits against slow and hostile peers.
func HTTP(handler http.Handler, log *slog.Logger) *http.Server {
	open := &peers{stopped: make(chan struct{})}
	h := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 2 * time.Second,
		ReadTimeout:       30 * time.Second,
		WriteTimeout:      3 * time.Minute, // a live balance may take 90 s, the parameter wait a minute
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			uid, err := socket.PeerUID(conn)
			if err != nil {
				uid = -1
			}
			return context.WithValue(ctx, peerKey{}, open.add(conn, uid))
		},
		ConnState: open.left,
	}
	h.RegisterOnShutdown(open.drain)
	return h
}

type peerKey struct{}

// ServeHTTP runs the chain around every route: request id, recovery, checks of headers, log and metrics.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := &call{
		w: w, r: r, started: time.Now(), id: requestID(header(r, "X-Request-Id")), uid: -1, endpoint: &s.refused,
	}
	if p, ok := r.Context().Value(peerKey{}).(*peer); ok {
		c.peer, c.uid = p, p.uid
		p.enter(working)
	}
	c.idHeader[0] = c.id
	w.Header()["X-Request-Id"] = c.idHeader[:]
	c.out = replyBuffers.Get().(*replyBuffer)
	defer s.finish(c)
	if err := refuseBrowsers(r); err != nil {
		c.fail(err)
		return
	}
	s.serve(c)
}

// finish recovers from a panic, then writes the access log and the metrics.
func (s *Server) finish(c *call) {
	if p := recover(); p != nil {
		// The panic's value may hold data of a tenant: the log gets the stack alone.
		s.log.Error("panic", "request_id", c.id, "stack", string(debug.Stack()))
		c.fail(fault.New(fault.Internal, "internal error").WithHint("see the daemon's log for this request id"))
	}
	took := time.Since(c.started)
	s.metrics.observe(c.endpoint, c.r.Method, c.status, took)
	s.logCall(c, took)
	s.logCause(c)
	c.out.release()
	c.peer.enter(quiet)
}

// logCause logs why a call failed, where the reply does not say so: it does not quote what Plaid or the system said.
func (s *Server) logCause(c *call) {
	cause := fault.Cause(c.err)
	if cause == "" {
		return
	}
	switch c.err.Code {
	case fault.Internal:
		s.log.Error("internal error", "request_id", c.id, "error", cause)
	case fault.PlaidError, fault.PlaidTimeout:
		s.log.Warn("call to Plaid failed", "request_id", c.id, "code", c.err.Code, "error", cause)
	}
}

// header gives a header's first value. The name must be in net/http's canonical form.
func header(r *http.Request, name string) string {
	if v := r.Header[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// refuseBrowsers refuses requests as web pages send them: the API is for programs on this machine.
func refuseBrowsers(r *http.Request) error {
	if header(r, "Origin") != "" || header(r, "Referer") != "" {
		return fault.New(fault.Forbidden, "calls from a web page are refused")
	}
	host := r.Host
	if host == "bankd" { // our own client's
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

// serve finds the route, authorizes the caller, and runs the call or replays an earlier reply.
func (s *Server) serve(c *call) {
	path := cmp.Or(c.r.URL.RawPath, c.r.URL.Path, "/")
	method := c.r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http drops the body of the reply
	}
	to := s.endpoints[routeKey{method, s.mux.Find(&c.path, method, path)}]
	if to == nil {
		c.endpoint = &s.unknown
		s.noRoute(c, path)
		return
	}
	c.endpoint = to
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
	if err := s.authorize(c, rt); err != nil {
		c.fail(err)
		return
	}
	if rt.Stream != nil {
		s.stream(c, rt)
		return
	}
	s.answer(c, rt)
}

// noRoute answers 404 for an unknown path, and 405 for one that exists under other methods.
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

// authorize identifies the caller and checks that their role allows the route.
func (s *Server) authorize(c *call, rt *route) error {
	if rt.Act == "" {
		return nil
	}
	if err := s.damage(); err != nil {
		return fault.New(fault.Unavailable, "the data is damaged: bankd serves and writes nothing more").
			WithHint("stop bankd and restore a backup; the log says what was found").Because(err)
	}
	caller, err := s.caller(c, rt)
	if err != nil {
		return err
	}
	c.caller = caller
	if err := caller.May(rt.Act); err != nil {
		s.auditRefusal(c, rt, err)
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
	client, tenantID, err := s.bank.Authenticate(ctx, id, clientSecret, caller)
	caller.Client, caller.TenantID = client, tenantID
	return caller, err
}

func (s *Server) isOwner(uid int) bool {
	return uid >= 0 && s.owner >= 0 && (uid == s.owner || uid == 0)
}

// OwnUID gives the usual value of Config.Owner.
func OwnUID() int { return os.Getuid() }

// auditRefusal audits a call that role, scope or capability forbids.
func (s *Server) auditRefusal(c *call, rt *route, err error) {
	code := fault.As(err).Code
	if code != fault.Forbidden && code != fault.CapabilityDisabled || c.caller.TenantID == "" {
		return
	}
	if err := s.bank.Refused(context.WithoutCancel(c.r.Context()), c.caller, rt.Name, code); err != nil {
		s.log.Error("cannot audit a refusal", "request_id", c.id, "error", err.Error())
	}
}

// answer runs the call and writes the reply. A reply under an Idempotency-Key is kept, and replayed the next time.
func (s *Server) answer(c *call, rt *route) {
	if len(rt.Query) == 0 {
		if err := c.refuseQuery(); err != nil {
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
			s.log.Error("cannot keep a reply", "request_id", c.id, "error", err.Error())
		}
	}
}

func (s *Server) run(c *call, rt *route) {
	reply, info, err := rt.Handle(c)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			err = fault.New(fault.Unavailable, "the call was given up")
		}
		s.auditRefusal(c, rt, err)
		c.fail(err)
		return
	}
	c.succeed(rt, reply, info)
}
