package cli

import (
	"context"
	"os/exec"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/keys"
)

func newKeysEscrow(a *app) *cobra.Command {
	var to []string
	cmd := &cobra.Command{
		Use: "escrow --to age1… --to age1…", Short: "Let age identities recover the data when its key is lost", Args: none(),
		Long: `Encrypts every tenant's keys to two or more age recipients and keeps that in the database:
one identity and the database, or a backup of it, recover everything, whatever became of
the key. New tenants and new keys are included by themselves. Recipients given now replace
those from before. Make identities with ` + "`age-keygen -o FILE`" + ` and keep the files offline, in
two places.`,
		Example: "  bankctl keys escrow --to safe=age1… --to lawyer=age1…",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runKeysEscrow(cmd.Context(), a, to) },
	}
	cmd.Flags().StringArrayVar(&to, "to", nil, "`RECIPIENT` of the form age1… or NAME=age1…; give it twice or more")
	return cmd
}

func runKeysEscrow(ctx context.Context, a *app, to []string) error {
	var p keys.EscrowParams
	for _, text := range to {
		name, key, named := strings.Cut(text, "=")
		if !named {
			name, key = "", text
		}
		p.To = append(p.To, keys.Recipient{Name: name, Key: key})
	}
	if err := p.Check(); err != nil {
		return usage("give --to twice or more, each with another age1… of `age-keygen`", "%s", strings.Replace(err.Error(), "to: ", "--to ", 1))
	}
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	s, err := c.SetEscrow(ctx, p)
	if err != nil {
		return err
	}
	return a.showKeys(s)
}

type recoverOptions struct{ identity, dataDir, keyFile, config, plaid string }

func newKeysRecover(a *app) *cobra.Command {
	var o recoverOptions
	cmd := &cobra.Command{
		Use: "recover --identity FILE", Short: "Give data whose key is lost a new key, by an identity of its escrow", Args: none(),
		Long: `Runs the bankd beside bankctl on data that no bankd is using: it opens the keys by the age
identity, decrypts every record with them, wraps them by the key that bankd's settings name,
which it makes if it is missing, and says what it did. Until that is done nothing is changed.`,
		Example: "  bankctl keys recover --identity /media/safe/identity.txt\n  bankctl keys recover --identity id.txt --data-dir /srv/bankd --key-file /etc/bankd/kek.new",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runKeysRecover(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.identity, "identity", "", "`FILE` that age-keygen wrote")
	f.StringVar(&o.dataDir, "data-dir", "", "`DIR` of the database (default: bankd's)")
	f.StringVar(&o.keyFile, "key-file", "", "`FILE` of the new key (default: bankd's)")
	f.StringVar(&o.config, "config", "", "bankd's config `FILE` (default: bankd's)")
	f.StringVar(&o.plaid, "plaid", "", "`ENV` whose data it is, where that is not in bankd's settings")
	return cmd
}

func runKeysRecover(ctx context.Context, a *app, o recoverOptions) error {
	if o.identity == "" {
		return usage("name the file that age-keygen wrote", "--identity is missing")
	}
	bankd, err := a.findBankd()
	if err != nil {
		return err
	}
	args := []string{"recover", "--identity", o.identity}
	for flag, value := range map[string]string{"--data-dir": o.dataDir, "--key-file": o.keyFile, "--config": o.config, "--plaid": o.plaid} {
		if value != "" {
			args = append(args, flag, value)
		}
	}
	cmd := exec.CommandContext(ctx, bankd, args...)
	cmd.Stdout, cmd.Stderr = a.Stdout, a.Stderr
	if err := cmd.Run(); err != nil {
		return exitError{fault.ExitInternal, "the keys were not recovered", "bankd says why, above"}
	}
	return nil
}
