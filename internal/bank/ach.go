package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// AddACH makes an ACH account by hand; it starts unverified (R39-R48).
func (b *Bank) AddACH(ctx context.Context, c tenant.Caller, p account.AddACHParams) (account.ACH, error) {
	employer, carrier := account.OwnerPair(p.OwnerType, p.OwnerID)
	if err := allowed(c, employer, carrier); err != nil {
		return account.ACH{}, err
	}
	a, err := b.newACH(c.TenantID, p.OwnerType, p.OwnerID, p.Typed())
	if err != nil {
		return account.ACH{}, err
	}
	if b.Live() && !a.numbers().Routing.Issued() {
		return account.ACH{}, fault.Field("routing_number", "begins as no routing number that is given out")
	}
	a.Status, a.BankName, a.AccountType, a.Nickname = account.Unverified, p.BankName, p.AccountType, p.Nickname
	a.ConnectionType, a.BankAccountID, a.IsPrimary = account.Manual, p.BankAccountID, p.IsPrimary != nil && *p.IsPrimary
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		if err := joinable(tx, c, a.ACH); err != nil {
			return auditEvent{}, err
		}
		d := auditEvent{action: "ach.add", object: "ach:" + a.ID, reply: a.ACH, status: 201}
		return d, putNewACH(tx, c.TenantID, a)
	})
	return a.ACH, err
}

// newACH begins a record for numbers: the part that replies show, and the keyed fingerprint by which the numbers are
// found.
func (b *Bank) newACH(tenantID, ownerType, ownerID string, n ach.Numbers) (storedACH, error) {
	parts := append([][]byte{[]byte(ownerType), []byte(ownerID)}, n.FingerprintParts()...)
	fp, err := b.db.Fingerprint(tenantID, "ach numbers", parts...)
	now := b.time()
	return storedACH{
		Routing: n.Routing.Reveal(), Number: n.Account.Reveal(), Fingerprint: fp,
		ACH: account.ACH{
			ID: newID(now), OwnerType: ownerType, OwnerID: ownerID, AccountLast4: n.Account.Last4(), RoutingLast4: n.Routing.Last4(),
			CreatedAt: now, UpdatedAt: now,
		},
	}, err
}

// joinable checks the bank account that an ACH account shall be joined to (A12).
func joinable(tx *store.Tx, c tenant.Caller, a account.ACH) error {
	if a.BankAccountID == "" {
		return nil
	}
	meta, err := seenAccount(tx, c, a.BankAccountID)
	if err != nil {
		return inField(err, "bank_account_id", "is not a bank account of yours")
	}
	employer, carrier := a.Owner()
	if employer != "" && meta.EmployerID != employer || carrier != "" && meta.CarrierID != carrier {
		return fault.Field("bank_account_id", "belongs to another owner")
	}
	return nil
}

// putNewACH stores a new ACH account, unless its owner has one with the same numbers.
func putNewACH(tx *store.Tx, tenantID string, a storedACH) error {
	held, err := achNumbers.Get(tx, tenantID, a.Fingerprint)
	if err == nil {
		return fault.New(fault.Duplicate, "this owner has this account already").WithID(held.ID).
			WithHint("use %s, or delete it first", held.ID)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := achNumbers.Put(tx, tenantID, a.Fingerprint, pointer{a.ID}); err != nil {
		return err
	}
	return putACH(tx, tenantID, a)
}

// putACH stores an ACH account. If it is primary, no other of its owner's is.
func putACH(tx *store.Tx, tenantID string, a storedACH) error {
	if a.IsPrimary {
		if err := clearACHPrimaries(tx, tenantID, a); err != nil {
			return err
		}
	}
	return achAccounts.Put(tx, tenantID, a.ID, a)
}

// achWhere collects the ACH accounts of a tenant that a condition selects.
func achWhere(tx *store.Tx, tenantID string, meant func(storedACH) bool) (found []storedACH, err error) {
	for rec, err := range achAccounts.Scan(tx, tenantID, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if meant(rec.Value) {
			found = append(found, rec.Value)
		}
	}
	return found, nil
}

func clearACHPrimaries(tx *store.Tx, tenantID string, primary storedACH) error {
	others, err := achWhere(tx, tenantID, func(a storedACH) bool {
		return a.IsPrimary && a.ID != primary.ID && a.OwnerType == primary.OwnerType && a.OwnerID == primary.OwnerID
	})
	if err != nil {
		return err
	}
	for _, a := range others {
		a.IsPrimary, a.UpdatedAt = false, primary.UpdatedAt
		if err := achAccounts.Put(tx, tenantID, a.ID, a); err != nil {
			return err
		}
	}
	return nil
}

// ListACH lists ACH accounts, newest first (R62-R65).
func (b *Bank) ListACH(ctx context.Context, c tenant.Caller, q account.ACHQuery, p page.Request) ([]account.ACH, page.Info, error) {
	all := []account.ACH{}
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range achAccounts.Scan(tx, c.TenantID, store.Range{Reverse: true}) {
			if err != nil {
				return err
			}
			if a := rec.Value.ACH; c.Sees(a.Owner()) && q.Match(a) {
				all = append(all, a)
			}
		}
		return nil
	})
	rows, info := page.Of(all, p)
	return rows, info, err
}

