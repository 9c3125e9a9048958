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
