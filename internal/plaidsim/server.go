package plaidsim

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Store keeps the whole state as bytes. Load returns nil, nil when empty.
type Store interface {
	Load(ctx context.Context) ([]byte, error)
	Save(ctx context.Context, b []byte) error
}

// plaidVersion is the version of the API that a caller gets who names none.
const plaidVersion = "2020-09-14"

// Ready sets how long after an Item's start its transactions become available.
type Ready struct{ Initial, History time.Duration }

// Options configures a Server. The zero value gives a complete simulator in memory.
type Options struct {
	Seed       int64
	Store      Store            // nil: in memory only
	Clock      func() time.Time // nil: time.Now
	Ready      Ready            // zero: 1s, 2s
	Limits     Limits           // empty: sandbox
	Faults     []Fault
	WebhookAny bool         // send webhooks to hosts other than loopback too
	Logger     *slog.Logger // nil: no log; tokens and numbers are never logged
	BaseURL    string       // of this server, for hosted_link_url
	Switches   Switches

	WebhookRetry     WebhookRetry  // zero: 250ms, then doubled up to 30s, for 10 minutes
	WebhookDuplicate int           // extra copies sent of each webhook
	WebhookShuffle   time.Duration // delay each webhook at random by up to this, so that they arrive out of order
}

// Server is the simulator, an http.Handler.
type Server struct {
	opt      Options
	log      *slog.Logger
	mu       sync.Mutex // guards st, ids, limits, base, counts, due, and hooks.inFlight
	st       *state
	ids      ids
	limits   limiter
	base     string
	counts   map[string]int
	byOpaque map[string]*linkToken
	due      dueList
	save     saver
	faults   faultSet
	hooks    *hookSender
	requests atomic.Uint64
	done     chan struct{}
	closed   sync.Once
	workers  sync.WaitGroup
}

// New loads the saved state, if any, and starts the background work.
func New(ctx context.Context, o Options) (*Server, error) {
	o = withDefaults(o)
	limits, err := ParseLimits(string(o.Limits))
	if err != nil {
		return nil, err
	}
	st, err := loadState(ctx, o.Store)
	if err != nil {
		return nil, err
	}
	if st.Seed == 0 {
		st.Seed = o.Seed
	}
	o.Seed = st.Seed
	st.Boot++
	s := &Server{opt: o, log: o.Logger, st: st, base: strings.TrimSuffix(o.BaseURL, "/"),
		ids:    ids{seed: o.Seed, boot: st.Boot},
		limits: limiter{set: limits, windows: map[string]*window{}},
		counts: map[string]int{}, byOpaque: map[string]*linkToken{}, save: saver{store: o.Store, changed: 1}, done: make(chan struct{})}
	s.hooks = newHookSender(s)
	if err := s.ensureKey(); err != nil {
		return nil, err
	}
	s.faults.set(o.Faults, o.Clock())
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	for _, it := range st.Items {
		s.schedule(it)
	}
	for _, lt := range st.Links {
		if lt.Opaque != "" {
			s.byOpaque[lt.Opaque] = lt
		}
	}
	s.hooks.start()
	s.workers.Add(1)
	go s.tick()
	return s, nil
}

func withDefaults(o Options) Options {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Ready == (Ready{}) {
		o.Ready = Ready{Initial: time.Second, History: 2 * time.Second}
	}
	o.WebhookRetry = o.WebhookRetry.orDefault()
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}

// SetBaseURL sets the server's own address, once it is known.
func (s *Server) SetBaseURL(u string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.base = strings.TrimSuffix(u, "/")
}

// SetFaults replaces the injected faults.
func (s *Server) SetFaults(f []Fault) { s.faults.set(f, s.now()) }

// Counts returns the number of requests per route, and under "items" the
// number of Items made and not removed.
func (s *Server) Counts() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := maps.Clone(s.counts)
	out["items"] = 0
	for _, it := range s.st.Items {
		if !it.Removed {
			out["items"]++
		}
	}
	return out
}

// Close stops the background work and saves the last changes.
func (s *Server) Close() error {
	s.closed.Do(func() { close(s.done) })
	s.hooks.stop()
	s.workers.Wait()
	return s.flushUncancelled(context.Background())
}

func (s *Server) now() time.Time { return s.opt.Clock() }

func (s *Server) requestID() string {
	g := ids{seed: s.opt.Seed, boot: s.st.Boot, counter: s.requests.Add(1)}
	return g.hex("request", 15)
}

