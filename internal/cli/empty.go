package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// mayBeEmpty marks a flag whose empty value has a meaning: it clears a text.
const mayBeEmpty = "may-be-empty"

func allowEmpty(cmd *cobra.Command, flag string) {
	if err := cmd.Flags().SetAnnotation(flag, mayBeEmpty, nil); err != nil {
		panic(err) // the command has no such flag
	}
}

// refuseEmpty refuses empty flags and arguments. They are mostly unset variables of a script, which must not mean "all"
// (A8).
func refuseEmpty(cmd *cobra.Command, args []string) error {
	if strings.HasPrefix(cmd.Name(), cobra.ShellCompRequestCmd) {
		return nil // the word to complete is often empty
	}
	if slices.Contains(args, "") {
		return usage("is a variable not set?", "an argument of %s is empty", cmd.CommandPath())
	}
	var err error
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if _, may := f.Annotations[mayBeEmpty]; err == nil && !may && holdsNothing(f.Value) {
			err = usage("is a variable not set? leave the flag out where it is not meant", "--%s is empty", f.Name)
		}
	})
	return err
}

func holdsNothing(v pflag.Value) bool {
	if list, ok := v.(pflag.SliceValue); ok {
		all := list.GetSlice()
		return len(all) == 0 || slices.Contains(all, "")
	}
	return v.String() == ""
}
