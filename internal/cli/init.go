package cli

import (
	"context"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/tenant"
)

type initOptions struct {
	force bool
	name  string
}

func newInit(a *app) *cobra.Command {
	var o initOptions
	cmd := &cobra.Command{
		Use: "init", Short: "Make an admin client and save it as your profile", Args: none(),
		Long: `Makes a client that may do everything in the tenant, as the user that runs bankd, and
saves it as a profile that later commands use. The secret goes into a file of its own
that only you can read, and is never shown.`,
		Example: "  bankctl init\n  bankctl init --profile staging --socket /run/user/1000/bankd/staging.sock",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runInit(cmd.Context(), a, o) },
	}
	cmd.Flags().BoolVar(&o.force, "force", false, "replace a profile of the same name")
	cmd.Flags().StringVar(&o.name, "client-name", "bankctl", "what the client is called in the audit log")
	return cmd
}

func runInit(ctx context.Context, a *app, o initOptions) error {
	name := a.profile
	if name == "" {
		name = defaultProfile
	}
	book := a.profileBook()
	if err := a.profileUnused(name, o.force); err != nil {
		return err
	}
	where, err := a.socketToSave()
	if err != nil {
		return err
	}
	owner := a.newClient(credentials{socket: where})
	owner.Tenant = a.tenant
	m, err := owner.AddClient(ctx, tenant.ClientParams{
		Name: o.name, Role: tenant.Admin, Employers: tenant.Everything, Carriers: tenant.Everything,
		Companies: tenant.Everything, ActAsEmployee: true,
	})
	if err != nil {
		return err
	}
	if err := book.save(profile{Name: name, Socket: where, ClientID: m.ID}, m.Secret); err != nil {
		return err
	}
	return single(a, m.Client, clientID, clientColumns(), func() error {
		return a.card([]fact{
			{"profile", name}, {"client", m.ID}, {"role", string(m.Role)}, {"tenant", m.Tenant},
			{"saved in", book.path()}, {"secret in", book.secretPath(name)}, {"socket", where},
			{"next", "bankctl link --user-id U --employer-id E"},
		})
	})
}

// socketToSave is the absolute path of the socket: a later command may run elsewhere, or without XDG_RUNTIME_DIR, as cron's
// do.
func (a *app) socketToSave() (string, error) {
	if a.socket == "" {
		return a.defaultSocket()
	}
	return filepath.Abs(a.socket)
}
