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

// line names a route by its method and the pattern of its path.
type line struct{ method, path string }

// served is a route with what its calls have in common, made once: how their lines in the log begin, and where most of
// them are counted.
type served struct {
	route
	takes query.Params // the route's own, and their other spellings
	log   slog.Handler // has the method and the route; nil where calls have neither in common

	once    sync.Once          // for the two below, so that only routes that were called are shown
	well    prometheus.Counter // of replies with the route's own status
	seconds prometheus.Observer
}

func (s *Server) newServed(rt route) *served {
	return &served{route: rt, takes: slices.Concat(rt.Query, otherSpellings(rt.Query)), log: s.log.Handler().WithAttrs([]slog.Attr{slog.String("method", rt.Method), slog.String("route", rt.Path)})}
}

// logCall writes the access log's line. It goes to the handler itself, for a Logger would look up the line of source that
// asks, which nobody is shown.
func (s *Server) logCall(c *call, took time.Duration) {
	h := c.to.log
	if h == nil {
		h = s.log.Handler()
	}
	ctx := context.Background()
	if !h.Enabled(ctx, slog.LevelInfo) {
		return
	}
	r := slog.NewRecord(c.started.Add(took), slog.LevelInfo, "call", 0)
	if c.to.log == nil {
		r.AddAttrs(slog.String("method", c.r.Method), slog.String("route", c.to.Path))
	}
	r.AddAttrs(slog.String("request_id", c.id), slog.Int("status", c.status), slog.Duration("took", took),
		slog.String("client", c.caller.Client.ID), slog.Int("uid", c.uid)) // five have room in a record
	if id := c.param("id"); id != "" && c.status < 300 {
		r.AddAttrs(slog.String("object", id))
	}
	if c.err != nil {
		r.AddAttrs(slog.String("code", string(c.err.Code)))
	}
	_ = h.Handle(ctx, r) // there is nowhere to tell that the log cannot be written
}
