package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

const (
	linking   = "linking"
	books     = "books"
	governing = "governing"
	tooling   = "tooling"
)

func newRoot(a *app) *cobra.Command {
	root := group("bankctl", "Link bank accounts and look after them")
	root.Long = `bankctl links bank accounts through Plaid and looks after them, over the socket of
a local daemon, bankd.

Get started:  bankctl demo                 the whole tour on a throw-away daemon, no keys needed
              bankd & bankctl init         the real thing, still with simulated banks
              bankctl link --user-id U --employer-id E`
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	a.globals(root.PersistentFlags())
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.prepare(cmd.Flags()) }
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagError(cmd, err) })
	root.AddGroup(
		&cobra.Group{ID: linking, Title: "Link a bank:"},
		&cobra.Group{ID: books, Title: "Look after accounts:"},
		&cobra.Group{ID: governing, Title: "Administer bankd:"},
		&cobra.Group{ID: tooling, Title: "Tools:"},
	)
	in := func(id string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	in(linking, newLink(a), newConnections(a))
	in(books, newAccounts(a), newACH(a))
	in(governing, newInit(a), newStatus(a), newTenant(a), newClientGroup(a), newAudit(a))
	in(tooling, newDemo(a), newAPI(a), newCompletion(a), newVersion(a))
	root.AddCommand(newHelpTopics()...)
	root.SetHelpCommand(newHelp())
	root.SetHelpCommandGroupID(tooling)
	completeGlobals(root)
	return root
}

// group makes a command that only holds others. A mistyped one under it is an error, not help with exit 0.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
			if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
				hint = fmt.Sprintf("did you mean `%s %s`?", cmd.CommandPath(), near[0])
			}
			return usage(hint, "unknown command %q for %q", args[0], cmd.CommandPath())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.AddCommand(children...)
	return cmd
}

// flagError says what is wrong with a flag and which one may have been meant.
func flagError(cmd *cobra.Command, err error) error {
	text := err.Error()
	hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
	if wrong, ok := strings.CutPrefix(text, "unknown flag: --"); ok {
		if near := nearestFlag(cmd, wrong); near != "" {
			hint = "did you mean --" + near + "?"
		}
	}
	return usage(hint, "%s", text)
}
