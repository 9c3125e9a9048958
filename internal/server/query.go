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

// refuseQuery refuses every parameter, on routes that take none.
func (c *call) refuseQuery() error {
	var bad fault.Problems
	query.Params(nil).Read(c.values, &bad)
	return bad.Err()
}

// decodeQuery reads the route's parameters into the structs pointed to, and names every bad one. Parts of the path fill
// the fields of the same name.
func (c *call) decodeQuery(into ...any) error {
	var bad fault.Problems
	given := c.endpoint.takes.Read(c.values, &bad)
	s := aliasResolver{fields: given, known: c.endpoint.Query.Has, quote: func(word string) string { return word }, bad: &bad}
	s.resolve()
	c.sentAs = s.sent
	c.checkOwnerPair(given, &bad)
	for _, name := range pathNames(c.endpoint.Path) {
		given[name] = c.param(name)
	}
	query.Decode(given, &bad, into...)
	return bad.Err()
}

// checkOwnerPair refuses an owner_type without owner_id, and the reverse, on routes that know them as aliases alone.
func (c *call) checkOwnerPair(given map[string]string, bad *fault.Problems) {
	if c.endpoint.Query.Has("owner_id") {
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

// withPage decodes a filter and the page request, and calls.
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

// unfiltered is withPage for a listing without a filter.
func unfiltered[R any](fn func(context.Context, tenant.Caller, page.Request) ([]R, page.Info, error)) handler {
	return withPage(func(ctx context.Context, caller tenant.Caller, _ struct{}, p page.Request) ([]R, page.Info, error) {
		return fn(ctx, caller, p)
	})
}
