package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// backupRest is the pause after a backup that failed.
const backupRest = 15 * time.Minute

// keepBackups makes backups on schedule until ctx ends. One that is overdue at the start is made at once.
func (d *Daemon) keepBackups(ctx context.Context) {
	for {
		wait, err := d.untilBackup(ctx)
		if err == nil && wait <= 0 {
			if err = d.makeBackup(ctx); err == nil {
				continue
			}
		}
		if err != nil && ctx.Err() == nil {
			d.log.Error("cannot make a backup", "dir", d.config.Backups.Dir, "error", err.Error())
			if err := d.bank.NoteBackupFailed(ctx, err.Error()); err != nil {
				d.log.Error("cannot note that a backup failed", "error", err.Error())
			}
			wait = backupRest
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}

func (d *Daemon) untilBackup(ctx context.Context) (time.Duration, error) {
	files, err := d.backupFiles()
	if err != nil || len(files) == 0 {
		return 0, err
	}
	made, err := time.Parse(backupTime, d.backupStamp(files[len(files)-1]))
	if err != nil {
		return 0, err
	}
	return made.Add(d.config.Backups.Every).Sub(d.now()), ctx.Err()
}

// The names of backups sort by time: bankd-ENV-STORE-20260102T150405Z.age.
const (
	backupTime   = "20060102T150405Z"
	backupSuffix = ".age"
)

func (d *Daemon) backupPrefix() string {
	return fmt.Sprintf("bankd-%s-%s-", d.config.Plaid, d.db.Header().ID[:8])
}

func (d *Daemon) backupStamp(name string) string {
	return strings.TrimSuffix(strings.TrimPrefix(name, d.backupPrefix()), backupSuffix)
}

// backupFiles lists the backups of this store, oldest first.
func (d *Daemon) backupFiles() ([]string, error) {
	if err := os.MkdirAll(d.config.Backups.Dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(d.config.Backups.Dir)
	var files []string
	for _, e := range entries {
		if _, err := time.Parse(backupTime, d.backupStamp(e.Name())); err == nil && strings.HasPrefix(e.Name(), d.backupPrefix()) {
			files = append(files, e.Name())
		}
	}
	slices.Sort(files)
	return files, err
}

// makeBackup writes one backup, complete or not at all, then deletes those that are too many.
func (d *Daemon) makeBackup(ctx context.Context) error {
	dir := d.config.Backups.Dir
	aside, err := os.CreateTemp(dir, ".backup-*") // 0600
	if err != nil {
		return err
	}
	defer os.Remove(aside.Name())
	at := d.now().UTC()
	err = d.bank.BackUpOnSchedule(ctx, d.config.Backups.To, aside)
	if err := errors.Join(err, aside.Sync(), aside.Close()); err != nil {
		return err
	}
	name := d.backupPrefix() + at.Format(backupTime) + backupSuffix
	if err := os.Rename(aside.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return err
	}
	d.log.Info("backup made", "file", filepath.Join(dir, name))
	files, err := d.backupFiles()
	for ; err == nil && len(files) > d.config.Backups.Keep; files = files[1:] {
		err = os.Remove(filepath.Join(dir, files[0]))
	}
	return err
}
