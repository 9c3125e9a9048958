package plaidsim

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FaultHeader marks an injected reply, which need not have Plaid's shape.
const FaultHeader = "X-Plaidsim-Fault"

// faultKinds are the kinds that ParseFaults knows. reset drops the connection before the work is done, lost after it;
// mutation changes data between two pages of /transactions/sync.
var faultKinds = []string{"500", "429", "html502", "slow", "hang", "reset", "lost", "mutation"}

// Fault makes calls to one route fail.
type Fault struct {
	Route string // a path, a path ending in *, or *
	Kind  string
	Count int           // calls it applies to; 0 means all
	For   time.Duration // delay of slow and hang; for the others how long the fault lasts
}

// ParseFaults reads "ROUTE:KIND[:count|duration],…".
func ParseFaults(text string) ([]Fault, error) {
	var out []Fault
	for part := range strings.SplitSeq(text, ",") {
		part = strings.TrimSpace(part)
		if part == "" {
			continue
		}
		f, err := parseFault(part)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func parseFault(part string) (Fault, error) {
	words := strings.Split(part, ":")
	if len(words) < 2 || len(words) > 3 {
		return Fault{}, fmt.Errorf("fault %q: want ROUTE:KIND[:count|duration]", part)
	}
	f := Fault{Route: words[0], Kind: words[1]}
	if f.Route != "*" && !strings.HasPrefix(f.Route, "/") {
		return Fault{}, fmt.Errorf("fault %q: the route starts with / or is *", part)
	}
	if !slices.Contains(faultKinds, f.Kind) {
		return Fault{}, fmt.Errorf("fault %q: unknown kind, want one of %s", part, strings.Join(faultKinds, ", "))
	}
	if len(words) == 2 {
		return f, nil
	}
	if n, err := strconv.Atoi(words[2]); err == nil && n > 0 {
		f.Count = n
		return f, nil
	}
	d, err := time.ParseDuration(words[2])
	if err != nil || d <= 0 {
		return Fault{}, fmt.Errorf("fault %q: %q is neither a count nor a duration", part, words[2])
	}
	f.For = d
	return f, nil
}

func (f Fault) matches(path string) bool {
	if prefix, ok := strings.CutSuffix(f.Route, "*"); ok {
		return strings.HasPrefix(path, prefix)
	}
	return f.Route == path
}

type faultSet struct {
	mu     sync.Mutex
	faults []Fault
	since  time.Time
}

func (s *faultSet) set(faults []Fault, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults, s.since = slices.Clone(faults), now
}

// take returns the fault for this call and counts it down.
func (s *faultSet) take(path string, now time.Time) (Fault, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if !f.matches(path) || f.spent(now.Sub(s.since)) {
			continue
		}
		if f.Count > 0 {
			s.faults[i].Count--
			if s.faults[i].Count == 0 {
				s.faults = slices.Delete(s.faults, i, i+1)
			}
		}
		return f, true
	}
	return Fault{}, false
}

func (f Fault) spent(age time.Duration) bool {
	delays := f.Kind == "slow" || f.Kind == "hang"
	return !delays && f.For > 0 && age > f.For
}

const (
	defaultSlow = 3 * time.Second
	defaultHang = time.Hour
)

// inject performs a fault that comes before the work. It returns true if that ends the call.
func (s *Server) inject(w http.ResponseWriter, r *http.Request, f Fault) bool {
	switch f.Kind {
	case "slow":
		return !s.wait(r.Context(), orDuration(f.For, defaultSlow))
	case "hang":
		s.wait(r.Context(), orDuration(f.For, defaultHang))
		reset(w)
	case "reset":
		reset(w)
	case "html502":
		w.Header().Set(FaultHeader, f.Kind)
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>\n"))
	case "500", "429":
		err := errInternal()
		if f.Kind == "429" {
			err = errLimit(limitCode(r.URL.Path))
		}
		w.Header().Set(FaultHeader, f.Kind)
		writeJSON(w, err.status, err.body(s.requestID()))
	default:
		return false
	}
	return true
}

func orDuration(d, fallback time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return fallback
}

// wait sleeps unless the caller leaves or the server closes first.
func (s *Server) wait(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-s.done:
	}
	return false
}

// reset drops the connection without a reply.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}
