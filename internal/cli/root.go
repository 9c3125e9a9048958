package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/status"
)

// commandGroups are the sections of bankctl's help.
func commandGroups() []*cobra.Group {
	return []*cobra.Group{
		{ID: "linking", Title: "Link a bank:"},
		{ID: "books", Title: "Look after accounts:"},
		{ID: "staffing", Title: "Verify employees' accounts:"},
		{ID: "governing", Title: "Administer bankd:"},
		{ID: "tooling", Title: "Tools:"},
	}
}

// branch is a command directly below the root, with its subcommands.
type branch struct {
	family string
	names  []string // its name, then its aliases
	build  func(*app) *cobra.Command
}

func branches() []branch {
	return []branch{
		{"linking", []string{"link"}, newLink},
		{"linking", []string{"connections", "connection", "conn"}, newConnections},
		{"linking", []string{"institutions", "institution", "banks"}, newInstitutions},
		{"books", []string{"accounts", "account", "acct"}, newAccounts},
		{"books", []string{"ach"}, newACH},
		{"books", []string{"txns", "tx"}, newTxns},
		{"books", []string{"sync"}, newSync},
		{"staffing", []string{"employee", "employees", "emp"}, newEmployee},
		{"staffing", []string{"company"}, newCompany},
		{"governing", []string{"init"}, newInit},
		{"governing", []string{"login"}, newLogin},
		{"governing", []string{"logout"}, newLogout},
		{"governing", []string{"profile", "profiles"}, newProfile},
		{"governing", []string{"status"}, newStatus},
		{"governing", []string{"doctor"}, newDoctor},
		{"governing", []string{"tenant"}, newTenant},
		{"governing", []string{"client"}, newClientGroup},
		{"governing", []string{"keys"}, newKeys},
		{"governing", []string{"audit"}, newAudit},
		{"governing", []string{"events"}, newEvents},
		{"governing", []string{"backup"}, newBackup},
		{"governing", []string{"restore"}, newRestore},
		{"tooling", []string{"demo"}, newDemo},
		{"tooling", []string{"api"}, newAPI},
		{"tooling", []string{"completion"}, newCompletion},
		{"tooling", []string{"version"}, newVersion},
	}
}

// newRoot builds the tree of commands. If the first word names a branch it builds that branch alone, for building all of
// them is the slowest part of a short command.
func newRoot(a *app, args []string) *cobra.Command {
	root := group("bankctl", "Link bank accounts and look after them")
	root.Long = `bankctl links bank accounts through Plaid and looks after them, over the socket of
a local daemon, bankd.

Get started:  bankctl demo                 the whole tour on a throw-away daemon, no keys needed
              bankd & bankctl init         the real thing, still with simulated banks
              bankctl link --user-id U --employer-id E`
	root.SilenceErrors, root.SilenceUsage = true, true
	root.Version = status.Version
	root.SetVersionTemplate("bankctl {{.Version}}\n")
	root.CompletionOptions.DisableDefaultCmd = true
	a.globals(root.PersistentFlags())
	root.PersistentPreRunE = func(cmd *cobra.Command, args []string) error {
		if err := refuseEmpty(cmd, args); err != nil {
			return err
		}
		if cmd.Annotations[offline] == "" {
			a.watchSignals()
		}
		if err := errors.Join(a.prepare(cmd.Flags()), a.refuseFormat(cmd)); err != nil {
			return err
		}
		a.limit(cmd)
		return nil
	}
	root.SetFlagErrorFunc(flagError)
	root.AddGroup(commandGroups()...)
	all := branches()
	only := slices.IndexFunc(all, func(b branch) bool { return len(args) > 0 && slices.Contains(b.names, args[0]) })
	for i, b := range all {
		if only >= 0 && only != i {
			continue
		}
		cmd := b.build(a)
		cmd.GroupID, cmd.Aliases = b.family, b.names[1:]
		acceptSynonyms(cmd)
		root.AddCommand(cmd)
	}
	root.SetHelpCommand(newHelp())
	root.SetHelpCommandGroupID("tooling")
	if only < 0 {
		root.AddCommand(newHelpTopics()...)
		completeGlobals(a, root)
	}
	return root
}

// offline marks commands that only print: an interrupt ends them as it ends any program.
const offline = "offline"

// group makes a command that only holds others. An unknown subcommand is an error, not a help text with exit 0.
func group(use, short string, children ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ArbitraryArgs, SuggestionsMinimumDistance: 2,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			hint := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
			if near := nearestCommand(cmd, args[0]); near != "" {
				hint = fmt.Sprintf("did you mean `%s %s`?", cmd.CommandPath(), near)
			}
			return usage(hint, "unknown command %q for %q", args[0], cmd.CommandPath())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cmd.AddCommand(children...)
	return cmd
}

// flagError explains a wrong flag and suggests the nearest one.
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
