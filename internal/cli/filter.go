package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/template"

	"github.com/itchyny/gojq"
)

// compileJQ reads an expression. It sees no environment: a filter that somebody else wrote cannot read secrets there.
func compileJQ(expr string) (*gojq.Code, error) {
	query, err := gojq.Parse(expr)
	if err != nil {
		return nil, usage("", "--jq: %v", err)
	}
	code, err := gojq.Compile(query, gojq.WithEnvironLoader(nil))
	if err != nil {
		return nil, usage("", "--jq: %v", err)
	}
	return code, nil
}

func (a *app) printJQ(data any) error {
	code, err := compileJQ(a.jq)
	if err != nil {
		return err
	}
	tree, err := toTree(data)
	if err != nil {
		return err
	}
	ctx := a.running()
	results := code.RunWithContext(ctx, tree) // which an interrupt ends, as a filter may never end by itself
	for {
		v, more := results.Next()
		if !more {
			return nil
		}
		if err, bad := v.(error); bad {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return usage("", "--jq: %v", err)
		}
		line, isText := v.(string)
		if !isText {
			b, err := gojq.Marshal(v)
			if err != nil {
				return err
			}
			line = string(b)
		}
		if _, err := fmt.Fprintln(a.out(), line); err != nil {
			return err
		}
	}
}

func parseTemplate(text string) (*template.Template, error) {
	t, err := template.New("--template").Funcs(template.FuncMap{
		"json": func(v any) (string, error) {
			b, err := encodeJSON(v, "")
			return strings.TrimSpace(string(b)), err
		},
		"join": func(sep string, list []any) string {
			texts := make([]string, len(list))
			for i, v := range list {
				texts[i] = fmt.Sprint(v)
			}
			return strings.Join(texts, sep)
		},
		"truncate": func(width int, s string) string { return cut(s, width) },
	}).Parse(text)
	if err != nil {
		return nil, usage("", "%v", err)
	}
	return t, nil
}

func (a *app) printTemplate(data any) error {
	t, err := parseTemplate(a.template)
	if err != nil {
		return err
	}
	tree, err := toTree(data)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := t.Execute(&b, tree); err != nil {
		return usage("", "%v", err)
	}
	_, err = a.out().Write(b.Bytes())
	return err
}

// toTree turns data into maps, lists and plain values, with whole numbers as int: cents stay exact.
func toTree(data any) (any, error) {
	b, err := encodeJSON(data, "")
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	return whole(tree), nil
}

func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = whole(x)
		}
	case []any:
		for i, x := range v {
			v[i] = whole(x)
		}
	case json.Number:
		if n, err := strconv.Atoi(v.String()); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return math.NaN()
		}
		return f
	}
	return v
}
