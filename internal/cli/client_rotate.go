package cli

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/tenant"
)

type clientRotateOptions struct {
	keepOld time.Duration
	profile string
}

func newClientRotate(a *app) *cobra.Command {
	var o clientRotateOptions
	cmd := &cobra.Command{
		Use: "rotate ID", Short: "Make another secret for a client; the old one works on for a while", Args: one("the id of a client"),
		Example: `  bankctl client rotate bankd_test_cli_3kTmQ0
  bankctl client rotate bankd_test_cli_3kTmQ0 --keep-old 0s --save-profile payroll`,
		ValidArgsFunction: completeClients(a),
		RunE:              func(cmd *cobra.Command, args []string) error { return runClientRotate(cmd.Context(), a, args[0], o) },
	}
	durationFlag(cmd.Flags(), &o.keepOld, "keep-old", 24*time.Hour, "how long the old secret works too; 0s ends it at once")
	cmd.Flags().StringVar(&o.profile, "save-profile", "", "keep the secret in this profile, and show it nowhere")
	return cmd
}

func runClientRotate(ctx context.Context, a *app, typed string, o clientRotateOptions) error {
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	id, err := matchClient(ctx, c, typed)
	if err != nil {
		return err
	}
	if err := a.profileFree(o.profile, id); err != nil {
		return err
	}
	m, err := c.RotateClient(ctx, id, tenant.RotateParams{KeepOld: o.keepOld.String()})
	if err != nil {
		return err
	}
	return a.handOver(m, o.profile)
}

// profileFree refuses a profile's name that cannot be used, before a secret is minted for it. A profile of the client
// itself is replaced.
func (a *app) profileFree(name, id string) error {
	if name == "" {
		return nil
	}
	book := a.profileBook()
	if err := book.writable(name); err != nil {
		return err
	}
	p, err := book.find(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case p.ClientID != id:
		return usage("choose another name", "profile %q is another client's, in %s", name, book.path())
	}
	return nil
}

// handOver shows a minted secret this once, or keeps it in a profile and shows it nowhere.
func (a *app) handOver(m tenant.Minted, profileName string) error {
	if profileName != "" {
		socket, err := a.socketToSave()
		if err != nil {
			return err
		}
		if err := a.profileBook().save(profile{Name: profileName, Socket: socket, ClientID: m.ID}, m.Secret); err != nil {
			return err
		}
		a.say("saved as profile %s: `bankctl --profile %s …` goes as this client", profileName, profileName)
		return single(a, m.Client, clientID, clientColumns(), func() error { return a.card(clientFacts(m.Client)) })
	}
	a.warnOfReaders()
	columns := []column[tenant.Minted]{
		{name: "client id", value: func(m tenant.Minted) string { return m.ID }},
		{name: "client secret", value: func(m tenant.Minted) string { return m.Secret }},
	}
	return single(a, m, columns[0].value, columns, func() error {
		facts := clientFacts(m.Client)
		facts = append(facts[:1:1], append([]fact{{"secret", m.Secret}}, facts[1:]...)...)
		if err := a.card(facts); err != nil {
			return err
		}
		a.say("The secret is shown this once: keep it now.")
		return nil
	})
}

// warnOfReaders says that a secret goes into a file that others can read, as a redirection makes one.
func (a *app) warnOfReaders() {
	f, ok := a.Stdout.(*os.File)
	if !ok {
		return
	}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		if f.Chmod(0o600) == nil {
			a.say("closed the file to others, for it holds the secret (mode 0600)")
			return
		}
		a.say("warning: others can read the file that the secret goes into: chmod 600 it")
	}
}
