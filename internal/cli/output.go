package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

var formats = []string{"table", "json", "ndjson", "yaml", "csv", "tsv", "name"}

// checkOutput refuses an unknown output format before the command runs.
func (a *app) checkOutput() error {
	if a.jq != "" && a.template != "" {
		return usage("give one of them", "--jq and --template exclude each other")
	}
	if (a.jq != "" || a.template != "") && a.output != "" && a.output != "json" {
		return usage("leave --output out", "--jq and --template work on JSON, not on %s", a.output)
	}
	if a.jq != "" {
		if _, err := compileJQ(a.jq); err != nil {
			return err
		}
		a.output = "json"
	}
	if a.template != "" {
		if _, err := parseTemplate(a.template); err != nil {
			return err
		}
		a.output = "json"
	}
	switch a.output {
	case "":
		a.output = "table"
	case "jsonl":
		a.output = "ndjson"
	}
	if !slices.Contains(formats, a.output) {
		wrong := a.output
		a.output = "table"
		return usage("use "+strings.Join(formats, ", "), "--output cannot be %q", wrong)
	}
	return nil
}

// column is one column of a table.
type column[T any] struct {
	name  string
	value func(T) string
	short func(T) string // on a terminal, where it differs
}

// list prints many objects: a table for people, or the API's data in the format asked for.
func list[T any](a *app, rows []T, id func(T) string, columns []column[T]) error {
	if rows == nil {
		rows = []T{}
	}
	return show(a, rows, rows, id, columns, func() error { return printTable(a, rows, columns) })
}

// single shows one object; card is its human form.
func single[T any](a *app, v T, id func(T) string, columns []column[T], card func() error) error {
	return show(a, v, []T{v}, id, columns, card)
}

// show prints data, as the API gave it, in the format asked for. No other place knows the formats.
func show[T any](a *app, data any, rows []T, id func(T) string, columns []column[T], table func() error) error {
	switch {
	case a.jq != "":
		return a.printJQ(data)
	case a.template != "":
		return a.printTemplate(data)
	}
	switch a.output {
	case "json":
		return printJSON(a.out(), data, "  ")
	case "ndjson":
		return printLines(a.out(), data)
	case "yaml":
		return printYAML(a.out(), data)
	case "csv":
		return printCSV(a.out(), rows, columns)
	case "tsv":
		return printTSV(a.Stdout, rows, columns)
	case "name":
		for _, r := range rows {
			if _, err := fmt.Fprintln(a.Stdout, clean(id(r))); err != nil {
				return err
			}
		}
		return nil
	}
	return table()
}

// out is stdout for foreign text.
func (a *app) out() io.Writer {
	if a.OutTTY {
		return cleanWriter{a.Stdout}
	}
	return a.Stdout
}

func encodeJSON(v any, indent string) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", indent)
	err := enc.Encode(v)
	return b.Bytes(), err
}

func printJSON(w io.Writer, v any, indent string) error {
	b, err := encodeJSON(v, indent)
	if err != nil {
		return err
	}
	_, err = w.Write(b)
	return err
}

// printLines prints each element of a list, or the one object, on a line of its own.
func printLines(w io.Writer, v any) error {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Slice || rv.Type() == reflect.TypeFor[json.RawMessage]() {
		return printJSON(w, v, "")
	}
	for i := range rv.Len() {
		if err := printJSON(w, rv.Index(i).Interface(), ""); err != nil {
			return err
		}
	}
	return nil
}

// printYAML goes through JSON, which is YAML: names, order and types stay those of the API.
func printYAML(w io.Writer, v any) error {
	b, err := encodeJSON(v, "")
	if err != nil {
		return err
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		return err
	}
	plain(&doc)
	var text bytes.Buffer
	enc := yaml.NewEncoder(&text)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return err
	}
	_, err = w.Write(text.Bytes())
	return err
}

// plain removes JSON's quotes and braces. It keeps the tags, so that digits in a string stay quoted.
func plain(n *yaml.Node) {
	empty := (n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode) && len(n.Content) == 0
	if !empty {
		n.Style = 0
	}
	for _, c := range n.Content {
		plain(c)
	}
}

func printCSV[T any](w io.Writer, rows []T, columns []column[T]) error {
	var b bytes.Buffer
	c := csv.NewWriter(&b)
	_ = c.Write(headers(columns, strings.ToLower)) // to memory: cannot fail
	for _, r := range rows {
		cells := make([]string, len(columns))
		for i, col := range columns {
			cells[i] = escapeFormula(clean(col.value(r)))
		}
		_ = c.Write(cells)
	}
	c.Flush()
	_, err := w.Write(b.Bytes())
	return err
}

// escapeFormula quotes a cell that a spreadsheet would read as a formula.
func escapeFormula(cell string) string {
	if cell == "" || !strings.ContainsRune("=+-@", rune(cell[0])) {
		return cell
	}
	if isNumber(cell[1:]) && cell[0] != '=' && cell[0] != '@' {
		return cell
	}
	return "'" + cell
}

// isNumber reports whether a cell is digits with at most one point: what no spreadsheet can take for more.
func isNumber(cell string) bool {
	whole, fraction, _ := strings.Cut(cell, ".")
	return whole != "" && strings.Trim(whole, "0123456789") == "" && strings.Trim(fraction, "0123456789") == ""
}

func printTSV[T any](w io.Writer, rows []T, columns []column[T]) error {
	var b strings.Builder
	b.WriteString(strings.Join(headers(columns, strings.ToLower), "\t") + "\n")
	for _, r := range rows {
		for i, col := range columns {
			if i > 0 {
				b.WriteByte('\t')
			}
			b.WriteString(clean(col.value(r)))
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func headers[T any](columns []column[T], form func(string) string) []string {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = strings.ReplaceAll(form(c.name), " ", "_")
	}
	return names
}
