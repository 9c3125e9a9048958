package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

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
		reply, err := fn(c.r.Context(), c.caller, c.param("id"))
		return reply, nil, err
	}
}

// decode reads the body strictly: a JSON object of known fields with the right types (R10). It ignores the Content-Type
// (R11), and error texts never quote a value.
func decode[P checker](c *call) (P, error) {
	var p P
	fields := map[string]json.RawMessage{}
	if len(bytes.TrimSpace(c.body)) > 0 {
		if err := json.Unmarshal(c.body, &fields); err != nil || fields == nil { // nil: the body is null
			return p, fault.New(fault.BadRequest, "the body must be one JSON object").WithHint("%s", whereItBroke(err))
		}
		if fields == nil {
			return p, fault.New(fault.BadRequest, "the body must be one JSON object")
		}
		if err := noKeyTwice(c.body); err != nil {
			return p, err
		}
	}
	into := reflect.ValueOf(&p).Elem()
	known := jsonFields(into.Type())
	if err := c.resolveAliases(fields, known); err != nil {
		return p, err
	}
	var unknown, wrong, empty fault.Problems
	for name, raw := range fields {
		index, ok := known[name]
		switch {
		case !ok:
			unknown.AddUnknown(name, "is not a field of this route; it takes "+names(known))
		case bytes.Equal(raw, []byte("null")):
			if c.r.Method == http.MethodPatch { // elsewhere it is a field left out
				unknown.Add(name, "must not be null: leave it out to keep it as it is")
			}
		case bytes.Equal(raw, []byte(`""`)) && meansOne(name, into.Type().FieldByIndex(index)):
			empty.Add(name, "is empty: leave it out, or say which")
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
	if len(unknown) == 0 && len(empty) == 0 {
		return p, checked
	}
	if checked != nil {
		for name, reason := range fault.As(checked).Fields {
			unknown.Add(name, reason)
		}
	}
	for name, reason := range empty {
		unknown.Add(name, reason)
	}
	return p, unknown.Err()
}

// meansOne reports whether a field names one object or one word of a list. Where such a field is given and empty, a
// variable was not set, and the call must not mean another thing than its caller did.
func meansOne(name string, f reflect.StructField) bool {
	return strings.HasSuffix(name, "_id") || strings.HasSuffix(name, "_token") || f.Tag.Get("enum") != ""
}

// resolveAliases moves a body's fields to the names that the route knows.
func (c *call) resolveAliases(fields map[string]json.RawMessage, known map[string][]int) error {
	var bad fault.Problems
	texts := map[string]string{}
	for name, raw := range fields {
		texts[name] = string(raw)
	}
	s := aliasResolver{fields: texts, known: func(name string) bool { return known[name] != nil }, quote: func(word string) string { return `"` + word + `"` }, bad: &bad}
	s.resolve()
	c.sentAs = s.sent
	clear(fields)
	for name, text := range texts {
		fields[name] = json.RawMessage(text)
	}
	return bad.Err()
}

// noKeyTwice refuses a JSON object with a duplicate key: parsers differ on which of the two values they take.
func noKeyTwice(body []byte) error {
	dec := json.NewDecoder(bytes.NewReader(body))
	var objects []map[string]bool // the keys of each object that is open; nil stands for a list
	isKey := false
	for {
		token, err := dec.Token()
		if err != nil {
			return nil //nolint:nilerr // io.EOF: the caller has checked that the body is JSON
		}
		switch t := token.(type) {
		case json.Delim:
			switch t {
			case '{':
				objects = append(objects, map[string]bool{})
			case '[':
				objects = append(objects, nil)
			default:
				objects = objects[:len(objects)-1]
			}
			isKey = len(objects) > 0 && objects[len(objects)-1] != nil
			continue
		case string:
			if isKey && objects[len(objects)-1][t] {
				var bad fault.Problems
				bad.AddUnknown(t, "is given more than once")
				f := fault.Fields(bad)
				f.Code = fault.BadRequest
				return f
			}
			if isKey {
				objects[len(objects)-1][t] = true
			}
		}
		isKey = !isKey && len(objects) > 0 && objects[len(objects)-1] != nil
	}
}

// whereItBroke gives a syntax error's position without quoting the body.
func whereItBroke(err error) string {
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Sprintf("it breaks at byte %d", s.Offset)
	}
	return "it is JSON, but not an object"
}

func wrongType(err error) string {
	if t, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return "must be " + article(t.Type)
	}
	return err.Error() // our own types never quote a value
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

// insideValue reports whether a promoted field belongs to an embedded type that has its own JSON form.
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
