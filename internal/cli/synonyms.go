package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// synonyms are names of one flag: a command has one of them, and takes the others too. The first is the usual one. They
// are the names of earlier versions, of the API's fields and of what other tools call it; the help shows none of them.
var synonyms = [][]string{
	{"company-id", "company"},
	{"employee-id", "employee"},
	{"account-id", "account", "bank-account", "bank-account-id", "plaid-account-id"},
	{"connection-id", "connection", "item", "item-id", "plaid-item-id"},
	{"employer-id", "employer"},
	{"employers", "employer-ids"},
	{"carrier-id", "carrier"},
	{"carriers", "carrier-ids"},
	{"companies", "company-ids"},
	{"user-id", "user"},
	{"type", "account-type"},
	{"product", "products"},
	{"mask", "masks"},
	{"text", "search", "query"},
	{"from", "date-from"},
	{"to", "date-to", "until"},
	{"min", "min-cents"},
	{"max", "max-cents"},
	{"holder-name", "account-holder-name"},
	{"institution", "institution-id"},
}

// acceptSynonyms makes a command and those below it take the other names of their flags.
func acceptSynonyms(cmd *cobra.Command) {
	for _, child := range cmd.Commands() {
		acceptSynonyms(child)
	}
	named := map[string]string{}
	for _, group := range synonyms {
		has := slices.DeleteFunc(slices.Clone(group), func(name string) bool { return cmd.Flags().Lookup(name) == nil })
		if len(has) != 1 {
			continue // two of them mean two things here
		}
		for _, other := range group {
			if other != has[0] {
				named[other] = has[0]
			}
		}
	}
	if len(named) > 0 {
		cmd.Flags().SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
			if own, ok := named[name]; ok {
				name = own
			}
			return pflag.NormalizedName(name)
		})
	}
}

// fieldAnnotation keeps with a flag the API's name of what it sets, where the flag's name does not tell it.
const fieldAnnotation = "field"

// flagOf names the flag of a command that sets a field of the API; without one, the field.
func flagOf(cmd *cobra.Command, field string) string {
	if cmd == nil {
		return field
	}
	found := ""
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if slices.Contains(f.Annotations[fieldAnnotation], field) {
			found = f.Name
		}
	})
	if f := cmd.Flags().Lookup(dashed(field)); found == "" && f != nil {
		found = f.Name
	}
	if found == "" {
		return field
	}
	return "--" + found
}

// dashed turns snake_case and camelCase into a flag's form.
func dashed(field string) string {
	var b strings.Builder
	for _, r := range field {
		switch {
		case r == '_':
			b.WriteByte('-')
		case r >= 'A' && r <= 'Z':
			b.WriteString("-" + strings.ToLower(string(r)))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}
