package query

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/suggest"
)

// Params are the parameters that a route takes.
type Params []Param

// Of lists the parameters of one struct or several: a filter, and the page of it.
func Of(qs ...any) Params {
	var all Params
	for _, q := range qs {
		for _, p := range params(reflect.Indirect(reflect.ValueOf(q)).Type()) {
			if !slices.ContainsFunc(all, func(known Param) bool { return known.Name == p.Name }) {
				all = append(all, p)
			}
		}
	}
	return all
}

// Has reports whether there is a parameter of that name.
func (s Params) Has(name string) bool {
	return slices.ContainsFunc(s, func(p Param) bool { return p.Name == name })
}

// Only keeps the parameters named.
func (s Params) Only(names ...string) Params {
	return slices.DeleteFunc(slices.Clone(s), func(p Param) bool { return !slices.Contains(names, p.Name) })
}

// Without leaves the parameters named out.
func (s Params) Without(names ...string) Params {
	return slices.DeleteFunc(slices.Clone(s), func(p Param) bool { return slices.Contains(names, p.Name) })
}

// Names lists the parameters by name, sorted.
func (s Params) Names() []string {
	names := make([]string, 0, len(s))
	for _, p := range s {
		names = append(names, p.Name)
	}
	slices.Sort(names)
	return names
}

// Parse reads a query string. It refuses a malformed one as a whole: the part that is lost could be the filter that kept
// other owners' rows out (A7).
func Parse(raw string) (url.Values, error) {
	if raw == "" {
		return nil, nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return nil, fault.New(fault.BadRequest, "the query string cannot be read").WithHint("a %% is written as %%25, a ; as %%3B")
	}
	return values, nil
}

// Read picks the parameters out of a parsed query. It records unknown, empty and repeated ones. An empty parameter is no
// missing one: a script's unset variable must not select everything (A8).
func (s Params) Read(values url.Values, bad *fault.Problems) map[string]string {
	given := make(map[string]string, len(values))
	for name, all := range values {
		switch {
		case !s.Has(name):
			bad.AddUnknown(name, s.unknown(name))
		case len(all) > 1:
			bad.Add(name, "is given more than once")
		case all[0] == "":
			bad.Add(name, "is empty: give a value, or leave it out")
		default:
			given[name] = all[0]
		}
	}
	return given
}

func (s Params) unknown(name string) string {
	reason, names := "is not a parameter of this route", s.Names()
	if near := suggest.Nearest(name, names, max(2, len(name)/2)); near != "" {
		reason += ", perhaps " + near + " is meant"
	}
	if len(names) > 0 {
		reason += "; it takes " + strings.Join(names, ", ")
	}
	return reason
}

// checker is implemented by queries with rules that tags cannot express.
type checker interface{ Check(*fault.Problems) }

// Decode writes the parameters given into the structs pointed to, and notes every bad one.
func Decode(given map[string]string, bad *fault.Problems, into ...any) {
	for _, q := range into {
		for _, p := range params(reflect.TypeOf(q).Elem()) {
			text, ok := given[p.Name]
			if !ok {
				continue
			}
			if !p.Accepts(text) {
				bad.Add(p.Name, p.Must())
				continue
			}
			bad.Check(p.Name, p.Set(q, text))
		}
		if c, ok := q.(checker); ok {
			c.Check(bad)
		}
	}
}

// Encode makes a query of the fields that are set.
func Encode(qs ...any) url.Values {
	values := url.Values{}
	for _, q := range qs {
		for _, p := range params(reflect.Indirect(reflect.ValueOf(q)).Type()) {
			if text := p.Text(q); text != "" {
				values.Set(p.Name, text)
			}
		}
	}
	return values
}

// List joins words into a choice: "a, b or c".
func List(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return fmt.Sprintf("%s or %s", strings.Join(words[:len(words)-1], ", "), words[len(words)-1])
}