// ServeHTTP answers the API, the pages and the events.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == eventsPath {
		s.serveEvents(w, r)
		return
	}
	page := strings.HasPrefix(r.URL.Path, "/hl/")
	if !page {
		s.count(r.URL.Path) // before a fault, which may reach the caller sooner than the count
	}
	fault, faulty := s.faults.take(r.URL.Path, s.now())
	if faulty && s.inject(w, r, fault) {
		return
	}
	if page {
		s.servePage(w, r)
		return
	}
	requestID := s.requestID()
	reply, apiErr := s.answer(w, r, requestID, fault.Kind)
	if fault.Kind == "lost" {
		reset(w)
		return
	}
	if apiErr != nil {
		s.log.Info("plaid call refused", "route", r.URL.Path, "code", apiErr.code, "request_id", requestID)
		writeJSON(w, apiErr.status, apiErr.body(requestID))
		return
	}
	reply["request_id"] = requestID
	writeJSON(w, http.StatusOK, reply)
}

func (s *Server) count(path string) {
	if _, ok := routes[path]; !ok {
		path = "other"
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[path]++
}

func (s *Server) answer(w http.ResponseWriter, r *http.Request, requestID, fault string) (obj, *apiError) {
	rt, ok := routes[r.URL.Path]
	if !ok || r.Method != http.MethodPost {
		return nil, errNotFound()
	}
	w.Header().Set("Plaid-Version", cmp.Or(r.Header.Get("Plaid-Version"), plaidVersion))
	body, apiErr := decodeBody(r, rt.open)
	if apiErr != nil {
		return nil, apiErr
	}
	client, apiErr := s.admit(r, rt, body)
	if apiErr != nil {
		return nil, apiErr
	}
	if rt.sandbox && s.opt.Limits == LimitsProduction && s.switches().Production {
		return nil, invalidRequest("SANDBOX_ONLY", "this endpoint is only available in Sandbox")
	}
	c := &call{ctx: r.Context(), route: r.URL.Path, client: client, requestID: requestID, body: body, now: s.now()}
	reply, apiErr := s.run(rt, c, fault)
	if rt.durable || c.changed {
		if err := s.flushUncancelled(r.Context()); err != nil {
			s.log.Error("plaid simulator cannot save", "error", err)
			return nil, errInternal()
		}
	}
	return reply, apiErr
}

// admit checks keys and fields. Plaid does not document which comes first: see Switches.FieldsFirst.
func (s *Server) admit(r *http.Request, rt route, body map[string]any) (string, *apiError) {
	client, keyErr := credentials(r, body)
	if rt.open {
		keyErr = nil
	}
	fieldErr := checkFields(fieldTable()[r.URL.Path], body)
	first, second := keyErr, fieldErr
	if s.switches().FieldsFirst {
		first, second = fieldErr, keyErr
	}
	if first != nil {
		return "", first
	}
	return client, second
}

func (s *Server) run(rt route, c *call, fault string) (obj, *apiError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.runDue(c.now)
	if err := s.limits.client(c.route, c.client, c.now); err != nil {
		return nil, err
	}
	if rt.token {
		if err := s.resolve(rt, c); err != nil {
			return nil, err
		}
	}
	if fault == "mutation" && c.item != nil {
		c.item.Txns.Rounds = append(c.item.Txns.Rounds, c.now)
		s.markChanged()
	}
	before := s.save.changed
	reply, err := rt.serve(s, c)
	c.changed = s.save.changed != before
	return reply, err
}

// resolve finds the Item of the access token.
func (s *Server) resolve(rt route, c *call) *apiError {
	token := s.st.Access[c.str("access_token")]
	if token == nil || token.Client != c.client || token.Rotated {
		return errUnknownToken(c.str("access_token"))
	}
	it := s.st.Items[token.Item]
	if it == nil || it.Removed {
		return errItemNotFound()
	}
	if err := s.limits.item(c.route, it.ID, c.now); err != nil {
		return err
	}
	if rt.healthy {
		if err := s.productError(it, rt.product, c.now); err != nil {
			return err
		}
	}
	c.item, c.token = it, token
	return nil
}

// ParseReady reads "initial=1s,history=2s"; a part left out keeps its default.
func ParseReady(text string) (Ready, error) {
	out := Ready{Initial: time.Second, History: 2 * time.Second}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		d, err := time.ParseDuration(value)
		if err != nil || d < 0 {
			return Ready{}, fmt.Errorf("ready %q: want a duration", part)
		}
		switch key {
		case "initial":
			out.Initial = d
		case "history":
			out.History = d
		default:
			return Ready{}, fmt.Errorf("ready %q: want initial=…,history=…", part)
		}
	}
	if out.History < out.Initial {
		return Ready{}, fmt.Errorf("ready %q: history cannot come before initial", text)
	}
	return out, nil
}
