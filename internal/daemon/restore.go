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
	"time"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/backup"
	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/private"
	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/vault"
)

// Restored is what a restore, or the check of a backup, found. Everything was decrypted and compared.
type Restored struct {
	MadeAt      time.Time `json:"made_at"`
	DB          string    `json:"db_id"`
	Environment string    `json:"environment"`
	Entries     uint64    `json:"entries"`
	Bytes       uint64    `json:"bytes"`
	Records     int       `json:"records"`
	Tenants     int       `json:"tenants"`
	Audit       int       `json:"audit_records"` // in chains that hold
}

// offline does what needs no running bankd.
type offline struct {
	*Daemon
	backup   io.Reader
	identity string // file of secret keys
	newKey   string // where a key is made if the data's own is lost
}

func newOffline(c config.Config, log *slog.Logger, from io.Reader, identity string) *offline {
	o := &offline{&Daemon{config: c, log: log, now: time.Now}, from, identity, c.KeyFile}
	o.anchors = o.newAnchors(Options{})
	return o
}

// restore writes the backup's database into the data directory, which must have none, and keeps a new anchor. The file
// gets its name after everything in it was checked: what is interrupted leaves no database.
func (o *offline) restore(ctx context.Context) (r Restored, err error) {
	path := filepath.Join(o.config.DataDir, databaseFile)
	lock, err := socket.AcquireLock(o.config.DataDir)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
		return r, fmt.Errorf("there is a database at %s: a restore never replaces one; move it away first, or name an empty --data-dir", path)
	}
	aside := path + ".restoring"
	if err := os.Remove(aside); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return r, err
	}
	defer os.Remove(aside) // gone by then where all went well
	err = o.load(ctx, aside, func(db *store.DB, found Restored) error {
		r = found
		err := db.Update(ctx, func(tx *store.Tx) error {
			return upkeep.Put(tx, store.SystemTenant, upkeepID, marks{Restored: found.MadeAt})
		})
		if err != nil || o.anchors.keeper == nil {
			return err
		}
		o.db = db
		if !o.keepAnchor(ctx) {
			return errors.New("the anchor cannot be kept: without it the restored data would be refused as old")
		}
		return nil
	})
	if err != nil {
		return r, err
	}
	if err := os.Rename(aside, path); err != nil {
		return r, err
	}
	return r, syncDir(o.config.DataDir)
}

// verify restores the backup into a directory of its own, checks it and deletes it.
func (o *offline) verify(ctx context.Context) (r Restored, err error) {
	dir, err := os.MkdirTemp("", "bankd-verify-*")
	if err != nil {
		return r, err
	}
	defer os.RemoveAll(dir)
	o.newKey = filepath.Join(dir, "kek")
	err = o.load(ctx, filepath.Join(dir, databaseFile), func(_ *store.DB, found Restored) error {
		r = found
		return nil
	})
	return r, err
}

// load fills a new database from the backup, checks all of it, and calls then before it closes it.
func (o *offline) load(ctx context.Context, path string, then func(*store.DB, Restored) error) (err error) {
	id, err := openIdentity(o.identity)
	if err != nil {
		return err
	}
	from, err := backup.NewReader(o.backup, id.Age()...)
	if err != nil {
		return err
	}
	if from.Header.Environment != o.config.Plaid {
		return fmt.Errorf("the backup is of environment %s: name it with --plaid %s", from.Header.Environment, from.Header.Environment)
	}
	engine, err := bolt.Open(path)
	if err != nil {
		return fmt.Errorf("make database: %w", err)
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	if err := store.Fill(ctx, engine, from.Next); err != nil {
		return err
	}
	db, err := o.openFilled(ctx, engine, id)
	if err != nil {
		return err
	}
	counts := from.Counts()
	found := Restored{MadeAt: from.Header.At, DB: db.Header().ID, Environment: from.Header.Environment, Entries: counts.Entries, Bytes: counts.Bytes}
	if err := found.check(ctx, db); err != nil {
		return err
	}
	return then(db, found)
}

// openFilled opens the restored data by the configured key. If that is lost or another, it takes the keys from the
// escrow in the data, which the identity opens too.
func (o *offline) openFilled(ctx context.Context, engine store.Engine, id vault.Identity) (*store.DB, error) {
	options := store.Options{Environment: o.config.Plaid, Schema: bank.Schema}
	kek, err := o.keptKEK(ctx)
	if err != nil {
		return nil, err
	}
	why := fmt.Errorf("there is no key at %s, and without the key that the backup was made under nothing can be read: put it back, or name it with --key-file", o.config.KeyFile)
	if kek != nil {
		db, err := store.Open(ctx, engine, kek, options)
		if !errors.Is(err, store.ErrWrongKey) {
			return db, explainOpen(err, o.Daemon)
		}
		why = explainOpen(err, o.Daemon)
	}
	made := kek == nil
	if made {
		if kek, err = vault.CreateFileKEK(o.newKey); err != nil {
			return nil, err
		}
	}
	if _, err := store.Recover(ctx, engine, id, kek); err != nil {
		if made {
			_ = os.Remove(o.newKey)
		}
		if errors.Is(err, store.ErrNoEscrow) || errors.Is(err, store.ErrWrongIdentity) {
			return nil, fmt.Errorf("%w (%w)", why, err)
		}
		return nil, err
	}
	o.log.Info("the key that the backup was made under is not here: its data keys came from the escrow, by the identity", "kek_id", kek.ID(), "made", made)
	db, err := store.Open(ctx, engine, kek, options)
	return db, explainOpen(err, o.Daemon)
}

// keptKEK opens the configured key; nil if it is a file that is missing. It never makes one, which would open nothing.
func (o *offline) keptKEK(ctx context.Context) (vault.KEK, error) {
	if p := o.config.KEK.Provider; p != "" && p != config.FileKEK {
		return o.openKEK(ctx, "")
	}
	kek, err := vault.OpenFileKEK(o.config.KeyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return kek, err
}

// check decrypts every record and follows every audit chain.
func (r *Restored) check(ctx context.Context, db *store.DB) error {
	report, err := db.Scrub(ctx, nil)
	if err != nil {
		return err
	}
	if err := db.Damage(); err != nil {
		return err
	}
	r.Records, r.Tenants = report.Records, len(db.Tenants())
	for _, tenant := range db.Tenants() {
		chain, err := audit.Verify(ctx, db, tenant)
		if err != nil {
			return err
		}
		if !chain.Intact {
			return fmt.Errorf("the audit chain of tenant %s does not hold from record %d on", tenant, chain.FirstBad)
		}
		r.Audit += chain.Records
	}
	return nil
}

// openIdentity reads a recipient's secret key, which nobody else may read.
func openIdentity(path string) (vault.Identity, error) {
	f, err := os.Open(path)
	if err != nil {
		return vault.Identity{}, fmt.Errorf("read identity: %w", err)
	}
	defer f.Close()
	if err := private.Secret(f, path); err != nil {
		return vault.Identity{}, fmt.Errorf("read identity: %w", err)
	}
	return vault.OpenIdentity(path)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
