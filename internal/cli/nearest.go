package cli

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bankctl/bankctl/internal/spell"
)

// nearestFlag gives the flag of a command that a mistyped one comes closest to, or "".
func nearestFlag(cmd *cobra.Command, typed string) string {
	best, least := "", 3
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if d := spell.Distance(typed, f.Name); d < least && !f.Hidden {
			best, least = f.Name, d
		}
	})
	return best
}
