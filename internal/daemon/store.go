package daemon

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/vault"
)

const databaseFile = "bankd.db"

// openStore locks the data directory, finds the key and opens the database.
func (d *Daemon) openStore(ctx context.Context, o Options) (err error) {
	engine, kek := o.Engine, o.KEK
	if engine == nil {
		if d.lock, err = socket.AcquireLock(d.config.DataDir); err != nil {
			return err
		}
		path := filepath.Join(d.config.DataDir, databaseFile)
		if kek, err = d.openKey(path); err != nil {
			return err
		}
		if engine, err = bolt.Open(path); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
	}
	d.db, err = store.Open(ctx, engine, kek, store.Options{Environment: d.config.Plaid, Schema: bank.Schema, Now: o.Now})
	if err != nil {
		return errors.Join(explainOpen(err, d), engine.Close())
	}
	return nil
}

// openKey opens the key file, or makes one if neither a key nor a database exists.
func (d *Daemon) openKey(database string) (vault.KEK, error) {
	kek, err := vault.OpenFileKEK(d.config.KeyFile)
	if !errors.Is(err, fs.ErrNotExist) {
		return kek, err
	}
	if _, statErr := os.Stat(database); !errors.Is(statErr, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is a database at %s but no key at %s: put the key back, or name it with --key-file; nothing was changed", database, d.config.KeyFile)
	}
	if !d.config.MayCreateKey {
		return nil, err
	}
	kek, err = vault.CreateFileKEK(d.config.KeyFile)
	if err == nil {
		d.log.Info("made the key to the data: keep a copy of it apart from the data, which nobody can read without it", "key_file", d.config.KeyFile)
	}
	return kek, err
}

func explainOpen(err error, d *Daemon) error {
	switch {
	case errors.Is(err, store.ErrWrongKey):
		return fmt.Errorf("%w; name the right key with --key-file (now %s)", err, d.config.KeyFile)
	case errors.Is(err, store.ErrOtherEnvironment):
		return fmt.Errorf("%w; start with the other --plaid, or another --data-dir", err)
	case errors.Is(err, store.ErrNewerSchema):
		return fmt.Errorf("%w; install a newer bankd", err)
	}
	return err
}

// patience is how long a start waits for the check of all data; with a larger database the check goes on in the
// background.
const patience = 300 * time.Millisecond

// checkStore reads everything once and compares it with the manifests, so that nothing was removed or changed while the
// daemon was down. Damage found while verdict waits refuses the start; found later, it turns /readyz red.
func (d *Daemon) checkStore(ctx context.Context) (verdict func() error) {
	result, enough := make(chan error, 1), time.After(patience)
	d.work.Go(func() {
		report, err := d.db.Scrub(ctx)
		if err == nil && len(report.Problems) > 0 {
			err = fmt.Errorf("the data is damaged in %d places, the first at %s: %s; restore a backup, nothing was changed",
				len(report.Problems)+report.More, report.Problems[0].Key, report.Problems[0].Reason)
		}
		if err != nil && ctx.Err() == nil {
			d.mu.Lock()
			d.problem = "the data is damaged"
			d.mu.Unlock()
			d.log.Error("check of the data failed", "error", err.Error())
		}
		result <- err
	})
	return func() error {
		select {
		case err := <-result:
			return err
		case <-enough:
			return nil
		}
	}
}
