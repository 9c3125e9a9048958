package server

import (
	"context"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/bankctl/bankctl/internal/tenant"
)

// takesNone refuses every parameter: of a route whose handler reads no query.
func (c *call) takesNone() error {
	var bad fault.Problems
	query.Params(nil).Read(c.values, &bad)
	return bad.Err()
}

// decodeQuery reads the route's parameters, and those parts of its path that have the name of one, into the structs
// pointed to. It names every bad one.
func (c *call) decodeQuery(into ...any) error {
	var bad fault.Problems
	given := c.to.takes.Read(c.values, &bad)
	s := spelling{fields: given, known: c.to.Query.Has, quote: func(word string) string { return word }, bad: &bad}
	s.settle()
	c.sent = s.sent
	c.halfOwner(given, &bad)
	for _, name := range pathNames(c.to.Path) {
		given[name] = c.param(name)
	}
	query.Decode(given, &bad, into...)
	return bad.Err()
}

// halfOwner refuses an owner's kind without an id, or the other way round, where neither is the route's own name.
func (c *call) halfOwner(given map[string]string, bad *fault.Problems) {
	if c.to.Query.Has("owner_id") {
		return
	}
	kind, typed := given["owner_type"]
	_, named := given["owner_id"]
	switch {
	case typed && !slices.Contains(ownerKinds, kind):
		bad.Add("owner_type", "must be one of "+strings.Join(ownerKinds, ", "))
	case typed || named:
		bad.Add("owner_id", "owner_type and owner_id go together")
	}
}

// withQuery decodes the query into what the use case takes, and calls.
func withQuery[Q, R any](fn func(context.Context, tenant.Caller, Q) (R, error)) handler {
	return func(c *call) (any, *page.Info, error) {
		var q Q
		if err := c.decodeQuery(&q); err != nil {
			return nil, nil, err
		}
		reply, err := fn(c.r.Context(), c.caller, q)
		return reply, nil, err
	}
}

// withIDAndQuery is withQuery for a route that names one object.
func withIDAndQuery[Q, R any](fn func(context.Context, tenant.Caller, string, Q) (R, error)) handler {
	return func(c *call) (any, *page.Info, error) {
		return withQuery(func(ctx context.Context, caller tenant.Caller, q Q) (R, error) {
			return fn(ctx, caller, c.param("id"), q)
		})(c)
	}
}

// withPage decodes a filter and the page that is asked for of what it selects.
func withPage[Q, R any](fn func(context.Context, tenant.Caller, Q, page.Request) ([]R, page.Info, error)) handler {
	return func(c *call) (any, *page.Info, error) {
		var q Q
		var p page.Request
		if err := c.decodeQuery(&q, &p); err != nil {
			return nil, nil, err
		}
		rows, info, err := fn(c.r.Context(), c.caller, q, p)
		return rows, &info, err
	}
}

// unfiltered makes a listing without a filter fit withPage.
func unfiltered[R any](fn func(context.Context, tenant.Caller, page.Request) ([]R, page.Info, error)) handler {
	return withPage(func(ctx context.Context, caller tenant.Caller, _ struct{}, p page.Request) ([]R, page.Info, error) {
		return fn(ctx, caller, p)
	})
}
