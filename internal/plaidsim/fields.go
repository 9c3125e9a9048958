package plaidsim

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

//go:embed fields.txt
var fieldsText string

// field is one line of fields.txt: a request field, its type and its limits.
type field struct {
	name     string
	kind     string // string, boolean, integer, number, object, any, or "[]" before one of them
	required bool
	nullable bool
	enum     []string
	format   string
	limit    map[string]int
	sub      []*field
}

// fieldTable returns the request fields of every route. The text is part of
// the program, so a line that does not parse is a programming error.
var fieldTable = sync.OnceValue(func() map[string]*field {
	table := map[string]*field{}
	var path []*field
	for n, line := range strings.Split(strings.TrimRight(fieldsText, "\n"), "\n") {
		if strings.HasPrefix(line, "/") {
			root := &field{kind: "object", sub: credentialFields()}
			table[line] = root
			path = []*field{root}
			continue
		}
		trimmed := strings.TrimLeft(line, " ")
		depth := (len(line) - len(trimmed)) / 2
		f, err := parseField(trimmed)
		if err != nil || depth < 1 || depth > len(path) {
			panic(fmt.Sprintf("fields.txt line %d: %v", n+1, err))
		}
		parent := path[depth-1]
		parent.sub = append(parent.sub, f)
		path = append(path[:depth], f)
	}
	return table
})

func credentialFields() []*field {
	return []*field{{name: "client_id", kind: "string"}, {name: "secret", kind: "string"}}
}

// parseField reads `name*: type|null limit=1 enum=a,b`; enum comes last,
// because its values may hold spaces.
func parseField(text string) (*field, error) {
	name, rest, ok := strings.Cut(text, ": ")
	if !ok {
		return nil, fmt.Errorf("no type in %q", text)
	}
	f := &field{limit: map[string]int{}}
	f.name, f.required = strings.CutSuffix(name, "*")
	rest, enum, _ := strings.Cut(rest, " enum=")
	if enum != "" {
		f.enum = strings.Split(enum, ",")
	}
	words := strings.Fields(rest)
	f.kind, f.nullable = strings.CutSuffix(words[0], "|null")
	for _, w := range words[1:] {
		key, value, _ := strings.Cut(w, "=")
		if key == "format" {
			f.format = value
			continue
		}
		n, err := strconv.Atoi(value)
		if err != nil {
			return nil, fmt.Errorf("limit %q: %w", w, err)
		}
		f.limit[key] = n
	}
	return f, nil
}

// checkFields checks a decoded body: first for unknown fields, then for missing ones, then types and values.
func checkFields(root *field, body map[string]any) *apiError {
	if unknown := unknownFields(root, body, ""); len(unknown) > 0 {
		return errUnknownFields(unknown)
	}
	if missing := missingFields(root, body, ""); len(missing) > 0 {
		return errMissingFields(missing)
	}
	return checkObject(root, body, "")
}

func unknownFields(f *field, obj map[string]any, prefix string) []string {
	var unknown []string
	for _, key := range sortedKeys(obj) {
		sub := f.find(key)
		if sub == nil {
			unknown = append(unknown, prefix+key)
			continue
		}
		if sub.kind == "any" {
			continue
		}
		for _, child := range childObjects(obj[key]) {
			unknown = append(unknown, unknownFields(sub, child, prefix+key+".")...)
		}
	}
	return slices.Compact(unknown)
}

func missingFields(f *field, obj map[string]any, prefix string) []string {
	var missing []string
	for _, sub := range f.sub {
		v, ok := obj[sub.name]
		if sub.required && (!ok || v == nil && !sub.nullable) {
			missing = append(missing, prefix+sub.name)
		}
		for _, child := range childObjects(v) {
			missing = append(missing, missingFields(sub, child, prefix+sub.name+".")...)
		}
	}
	return slices.Compact(missing)
}

func childObjects(v any) []map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return []map[string]any{v}
	case []any:
		var out []map[string]any
		for _, e := range v {
			if m, ok := e.(map[string]any); ok {
				out = append(out, m)
			}
		}
		return out
	}
	return nil
}

func (f *field) find(name string) *field {
	for _, sub := range f.sub {
		if sub.name == name {
			return sub
		}
	}
	return nil
}

func checkObject(f *field, obj map[string]any, prefix string) *apiError {
	for _, sub := range f.sub {
		v, ok := obj[sub.name]
		if !ok {
			continue
		}
		if err := checkValue(sub, v, prefix+sub.name); err != nil {
			return err
		}
	}
	return nil
}

func checkValue(f *field, v any, path string) *apiError {
	if v == nil {
		return nil // as if left out: a required field that is null was missing before
	}
	element, isArray := strings.CutPrefix(f.kind, "[]")
	if !isArray {
		return checkScalar(f, f.kind, v, path)
	}
	list, ok := v.([]any)
	if !ok {
		return errInvalidField(path, "must be an array")
	}
	if min := f.limit["minItems"]; len(list) < min {
		return errInvalidField(path, fmt.Sprintf("must hold at least %d entries", min))
	}
	if max, ok := f.limit["maxItems"]; ok && len(list) > max {
		return errInvalidField(path, fmt.Sprintf("must hold at most %d entries", max))
	}
	for i, e := range list {
		if err := checkScalar(f, element, e, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

func checkScalar(f *field, kind string, v any, path string) *apiError {
	switch kind {
	case "object":
		obj, ok := v.(map[string]any)
		if !ok {
			return errInvalidField(path, "must be an object")
		}
		return checkObject(f, obj, path+".")
	case "string":
		s, ok := v.(string)
		if !ok {
			return errInvalidField(path, "must be a string")
		}
		return checkString(f, s, path)
	case "boolean":
		if _, ok := v.(bool); !ok {
			return errInvalidField(path, "must be a boolean")
		}
	case "integer", "number":
		n, ok := v.(json.Number)
		if !ok {
			return errInvalidField(path, "must be a "+kind)
		}
		return checkNumber(f, kind, n, path)
	}
	return nil
}

func checkString(f *field, s, path string) *apiError {
	if len(s) < f.limit["minLength"] {
		return errInvalidField(path, "must not be empty")
	}
	if max, ok := f.limit["maxLength"]; ok && len(s) > max {
		return errInvalidField(path, fmt.Sprintf("must have at most %d characters", max))
	}
	if len(f.enum) > 0 && !slices.Contains(f.enum, s) {
		return errInvalidField(path, "is not one of the allowed values")
	}
	layout := map[string]string{"date": time.DateOnly, "date-time": time.RFC3339}[f.format]
	if layout == "" {
		return nil
	}
	if _, err := time.Parse(layout, s); err != nil {
		return errInvalidField(path, "must be a "+f.format)
	}
	return nil
}

func checkNumber(f *field, kind string, n json.Number, path string) *apiError {
	if kind == "number" {
		if _, err := n.Float64(); err != nil {
			return errInvalidField(path, "must be a number")
		}
		return nil
	}
	i, err := n.Int64()
	if err != nil {
		return errInvalidField(path, "must be an integer")
	}
	if min, ok := f.limit["min"]; ok && i < int64(min) {
		return errInvalidField(path, fmt.Sprintf("must be at least %d", min))
	}
	if max, ok := f.limit["max"]; ok && i > int64(max) {
		return errInvalidField(path, fmt.Sprintf("must be at most %d", max))
	}
	return nil
}
