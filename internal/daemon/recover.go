package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/vault"
)

func newRecover(stdout io.Writer, getenv func(string) string) *cobra.Command {
	var identity string
	cmd := &cobra.Command{
		Use: "recover --identity FILE", Short: "Give data whose key is lost a new key, by an identity of its escrow", Args: cobra.NoArgs,
		Long: `Opens the keys of data that no bankd is using by an age identity of its escrow, decrypts every
record with them, wraps them by the key that the settings name, which it makes if it is a
missing file, and says what it did. Until that is done nothing is changed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(cmd.Flags(), getenv)
			if err != nil {
				return usageError{err}
			}
			if identity == "" {
				return usageError{errors.New("--identity is missing: name the file that age-keygen wrote")}
			}
			return recoverKeys(cmd.Context(), c, identity, stdout)
		},
	}
	config.RegisterFlags(cmd.Flags())
	cmd.Flags().StringVar(&identity, "identity", "", "`FILE` that age-keygen wrote")
	return cmd
}

// recoverKeys wraps the keys of a database that no other process has open by the configured KEK.
func recoverKeys(ctx context.Context, c config.Config, identity string, stdout io.Writer) (err error) {
	harden()
	id, err := openIdentity(identity)
	if err != nil {
		return err
	}
	path := filepath.Join(c.DataDir, databaseFile)
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("there is no database to recover: %w; name its directory with --data-dir", err)
	}
	lock, err := socket.AcquireLock(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	d := &Daemon{config: c, log: slog.New(slog.DiscardHandler)}
	kek, made, err := d.newKEK(ctx)
	if err != nil {
		return err
	}
	engine, err := bolt.Open(path)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	done, err := store.Recover(ctx, engine, id, kek)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "recovered %d keysets by the identity, and decrypted %d records with them\n", done.Keysets, done.Records)
	fmt.Fprintf(stdout, "the data was wrapped by %s and is wrapped by %s now\n", done.From, done.Header.KEK)
	if made != "" {
		fmt.Fprintf(stdout, "made the key file %s: keep a copy of it apart from the data\n", made)
	}
	return nil
}

// newKEK opens the configured key, or makes a key file, whose path it then returns.
func (d *Daemon) newKEK(ctx context.Context) (kek vault.KEK, made string, err error) {
	k := d.config.KEK
	if k.Provider != config.FileKEK {
		kek, err = d.openProvider(ctx, k, "")
		return kek, "", err
	}
	kek, err = vault.OpenFileKEK(k.File)
	if !errors.Is(err, fs.ErrNotExist) {
		return kek, "", err
	}
	kek, err = vault.CreateFileKEK(k.File)
	return kek, k.File, err
}
