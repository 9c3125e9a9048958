package cli

import (
	"context"
	"errors"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/tenant"
)

func newProfile(a *app) *cobra.Command {
	return group("profile", "Choose as whom you go: clients kept on this machine", newProfileList(a), newProfileUse(a), newProfileShow(a))
}

// listedProfile is a profile as commands print it: without its secret.
type listedProfile struct {
	Name     string `json:"name"`
	Current  bool   `json:"current"`
	ClientID string `json:"client_id"`
	Socket   string `json:"socket"`
	Secret   string `json:"secret"` // kept, or why it is not
}

func newProfileList(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List the profiles", Args: none(),
		Example: "  bankctl profile list\n  bankctl profile list -o name",
		RunE:    func(*cobra.Command, []string) error { return runProfileList(a) },
	}
}

func runProfileList(a *app) error {
	book := a.profileBook()
	f, err := book.read()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	current, err := book.nameOr(a.profile)
	if err != nil {
		return err
	}
	rows := []listedProfile{}
	for _, p := range f.Profiles {
		row := listedProfile{Name: p.Name, Current: p.Name == current, ClientID: p.ClientID, Socket: p.Socket, Secret: "kept"}
		if _, err := book.secret(p.Name); err != nil {
			row.Secret = err.Error()
		}
		rows = append(rows, row)
	}
	return list(a, rows, func(p listedProfile) string { return p.Name }, []column[listedProfile]{
		{name: "name", value: func(p listedProfile) string { return p.Name }},
		{name: "current", value: func(p listedProfile) string { return yesNo(p.Current) }, short: func(p listedProfile) string { return tick(p.Current) }},
		{name: "client", value: func(p listedProfile) string { return p.ClientID }},
		{name: "socket", value: func(p listedProfile) string { return p.Socket }},
		{name: "secret", value: func(p listedProfile) string { return p.Secret }},
	})
}

func newProfileUse(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "use NAME", Short: "Go as this profile where no other is named", Args: one("a profile's name"),
		Example:           "  bankctl profile use support",
		ValidArgsFunction: completeProfiles(a),
		RunE:              func(_ *cobra.Command, args []string) error { return runProfileUse(a, args[0]) },
	}
}

func runProfileUse(a *app, name string) error {
	book := a.profileBook()
	p, err := book.find(name)
	if errors.Is(err, fs.ErrNotExist) {
		return noProfile(name)
	}
	if err != nil {
		return err
	}
	if err := book.change(func(f *profileFile) error { f.Current = name; return nil }); err != nil {
		return err
	}
	if env := a.Getenv("BANKCTL_PROFILE"); env != "" && env != name {
		a.say("BANKCTL_PROFILE still names %s, which goes before it", clean(env))
	}
	return single(a, p, profileName, profileColumns(book), func() error {
		a.say("commands go as profile %s now, client %s", name, p.ClientID)
		return nil
	})
}

func newProfileShow(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "show [NAME]", Short: "Show a profile, and what bankd lets its client do", Args: arguments(0, 1, "a profile's name"),
		Example:           "  bankctl profile show\n  bankctl profile show support -o json",
		ValidArgsFunction: completeProfiles(a),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				a.profile = args[0]
			}
			return runProfileShow(cmd.Context(), a)
		},
	}
}

// shownProfile is a profile with its client as bankd knows it.
type shownProfile struct {
	listedProfile
	Client  *tenant.Client `json:"client"`
	Trouble string         `json:"trouble,omitempty"`
}

func runProfileShow(ctx context.Context, a *app) error {
	book := a.profileBook()
	name, err := book.nameOr(a.profile)
	if err != nil {
		return err
	}
	p, err := book.find(name)
	if errors.Is(err, fs.ErrNotExist) {
		return noProfile(name)
	}
	if err != nil {
		return err
	}
	shown := shownProfile{listedProfile: listedProfile{Name: name, Current: true, ClientID: p.ClientID, Socket: p.Socket, Secret: "kept"}}
	if a.socket != "" {
		shown.Socket = a.socket
	}
	secret, err := book.secret(name)
	if err != nil {
		shown.Secret = err.Error()
	}
	facts := []fact{{"profile", name}, {"socket", shown.Socket}, {"saved in", book.path()}, {"secret", shown.Secret}}
	cl := a.newClient(credentials{socket: shown.Socket})
	cl.ClientID, cl.Secret = p.ClientID, secret
	if own, err := cl.GetOwnClient(ctx); err == nil {
		shown.Client = &own
		facts = append(facts, clientFacts(own)...)
	} else {
		shown.Trouble = err.Error()
		facts = append(facts, fact{"client", p.ClientID}, fact{"trouble", shown.Trouble})
	}
	return single(a, shown, func(s shownProfile) string { return s.Name }, []column[shownProfile]{
		{name: "name", value: func(s shownProfile) string { return s.Name }},
		{name: "client", value: func(s shownProfile) string { return s.ClientID }},
		{name: "socket", value: func(s shownProfile) string { return s.Socket }},
		{name: "trouble", value: func(s shownProfile) string { return s.Trouble }},
	}, func() error { return a.card(facts) })
}

func profileName(p profile) string { return p.Name }

func profileColumns(book profileStore) []column[profile] {
	return []column[profile]{
		{name: "name", value: profileName},
		{name: "client", value: func(p profile) string { return p.ClientID }},
		{name: "socket", value: func(p profile) string { return p.Socket }},
		{name: "saved in", value: func(profile) string { return book.path() }},
	}
}

func completeProfiles(a *app) completer {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		var names []string
		if f, err := a.profileBook().read(); err == nil && len(args) == 0 {
			for _, p := range f.Profiles {
				names = append(names, p.Name+"\t"+p.ClientID)
			}
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}
