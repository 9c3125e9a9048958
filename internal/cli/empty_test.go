package cli

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bankctl/bankctl/internal/fault"
)

// A8: a flag or an argument that is given and empty ends every command before it does anything.
func TestEmptyIsNeverAll(t *testing.T) {
	flags, arguments := 0, 0
	run := func(what string, args []string) {
		t.Helper()
		var said bytes.Buffer
		env := nowhere(t)
		env.Stderr = &said
		if code := Main(args, env); code != fault.ExitUsage || !strings.Contains(said.String(), what) {
			t.Errorf("%q: exit code %d, %s", args, code, said.String())
		}
	}
	everyCommand(t, func(c *cobra.Command) {
		if !c.Runnable() || c.HasSubCommands() {
			return
		}
		path := strings.Fields(c.CommandPath())[1:]
		least := 0
		for c.ValidateArgs(slices.Repeat([]string{"x"}, least)) != nil {
			least++
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			_, may := f.Annotations[mayBeEmpty]
			if f.Name == "help" || may {
				return
			}
			what := "--" + f.Name + " is empty"
			if !slices.Contains([]string{"string", "stringSlice", "stringArray"}, f.Value.Type()) {
				what = "--" + f.Name
			}
			run(what, slices.Concat(path, slices.Repeat([]string{"x"}, least), []string{"--" + f.Name + "="}))
			flags++
		})
		for i := range least {
			args := slices.Repeat([]string{"x"}, least)
			args[i] = ""
			run("is empty", slices.Concat(path, args))
			arguments++
		}
	})
	if flags < 100 || arguments < 15 {
		t.Errorf("only %d flags and %d arguments", flags, arguments)
	}
	run("--employer-id is empty", []string{"connections", "list", "--employer-id", ""})
	run("--employer-id is empty", []string{"txns", "export", "--employer-id", "acme", "--employer-id", ""})
	run("--company-id is empty", []string{"employee", "desk", "--company-id", ""})
	run("an argument of bankctl connections usage is empty", []string{"connections", "usage", ""})
}
