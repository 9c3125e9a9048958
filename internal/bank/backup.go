package bank

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"filippo.io/age"

	"github.com/bankctl/bankctl/internal/backup"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Backup checks that c may have a backup for the recipients (age public keys; none: those of the escrow) and audits it.
// The function that it returns writes the backup: every entry of one snapshot, sealed as it is stored, then encrypted to
// the recipients.
func (b *Bank) Backup(ctx context.Context, c tenant.Caller, to []string) (func(context.Context, io.Writer) (backup.Counts, error), error) {
	if err := ownerOnly(c, "backups are made"); err != nil {
		return nil, err
	}
	recipients, err := b.backupRecipients(ctx, to)
	if err != nil {
		return nil, err
	}
	err = b.write(ctx, c, func(*store.Tx) (auditEvent, error) {
		return auditEvent{action: "store.backup", object: "store:" + b.db.Header().ID, details: map[string]string{"recipients": strconv.Itoa(len(recipients))}}, nil
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, w io.Writer) (backup.Counts, error) {
		return b.writeBackup(ctx, w, recipients)
	}, nil
}

// BackUpOnSchedule writes a backup to w, as the system.
func (b *Bank) BackUpOnSchedule(ctx context.Context, to []string, w io.Writer) error {
	t, err := b.TenantByName(ctx, tenant.DefaultName)
	if err != nil {
		return err
	}
	c := system(t.ID)
	c.LocalOwner = true
	write, err := b.Backup(ctx, c, to)
	if err != nil {
		return err
	}
	_, err = write(ctx, w)
	return err
}

func (b *Bank) backupRecipients(_ context.Context, to []string) ([]age.Recipient, error) {
	if len(to) == 0 {
		for _, r := range b.db.Recipients() {
			to = append(to, r.Key)
		}
	}
	if len(to) == 0 {
		return nil, fault.Field("to", "name at least one recipient (age1…): there is no escrow whose recipients could be taken")
	}
	recipients, err := backup.Recipients(to)
	if err != nil {
		return nil, fault.Field("to", err.Error())
	}
	return recipients, nil
}

func (b *Bank) writeBackup(ctx context.Context, to io.Writer, recipients []age.Recipient) (backup.Counts, error) {
	var w *backup.Writer
	at := b.time()
	begin := func(commits map[string]uint64) (err error) {
		h := b.db.Header()
		w, err = backup.NewWriter(to, recipients, backup.Header{
			DB: h.ID, Environment: h.Environment, Format: h.Format, Schema: h.Schema, KEK: h.KEK, Commits: commits, At: at, Program: status.Version,
		})
		return err
	}
	add := func(key, value []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return w.Add(key, value)
	}
	if err := b.db.Copy(ctx, begin, add); err != nil {
		return backup.Counts{}, fmt.Errorf("back up: %w", err)
	}
	counts, err := w.Close()
	if err != nil {
		return counts, err
	}
	return counts, b.noteBackup(context.WithoutCancel(ctx), at, counts)
}
