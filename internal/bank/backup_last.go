package bank

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/backup"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// lastBackup is what is known of the newest backup.
type lastBackup struct {
	At       time.Time `json:"at"`
	Entries  uint64    `json:"entries"`
	Verified time.Time `json:"verified,omitzero"` // the newest backup that was verified is of this time
	Problem  string    `json:"problem,omitempty"` // why the last one on schedule failed
}

var backups = store.NewCollection[lastBackup]("backups") // system

const newestBackup = "newest"

// LastBackup returns when the newest backup was made, and when the newest one that was verified; zero: never.
func (b *Bank) LastBackup(ctx context.Context) (made, verified time.Time, err error) {
	last, err := b.readLastBackup(ctx)
	return last.At, last.Verified, err
}

func (b *Bank) readLastBackup(ctx context.Context) (last lastBackup, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) (err error) {
		last, err = backups.Get(tx, store.SystemTenant, newestBackup)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return lastBackup{}, nil
	}
	return last, err
}

func (b *Bank) changeLastBackup(ctx context.Context, change func(*lastBackup)) error {
	return b.update(ctx, func(tx *store.Tx) error {
		last, err := backups.Get(tx, store.SystemTenant, newestBackup)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		change(&last)
		return backups.Put(tx, store.SystemTenant, newestBackup, last)
	})
}

func (b *Bank) noteBackup(ctx context.Context, at time.Time, counts backup.Counts) error {
	return b.changeLastBackup(ctx, func(last *lastBackup) {
		last.At, last.Entries, last.Problem = at, counts.Entries, ""
	})
}

// NoteBackupFailed remembers why a backup on schedule could not be made.
func (b *Bank) NoteBackupFailed(ctx context.Context, problem string) error {
	return b.changeLastBackup(ctx, func(last *lastBackup) { last.Problem = problem })
}

// NoteBackupVerified remembers that a backup of this store was opened, and everything in it was whole.
func (b *Bank) NoteBackupVerified(ctx context.Context, c tenant.Caller, p tenant.BackupVerified) error {
	if err := ownerOnly(c, "backups are verified"); err != nil {
		return err
	}
	if p.DB != b.db.Header().ID {
		return fault.Field("db_id", "the backup is of another store")
	}
	return b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		last, err := backups.Get(tx, store.SystemTenant, newestBackup)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return auditEvent{}, err
		}
		if p.MadeAt.After(last.Verified) {
			last.Verified = p.MadeAt
		}
		d := auditEvent{action: "store.backup_verified", object: "store:" + p.DB, details: map[string]string{"made_at": p.MadeAt.Format(time.RFC3339)}}
		return d, backups.Put(tx, store.SystemTenant, newestBackup, last)
	})
}

// Ages beyond which a real bank's data wants a newer backup, and a look into one.
const (
	oldBackup       = 7 * 24 * time.Hour
	oldVerification = 31 * 24 * time.Hour
)

// examineBackup asks for a backup where the data is of real banks.
func (b *Bank) examineBackup(ctx context.Context, _ tenant.Caller) (status.Check, error) {
	last, err := b.readLastBackup(ctx)
	check := status.Check{Name: "backup", Result: status.Fine}
	switch age := b.time().Sub(last.At); {
	case err != nil:
		return check, err
	case last.Problem != "":
		check.Result, check.Detail, check.Hint = status.Broken, "the last one on schedule failed: "+last.Problem, "mend it, then `bankctl backup --out F`"
	case last.At.IsZero():
		check.Detail, check.Hint = "none was made", "`bankctl backup --out F`, or set backup_dir"
	case age > oldBackup:
		check.Detail, check.Hint = fmt.Sprintf("the newest is %d days old", int(age.Hours()/24)), "`bankctl backup --out F`, or set backup_dir"
	case b.time().Sub(last.Verified) > oldVerification:
		check.Detail, check.Hint = "none of the last month was opened to see that it is whole", "`bankctl backup verify F --identity KEY`"
	default:
		check.Detail = fmt.Sprintf("made %s, %d entries; one of %s was verified", last.At.Format(time.DateOnly), last.Entries, last.Verified.Format(time.DateOnly))
	}
	if check.Hint != "" && check.Result == status.Fine && b.Live() {
		check.Result = status.Attention
	}
	return check, nil
}