// GetACH reads one ACH account.
func (b *Bank) GetACH(ctx context.Context, c tenant.Caller, id string) (account.ACH, error) {
	a, err := b.achAccount(ctx, c, id)
	return a.ACH, err
}

// achAccount reads an ACH account that the caller sees.
func (b *Bank) achAccount(ctx context.Context, c tenant.Caller, id string) (a storedACH, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) error {
		a, err = seenACH(tx, c, id)
		return err
	})
	return a, err
}

func seenACH(tx *store.Tx, c tenant.Caller, id string) (storedACH, error) {
	a, err := achAccounts.Get(tx, c.TenantID, id)
	if err == nil && !bankdItself(c) && !c.Sees(a.Owner()) {
		err = store.ErrNotFound
	}
	return a, missing(err, "ACH account")
}

// changeACH reads an ACH account, applies change, and writes it with its audit event.
func (b *Bank) changeACH(ctx context.Context, c tenant.Caller, id string, d auditEvent, change func(*store.Tx, *storedACH) error) (account.ACH, error) {
	var changed account.ACH
	now := b.time()
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		a, err := seenACH(tx, c, id)
		if err != nil {
			return auditEvent{}, err
		}
		was := a.IsPrimary
		if err := change(tx, &a); err != nil {
			return auditEvent{}, err
		}
		a.UpdatedAt = now
		if a.IsPrimary && !was {
			if err := clearACHPrimaries(tx, c.TenantID, a); err != nil {
				return auditEvent{}, err
			}
		}
		changed = a.ACH
		done := d
		done.object, done.reply = "ach:"+id, changed
		return done, achAccounts.Put(tx, c.TenantID, id, a)
	})
	return changed, err
}

// UpdateACH changes an ACH account's editable fields (A8).
func (b *Bank) UpdateACH(ctx context.Context, c tenant.Caller, id string, p account.UpdateACHParams) (account.ACH, error) {
	return b.changeACH(ctx, c, id, auditEvent{action: "ach.update"}, func(_ *store.Tx, a *storedACH) error {
		if p.AccountType != nil && *p.AccountType != a.AccountType && a.Status != account.Unverified {
			return fault.Field("account_type", "can be changed only while the account is unverified")
		}
		if p.Nickname != nil {
			if err := account.CheckNickname(*p.Nickname, a.numbers().Account); err != nil {
				return err
			}
		}
		if p.IsPrimary != nil && *p.IsPrimary && a.Status == account.Disabled {
			return fault.Field("is_primary", "a disabled account cannot be primary")
		}
		set(&a.AccountType, p.AccountType)
		set(&a.Nickname, p.Nickname)
		set(&a.IsPrimary, p.IsPrimary)
		return nil
	})
}

// DeleteACH destroys an ACH account's numbers and removes it from all lists; a tombstone with the last four digits
// stays (A11).
func (b *Bank) DeleteACH(ctx context.Context, c tenant.Caller, id string) (account.Deleted, error) {
	var reply account.Deleted
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		a, err := seenACH(tx, c, id)
		if err != nil {
			return auditEvent{}, err
		}
		reply = account.Deleted{ID: id, Deleted: true, PrimaryRemoved: a.IsPrimary, AccountLast4: a.AccountLast4, ConnectionStays: a.ConnectionID}
		owner := ownerOfACH(a)
		return auditEvent{
			action: "ach.delete", object: "ach:" + id, owner: &owner, details: map[string]string{"last4": a.AccountLast4}, reply: reply,
		}, b.destroyACH(tx, c, a)
	})
	return reply, err
}

func (b *Bank) destroyACH(tx *store.Tx, c tenant.Caller, a storedACH) error {
	if err := achNumbers.Delete(tx, c.TenantID, a.Fingerprint); err != nil {
		return err
	}
	if err := achAccounts.Delete(tx, c.TenantID, a.ID); err != nil {
		return err
	}
	return b.putTombstone(tx, c, tombstone{ID: a.ID, Kind: "ach", Last4: a.AccountLast4})
}
