package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
)

const databaseFile = "bankd.db"

// openStore finds the key, opens the database, and checks every record and the anchor.
func (d *Daemon) openStore(ctx context.Context, o Options) (err error) {
	engine, kek := o.Engine, o.KEK
	options := store.Options{Environment: d.config.Plaid, Schema: bank.Schema, Now: o.Now, Progress: &d.checking}
	if engine == nil {
		path := filepath.Join(d.config.DataDir, databaseFile)
		if err := d.anchors.beforeOpen(ctx, path); err != nil {
			return err
		}
		if kek, err = d.openKEK(ctx, path); err != nil {
			return err
		}
		if engine, err = bolt.Open(path); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
		options.BeforeMigration = func(from store.Header) error { return d.backUp(path, from) }
	}
	d.db, err = store.Open(ctx, engine, kek, options)
	if err != nil {
		return errors.Join(explainOpen(err, d), engine.Close())
	}
	if err := d.anchors.check(ctx, d.db); err != nil {
		return err
	}
	return d.finishKEK(ctx)
}

// backUp copies the database beside itself before a migration. Nothing else uses it yet.
func (d *Daemon) backUp(path string, from store.Header) error {
	copied := fmt.Sprintf("%s.form%d-%d", path, from.Format, from.Schema)
	if err := copyFile(path, copied); err != nil {
		return fmt.Errorf("copy the database to %s: %w", copied, err)
	}
	d.log.Info("the data has an older form: it is changed to that of this bankd, after a copy was made",
		"format", from.Format, "schema", from.Schema, "copy", copied)
	return nil
}

const copying = ".copy-*"

// copyFile writes a complete copy or none.
func copyFile(from, to string) error {
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(to), copying)); err == nil { // of a start that was killed
		for _, name := range left {
			_ = os.Remove(name)
		}
	}
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	aside, err := os.CreateTemp(filepath.Dir(to), copying) // 0600
	if err != nil {
		return err
	}
	defer os.Remove(aside.Name())
	_, err = io.Copy(aside, source)
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return err
	}
	return os.Rename(aside.Name(), to)
}

func explainOpen(err error, d *Daemon) error {
	switch {
	case errors.Is(err, store.ErrWrongKey):
		return fmt.Errorf("%w; %s", err, d.nameKey())
	case errors.Is(err, store.ErrOtherEnvironment):
		return fmt.Errorf("%w; start with the other --plaid, or another --data-dir", err)
	case errors.Is(err, store.ErrNewerSchema):
		return fmt.Errorf("%w; install a newer bankd", err)
	case errors.Is(err, store.ErrDamaged):
		return fmt.Errorf("%w; restore a backup (`bankd restore`)", err)
	}
	return err
}
