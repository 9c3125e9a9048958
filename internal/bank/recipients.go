package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/backup"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// recipients may be sent numbers, by name. Whoever adds one decides where numbers can go, so only the local owner may.
var recipients = store.NewCollection[account.Recipient]("recipients")

func ownerOnly(c tenant.Caller, what string) error {
	if c.LocalOwner {
		return nil
	}
	return fault.New(fault.Forbidden, "%s by the local owner", what).WithHint("run it as the user that runs bankd, without a profile")
}

// AddRecipient registers who may be sent the numbers of the tenant's ACH accounts. A name is never given a new key.
func (b *Bank) AddRecipient(ctx context.Context, c tenant.Caller, p account.RecipientParams) (account.Recipient, error) {
	if err := ownerOnly(c, "recipients are registered"); err != nil {
		return account.Recipient{}, err
	}
	if _, err := backup.Recipients([]string{p.Key}); err != nil {
		return account.Recipient{}, fault.Field("key", "is not a public key of age (age1…)")
	}
	r := account.Recipient{Name: p.Name, Key: p.Key, CreatedAt: b.time()}
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		if _, err := recipients.Get(tx, c.TenantID, r.Name); !errors.Is(err, store.ErrNotFound) {
			return auditEvent{}, errors.Join(err, fault.New(fault.Duplicate, "there is a recipient of this name").WithID(r.Name))
		}
		d := auditEvent{action: "recipient.add", object: "recipient:" + r.Name, details: map[string]string{"key": r.Key}, reply: r, status: 201}
		return d, recipients.Put(tx, c.TenantID, r.Name, r)
	})
	return r, err
}

// ListRecipients lists the tenant's recipients by name.
func (b *Bank) ListRecipients(ctx context.Context, c tenant.Caller, p page.Request) ([]account.Recipient, page.Info, error) {
	all := []account.Recipient{}
	err := b.db.View(ctx, func(tx *store.Tx) error {
		all = all[:0]
		for rec, err := range recipients.Scan(tx, c.TenantID, store.Range{}) {
			if err != nil {
				return err
			}
			all = append(all, rec.Value)
		}
		return nil
	})
	rows, info := page.Of(all, p)
	return rows, info, err
}

// RemoveRecipient ends a recipient: files that it has stay readable to it, new ones are refused.
func (b *Bank) RemoveRecipient(ctx context.Context, c tenant.Caller, name string) (account.Recipient, error) {
	if err := ownerOnly(c, "recipients are removed"); err != nil {
		return account.Recipient{}, err
	}
	var r account.Recipient
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		var err error
		if r, err = recipient(tx, c.TenantID, name); err != nil {
			return auditEvent{}, err
		}
		return auditEvent{action: "recipient.remove", object: "recipient:" + name, reply: r}, recipients.Delete(tx, c.TenantID, name)
	})
	return r, err
}

func recipient(tx *store.Tx, tenantID, name string) (account.Recipient, error) {
	if !store.ValidID(name) {
		return account.Recipient{}, fault.New(fault.NotFound, "no such recipient")
	}
	r, err := recipients.Get(tx, tenantID, name)
	return r, missing(err, "recipient")
}
