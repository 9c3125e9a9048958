package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/vault"
)

// openKEK opens the key of the configured provider, with the one that kek_from names beside it.
func (d *Daemon) openKEK(ctx context.Context, database string) (vault.KEK, error) {
	kek, err := d.openProvider(ctx, d.config.KEK, database)
	if err != nil || d.config.KEK.From == nil {
		return kek, err
	}
	old, err := d.openProvider(ctx, *d.config.KEK.From, database)
	if err != nil {
		return nil, fmt.Errorf("kek_from: %w", err)
	}
	return vault.WithOld(kek, old), nil
}

func (d *Daemon) openProvider(ctx context.Context, k config.KEK, database string) (vault.KEK, error) {
	switch k.Provider {
	case config.CredentialKEK:
		return vault.OpenCredentialKEK(k.Credentials)
	case config.TransitKEK:
		return vault.OpenTransit(ctx, vault.Transit{
			Address: k.VaultAddress, Key: k.VaultKey, Namespace: k.VaultNamespace, Token: k.VaultToken, TokenFile: k.VaultTokenFile, CAFile: k.VaultCAFile,
		})
	case config.ExecKEK:
		return vault.OpenExecKEK(ctx, k.Command)
	}
	if k.File == "" {
		k.File = d.config.KeyFile
	}
	return d.openKeyFile(k.File, database)
}

// openKeyFile opens the key file and the key that an unfinished rotation left beside it, or makes one if neither a key
// nor a database exists.
func (d *Daemon) openKeyFile(path, database string) (vault.KEK, error) {
	kek, err := vault.OpenFileKEK(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return d.makeKeyFile(path, database, err)
	case err != nil:
		return nil, err
	}
	next, err := vault.NextFileKEK(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return kek, nil
	case err != nil:
		return nil, err
	}
	if path == d.config.KeyFile {
		d.nextKEK = next
	}
	return vault.WithOld(kek, next), nil
}

func (d *Daemon) makeKeyFile(path, database string, missing error) (vault.KEK, error) {
	if _, err := os.Stat(database); !errors.Is(err, fs.ErrNotExist) && d.config.KEK.From == nil {
		return nil, fmt.Errorf("there is a database at %s but no key at %s: put the key back, or name it with --key-file; nothing was changed", database, path)
	}
	if path != d.config.KeyFile || !d.config.MayCreateKey {
		return nil, missing
	}
	kek, err := vault.CreateFileKEK(path)
	if err == nil {
		d.log.Info("made the key to the data: keep a copy of it apart from the data, which nobody can read without it", "key_file", path)
	}
	return kek, err
}

// finishKEK ends a rotation of the key file that the end of a process cut short.
func (d *Daemon) finishKEK(ctx context.Context) error {
	if d.nextKEK == nil {
		return nil
	}
	done, err := d.db.FinishRewrap(ctx, d.nextKEK)
	if err != nil {
		return fmt.Errorf("finish the rotation of the key file: %w", err)
	}
	d.rewrapped = done
	d.log.Info("finished a rotation of the key file that was cut short", "to", done.To, "keysets", done.Keysets)
	return nil
}

// nameKey tells how to name another key than the configured one.
func (d *Daemon) nameKey() string {
	switch d.config.KEK.Provider {
	case config.CredentialKEK:
		return "give the unit the right credential " + vault.CredentialName + ", or the data's own key as " + vault.CredentialName + ".old"
	case config.TransitKEK, config.ExecKEK:
		return "set kek_provider and its settings to those of the data's own key, or kek_from to the configuration that has them"
	}
	return fmt.Sprintf("name the right key with --key-file (now %s)", d.config.KeyFile)
}
