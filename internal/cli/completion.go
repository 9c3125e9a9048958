package cli

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/page"
)

func newCompletion(a *app) *cobra.Command {
	cmd := group("completion", "Print a completion script for your shell")
	for _, shell := range []struct {
		name, example string
		print         func(root *cobra.Command) error
	}{
		{"bash", "  source <(bankctl completion bash)", func(r *cobra.Command) error { return r.GenBashCompletionV2(a.Stdout, true) }},
		{"zsh", "  bankctl completion zsh > \"${fpath[1]}/_bankctl\"", func(r *cobra.Command) error { return r.GenZshCompletion(a.Stdout) }},
		{"fish", "  bankctl completion fish > ~/.config/fish/completions/bankctl.fish", func(r *cobra.Command) error { return r.GenFishCompletion(a.Stdout, true) }},
	} {
		cmd.AddCommand(&cobra.Command{
			Use: shell.name, Short: "Print the completion script for " + shell.name, Args: none(), Example: shell.example,
			Annotations: map[string]string{offline: "yes", noData: "a script"},
			RunE:        func(cmd *cobra.Command, _ []string) error { return shell.print(cmd.Root()) },
		})
	}
	return cmd
}

// completionTimeout bounds how long a shell waits for ids from the daemon.
const completionTimeout = 300 * time.Millisecond

type completer = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective)

// completeIDs offers the daemon's ids with a short description of each. It offers nothing if the daemon does not answer
// in time.
func completeIDs(a *app, ids func(*client.Client) lister) completer {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return a.liveIDs(cmd, typed, func(c credentials) (*client.Client, error) {
			cl := a.newClient(c)
			cl.ClientID, cl.Secret = c.clientID, c.secret
			return cl, nil
		}, ids), cobra.ShellCompDirectiveNoFileComp
	}
}

func (a *app) liveIDs(cmd *cobra.Command, typed string, connect func(credentials) (*client.Client, error), ids func(*client.Client) lister) []string {
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	if a.prepare(cmd.Flags()) != nil {
		return nil
	}
	c, err := a.whoami()
	if err != nil {
		return nil
	}
	cl, err := connect(c)
	if err != nil {
		return nil
	}
	found, _, err := ids(cl)(ctx, page.Request{Limit: page.MaxLimit})
	if err != nil {
		return nil
	}
	var offers []string
	for _, x := range found {
		if strings.HasPrefix(x.id, typed) {
			offers = append(offers, clean(x.id)+"\t"+clean(x.name))
		}
	}
	return offers
}

func completeFlagIDs(a *app, cmd *cobra.Command, flag string, ids func(*client.Client) lister) {
	complete := completeIDs(a, ids)
	register(cmd, flag, func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return complete(cmd, nil, typed)
	})
}

func completeWords(cmd *cobra.Command, flag string, words ...string) {
	register(cmd, flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}

func register(cmd *cobra.Command, flag string, complete completer) {
	if err := cmd.RegisterFlagCompletionFunc(flag, complete); err != nil {
		panic(err) // the command has no such flag
	}
}

func completeGlobals(a *app, root *cobra.Command) {
	completeWords(root, "output", formats...)
	profiles := completeProfiles(a)
	register(root, "profile", func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
		return profiles(cmd, nil, typed)
	})
	for _, flag := range []string{"tenant", "jq", "template"} {
		register(root, flag, cobra.NoFileCompletions)
	}
}
