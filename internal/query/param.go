// Package query reads the parameters of a route from tags on a struct, so that each is told once: the daemon decodes and
// documents them, the client encodes them, and bankctl makes its flags of them.
//
//	query:"date_from"     the name it is sent under
//	format:"date"         a string that is a calendar day
//	enum:"manual,plaid"   the closed list of its values; a field's type may list them by a method Values instead
//	min:"1" max:"200"     the range of an integer
//	unit:"minor units"    what an integer counts
//	doc:"of this user"    what it selects, as the help of bankctl says it
//	flag:"from"           its flag, where that is not its name with dashes; "-" for none
//	id:"connection"       the kind of object that it names
package query

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Kind is the form that a parameter's value has.
type Kind string

// The kinds of parameters.
const (
	Text     Kind = "text"
	Date     Kind = "date"     // a calendar day
	Moment   Kind = "moment"   // a time of RFC 3339
	Duration Kind = "duration" // such as 25s
	Boolean  Kind = "boolean"
	Integer  Kind = "integer"
)

// Param is one parameter of a query.
type Param struct {
	Name     string
	Kind     Kind
	Enum     []string
	Min, Max *int64
	Unit     string
	Doc      string
	Flag     string // of bankctl; "" = none
	ID       string // the kind of object it names, or ""

	index []int // of the struct's field
}

// valued is implemented by string types with a closed list of values.
type valued interface{ Values() []string }

// structs caches the parameters ([]Param) of each struct type.
var structs sync.Map // of []Param by reflect.Type

// params lists the parameters of a struct in the order of its fields. It panics on a malformed tag, which every test that
// builds a server would hit.
func params(t reflect.Type) []Param {
	if all, ok := structs.Load(t); ok {
		return all.([]Param)
	}
	all := []Param{}
	for _, f := range reflect.VisibleFields(t) {
		if name := f.Tag.Get("query"); name != "" {
			all = append(all, newParam(name, f))
		}
	}
	structs.Store(t, all)
	return all
}

func newParam(name string, f reflect.StructField) Param {
	p := Param{
		Name: name, Kind: kindOf(f), Unit: f.Tag.Get("unit"), Doc: f.Tag.Get("doc"), ID: f.Tag.Get("id"),
		Min: bound(f, "min"), Max: bound(f, "max"), index: f.Index,
	}
	if list := f.Tag.Get("enum"); list != "" {
		p.Enum = strings.Split(list, ",")
	}
	if v, ok := reflect.Zero(f.Type).Interface().(valued); ok {
		p.Enum = v.Values()
	}
	switch flag := f.Tag.Get("flag"); flag {
	case "-":
	case "":
		p.Flag = strings.ReplaceAll(name, "_", "-")
	default:
		p.Flag = flag
	}
	return p
}

func kindOf(f reflect.StructField) Kind {
	t := f.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return Moment
	case t == reflect.TypeFor[time.Duration]():
		return Duration
	case t.Kind() == reflect.Bool:
		return Boolean
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return Integer
	case t.Kind() == reflect.String && f.Tag.Get("format") == "date":
		return Date
	case t.Kind() == reflect.String:
		return Text
	}
	panic(fmt.Sprintf("query: a parameter cannot be a %s", f.Type))
}

func bound(f reflect.StructField, tag string) *int64 {
	text := f.Tag.Get(tag)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("query: %s of %s: %v", tag, f.Name, err))
	}
	return &n
}

// Must completes the sentence "the parameter …" with what its value must be.
func (p Param) Must() string {
	switch {
	case len(p.Enum) > 0:
		return "must be one of " + strings.Join(p.Enum, ", ")
	case p.Kind == Date:
		return "must be a day such as 2026-01-31"
	case p.Kind == Moment:
		return "must be a time such as 2026-01-31T00:00:00Z"
	case p.Kind == Duration:
		return "must be a duration such as 25s"
	case p.Kind == Boolean:
		return "must be true or false"
	case p.Kind == Text:
		return "must be text"
	}
	text := "must be a whole number"
	if p.Unit != "" {
		text += " of " + p.Unit
	}
	if p.Min != nil {
		text += fmt.Sprintf(" from %d", *p.Min)
	}
	if p.Max != nil {
		text += fmt.Sprintf(" to %d", *p.Max)
	}
	return text
}

// Accepts reports whether a text is in the parameter's list, range or form.
func (p Param) Accepts(text string) bool {
	switch {
	case len(p.Enum) > 0:
		return slices.Contains(p.Enum, text)
	case p.Kind == Date:
		day, err := time.Parse(time.DateOnly, text)
		return err == nil && day.Year() >= 1
	case p.Kind == Duration:
		d, err := ParseDuration(text)
		return err == nil && d >= 0
	case p.Kind == Integer && (p.Min != nil || p.Max != nil):
		n, err := strconv.ParseInt(text, 10, 64)
		return err == nil && (p.Min == nil || n >= *p.Min) && (p.Max == nil || n <= *p.Max)
	}
	return true
}

func (p Param) field(q any) reflect.Value {
	return reflect.Indirect(reflect.ValueOf(q)).FieldByIndex(p.index)
}

// Set parses a text into the parameter's field of the struct that q points to. It checks the type alone; Accepts checks
// list and range.
func (p Param) Set(q any, text string) error {
	v := p.field(q)
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	var err error
	switch p.Kind {
	case Boolean:
		if text != "true" && text != "false" {
			return fmt.Errorf("%s", p.Must())
		}
		v.SetBool(text == "true")
	case Integer:
		err = setInteger(v, text)
	case Moment:
		var t time.Time
		t, err = time.Parse(time.RFC3339, text)
		v.Set(reflect.ValueOf(t))
	case Duration:
		var d time.Duration
		d, err = ParseDuration(text)
		v.SetInt(int64(d))
	default:
		v.SetString(text)
	}
	if err != nil {
		return fmt.Errorf("%s", p.Must())
	}
	return nil
}

func setInteger(v reflect.Value, text string) error {
	if v.CanUint() {
		n, err := strconv.ParseUint(text, 10, v.Type().Bits())
		v.SetUint(n)
		return err
	}
	n, err := strconv.ParseInt(text, 10, v.Type().Bits())
	v.SetInt(n)
	return err
}

// Text reads the parameter's field of a struct, as it is sent; "" where it is not set.
func (p Param) Text(q any) string {
	v := p.field(q)
	pointer := v.Kind() == reflect.Pointer
	if v.IsZero() {
		return ""
	}
	if pointer {
		v = v.Elem()
	}
	switch p.Kind {
	case Boolean:
		return strconv.FormatBool(v.Bool())
	case Integer:
		return fmt.Sprint(v.Interface())
	case Moment:
		return v.Interface().(time.Time).UTC().Format(time.RFC3339Nano)
	case Duration:
		return v.Interface().(time.Duration).String()
	}
	return v.String()
}
