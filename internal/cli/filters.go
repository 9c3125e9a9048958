package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/query"
)

// filterFlags registers a flag for each filter of a query, or for those named, as the tags of its struct tell; q points
// to that struct.
func filterFlags(a *app, cmd *cobra.Command, q any, names ...string) {
	all := query.Of(q)
	if len(names) > 0 {
		all = all.Only(names...)
	}
	for _, p := range all {
		if p.Flag == "" {
			continue
		}
		doc := p.Doc
		if doc == "" {
			doc = query.List(p.Enum)
		}
		f := cmd.Flags().VarPF(&filterValue{p, q}, p.Flag, "", doc)
		f.Annotations = map[string][]string{fieldAnnotation: {p.Name}}
		if p.Kind == query.Boolean {
			f.NoOptDefVal = "true"
		}
		switch {
		case p.ID != "":
			completeFlagIDs(a, cmd, p.Flag, objects[p.ID].ids)
		case len(p.Enum) > 0:
			completeWords(cmd, p.Flag, p.Enum...)
		case p.Kind != query.Boolean:
			register(cmd, p.Flag, cobra.NoFileCompletions)
		}
	}
}

// filterValue is a flag that sets a field of a query. It checks the type alone; bankd checks the value.
type filterValue struct {
	query.Param
	into any
}

func (v *filterValue) String() string {
	if v.into == nil {
		return ""
	}
	return v.Text(v.into)
}

func (v *filterValue) Set(text string) error { return v.Param.Set(v.into, text) }

// Type names the kind of value in the help.
func (v *filterValue) Type() string {
	switch v.Kind {
	case query.Boolean:
		return "bool"
	case query.Integer:
		return "int"
	}
	return "string"
}

// objects are the kinds of objects that a filter may name by id.
var objects = map[string]struct {
	noun string
	ids  func(*client.Client) lister
}{
	"connection":   {"a connection", connectionIDs},
	"account":      {"an account", accountIDs},
	"bank account": {"a bank account", accountIDs},
}

// wholeIDs completes the shortened ids of a query; q points to its struct.
func wholeIDs(ctx context.Context, c *client.Client, q any) error {
	for _, p := range query.Of(q) {
		typed := p.Text(q)
		if p.ID == "" || typed == "" {
			continue
		}
		object := objects[p.ID]
		id, err := resolve(ctx, object.noun, typed, object.ids(c))
		if err != nil {
			return err
		}
		if err := p.Set(q, id); err != nil {
			return err
		}
	}
	return nil
}
