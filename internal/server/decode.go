package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
)

type checker interface{ Check() error }

// handler runs one call; info is set for listings.
type handler func(c *call) (reply any, info *page.Info, err error)

// withBody decodes the body into what the use case takes, checks it, and calls.
func withBody[P checker, R any](fn func(context.Context, tenant.Caller, P) (R, error)) handler {
	return func(c *call) (any, *page.Info, error) {
		p, err := decode[P](c)
		if err != nil {
			return nil, nil, err
		}
		reply, err := fn(c.r.Context(), c.caller, p)
		return reply, nil, err
	}
}

// withIDAndBody is withBody for a route that names one object.
func withIDAndBody[P checker, R any](fn func(context.Context, tenant.Caller, string, P) (R, error)) handler {
	return func(c *call) (any, *page.Info, error) {
		p, err := decode[P](c)
		if err != nil {
			return nil, nil, err
		}
		reply, err := fn(c.r.Context(), c.caller, c.param("id"), p)
		return reply, nil, err
	}
}

// withID calls for one object.
func withID[R any](fn func(context.Context, tenant.Caller, string) (R, error)) handler {
	return func(c *call) (any, *page.Info, error) {
		q := c.query()
		if err := q.err(); err != nil {
			return nil, nil, err
		}
		reply, err := fn(c.r.Context(), c.caller, c.param("id"))
		return reply, nil, err
	}
}

// decode reads the body strictly: a JSON object of known fields with the right types (R10), whatever its
// Content-Type says (R11). Values are never echoed.
func decode[P checker](c *call) (P, error) {
	var p P
	q := c.query()
	if err := q.err(); err != nil {
		return p, err
	}
	fields := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(c.body)) > 0 {
		if err := json.Unmarshal(c.body, &fields); err != nil {
			return p, fault.New(fault.BadRequest, "the body must be one JSON object").WithHint("%s", whereItBroke(err))
		}
	}
	into := reflect.ValueOf(&p).Elem()
	known := jsonFields(into.Type())
	if err := rename(fields, known); err != nil {
		return p, err
	}
	var unknown, wrong fault.Problems
	for name, raw := range fields {
		index, ok := known[name]
		switch {
		case !ok:
			unknown.Add(shorten(name), "is not a field of this route; it takes "+names(known))
		case bytes.Equal(raw, []byte("null")):
		default:
			if err := json.Unmarshal(raw, into.FieldByIndex(index).Addr().Interface()); err != nil {
				wrong.Add(name, wrongType(err))
			}
		}
	}
	if len(wrong) > 0 {
		f := fault.Fields(wrong)
		f.Code = fault.BadRequest
		return p, f
	}
	checked := p.Check()
	if len(unknown) == 0 {
		return p, checked
	}
	if checked != nil {
		for name, reason := range fault.As(checked).Fields {
			unknown.Add(name, reason)
		}
	}
	return p, unknown.Err()
}

// whereItBroke tells a syntax error's place without quoting anything.
func whereItBroke(err error) string {
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return "it breaks after " + plural(int(s.Offset), "byte")
	}
	return "it is JSON, but not an object"
}

func wrongType(err error) string {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return "must be " + article(t.Type)
	}
	return err.Error() // our own types' words, which never quote a value
}

func article(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a number"
}

// jsonFields maps a struct's JSON names, those of embedded structs included, to its fields.
func jsonFields(t reflect.Type) map[string][]int {
	fields := map[string][]int{}
	for _, f := range reflect.VisibleFields(t) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.IsExported() && !f.Anonymous && name != "" && name != "-" && !insideValue(t, f.Index) {
			fields[name] = f.Index
		}
	}
	return fields
}

// insideValue reports whether a promoted field comes out of a type with its own JSON form.
func insideValue(t reflect.Type, index []int) bool {
	for i := 1; i < len(index); i++ {
		outer := t.FieldByIndex(index[:i]).Type
		if reflect.PointerTo(outer).Implements(reflect.TypeFor[json.Unmarshaler]()) {
			return true
		}
	}
	return false
}

func names(known map[string][]int) string {
	all := make([]string, 0, len(known))
	for name := range known {
		all = append(all, name)
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

// shorten keeps a foreign key from filling a log line, or from carrying a number into one.
func shorten(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r == '-' {
			return r
		}
		return '?'
	}, name)
	if len(clean) > 40 {
		clean = clean[:40] + "…"
	}
	return clean
}

// twins are the two spellings that S1 has for one thing (A4): each is taken for the other.
var twins = [][2]string{{"item_id", "plaid_item_id"}, {"primary", "is_primary"}}

// rename puts a twin's value under the route's own spelling. Both at once must say the same.
func rename(fields map[string]json.RawMessage, known map[string][]int) error {
	var bad fault.Problems
	move := func(from, to string) {
		raw, given := fields[from]
		if !given || known[from] != nil || known[to] == nil {
			return
		}
		if own, both := fields[to]; both && !bytes.Equal(bytes.TrimSpace(own), bytes.TrimSpace(raw)) {
			bad.Add(to, "differs from its other spelling, "+from)
		}
		fields[to] = raw
		delete(fields, from)
	}
	for _, t := range twins {
		move(t[0], t[1])
		move(t[1], t[0])
	}
	renameOwner(fields, known, &bad)
	return bad.Err()
}

// renameOwner takes employer_id and carrier_id for owner_type with owner_id, and the other way round.
func renameOwner(fields map[string]json.RawMessage, known map[string][]int, bad *fault.Problems) {
	for _, kind := range []string{account.Employer, account.Carrier} {
		idField := kind + "_id"
		word, _ := json.Marshal(kind)
		if raw, given := fields[idField]; given && known[idField] == nil && known["owner_id"] != nil {
			putSame(fields, "owner_type", word, idField, bad)
			putSame(fields, "owner_id", raw, idField, bad)
			delete(fields, idField)
		}
		if known[idField] != nil && known["owner_id"] == nil && bytes.Equal(bytes.TrimSpace(fields["owner_type"]), word) && fields["owner_id"] != nil {
			putSame(fields, idField, fields["owner_id"], "owner_id", bad)
			delete(fields, "owner_type")
			delete(fields, "owner_id")
		}
	}
}

func putSame(fields map[string]json.RawMessage, to string, raw json.RawMessage, from string, bad *fault.Problems) {
	if own, both := fields[to]; both && !bytes.Equal(bytes.TrimSpace(own), bytes.TrimSpace(raw)) {
		bad.Add(to, "differs from its other spelling, "+from)
	}
	fields[to] = raw
}
