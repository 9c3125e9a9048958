package server

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bankctl/bankctl/internal/query"
)

// routeKey names a route by its method and the pattern of its path.
type routeKey struct{ method, path string }

// endpoint is a route with the parts that all its calls share, made once: its query's parameters, the start of its lines
// in the log, and its metrics.
type endpoint struct {
	route
	takes query.Params // of the query: the route's own and their aliases
	log   slog.Handler // already holds method and route; nil for refused and unknown calls, which share neither

	once      sync.Once          // makes the two below at the first call, so that metrics show no route that was never called
	successes prometheus.Counter // counts replies with the route's own status
	seconds   prometheus.Observer
}

func (s *Server) newEndpoint(rt route) *endpoint {
	return &endpoint{route: rt, takes: slices.Concat(rt.Query, aliasParams(rt.Query)), log: s.log.Handler().WithAttrs([]slog.Attr{slog.String("method", rt.Method), slog.String("route", rt.Path)})}
}

// logCall writes the access log's line. It uses the handler directly: a Logger would spend time on looking up the calling
// line of source, which the log does not show.
func (s *Server) logCall(c *call, took time.Duration) {
	h := c.endpoint.log
	if h == nil {
		h = s.log.Handler()
	}
	ctx, level := context.Background(), slog.LevelInfo
	if c.status >= 500 {
		level = slog.LevelWarn
	}
	if !h.Enabled(ctx, level) {
		return
	}
	r := slog.NewRecord(c.started.Add(took), level, "call", 0)
	if c.endpoint.log == nil {
		r.AddAttrs(slog.String("method", knownMethod(c.r.Method)), slog.String("route", c.endpoint.Path))
	}
	r.AddAttrs(slog.String("request_id", c.id), slog.Int("status", c.status), slog.Float64("took_ms", float64(took.Microseconds())/1000),
		slog.String("client", c.caller.Client.ID), slog.Int("uid", c.uid)) // a record holds five without allocating
	if id := c.param("id"); id != "" && c.status < 300 {
		r.AddAttrs(slog.String("object", id))
	}
	if c.err != nil {
		r.AddAttrs(slog.String("code", string(c.err.Code)))
	}
	_ = h.Handle(ctx, r) // a log that cannot be written has nowhere to report it
}
