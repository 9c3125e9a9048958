package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bankctl/bankctl/internal/suggest"
)

// nearestFlag gives the command's flag that is nearest to a mistyped one, or "".
func nearestFlag(cmd *cobra.Command, typed string) string {
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, f.Name)
		}
	})
	return suggest.Nearest(typed, known, 2)
}

// nearestCommand gives the subcommand that is nearest to a mistyped one, or "". Among those that cobra suggests, one that
// begins with the word may be further away.
func nearestCommand(cmd *cobra.Command, typed string) string {
	offers := cmd.SuggestionsFor(typed)
	if len(offers) == 0 {
		return ""
	}
	if near := suggest.Nearest(typed, offers, 2); near != "" {
		return near
	}
	return offers[0]
}
