package bank

import (
	"context"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// AddAccount makes a bank account by hand (R32-R38). It is not linked, whatever its connection_type says (A13).
func (b *Bank) AddAccount(ctx context.Context, c tenant.Caller, p account.AddParams) (account.Account, error) {
	if err := allowed(c, p.EmployerID, p.CarrierID); err != nil {
		return account.Account{}, err
	}
	now := b.time()
	a := storedAccount{Account: account.Account{
		ID: newID(now), UserID: p.UserID, Name: p.Name, BankName: p.BankName, EmployerID: p.EmployerID, CarrierID: p.CarrierID,
		ConnectionType: p.ConnectionType, Status: account.Active, Primary: p.Primary != nil && *p.Primary, CreatedAt: now, UpdatedAt: now,
	}}
	if a.ConnectionType == "" {
		a.ConnectionType = account.Manual
	}
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		if a.Primary {
			if err := clearPrimaries(tx, c.TenantID, a); err != nil {
				return auditEvent{}, err
			}
		}
		return auditEvent{action: "account.add", object: "account:" + a.ID, reply: a.Account, status: 201}, bankAccounts.Put(tx, c.TenantID, a.ID, a)
	})
	return a.Account, err
}

// clearPrimaries ends the primaries of each owner that the new primary shares (A9).
func clearPrimaries(tx *store.Tx, tenantID string, primary storedAccount) error {
	var changed []storedAccount
	for rec, err := range bankAccounts.Scan(tx, tenantID, store.Range{}) {
		if err != nil {
			return err
		}
		if a := rec.Value; a.Yield(primary.Account) {
			a.UpdatedAt = primary.UpdatedAt
			changed = append(changed, a)
		}
	}
	for _, a := range changed {
		if err := bankAccounts.Put(tx, tenantID, a.ID, a); err != nil {
			return err
		}
	}
	return nil
}

// ListAccounts lists bank accounts, newest first (R51-R57).
func (b *Bank) ListAccounts(ctx context.Context, c tenant.Caller, q account.Query, p page.Request) ([]account.Account, page.Info, error) {
	all := []account.Account{}
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range bankAccounts.Scan(tx, c.TenantID, store.Range{Reverse: true}) {
			if err != nil {
				return err
			}
			if a := rec.Value.Account; c.Sees(a.EmployerID, a.CarrierID) && q.Match(a) {
				a.KnowOwed()
				all = append(all, a)
			}
		}
		return nil
	})
	rows, info := page.Of(all, p)
	return rows, info, err
}

// GetAccount reads one bank account.
func (b *Bank) GetAccount(ctx context.Context, c tenant.Caller, id string) (account.Account, error) {
	var a storedAccount
	err := b.db.View(ctx, func(tx *store.Tx) (err error) {
		a, err = seenAccount(tx, c, id)
		return err
	})
	a.KnowOwed()
	return a.Account, err
}

func seenAccount(tx *store.Tx, c tenant.Caller, id string) (storedAccount, error) {
	a, err := bankAccounts.Get(tx, c.TenantID, id)
	if err == nil && !c.Sees(a.EmployerID, a.CarrierID) {
		err = store.ErrNotFound
	}
	return a, missing(err, "bank account")
}

// changeAccount reads an account that the caller may change, applies change, and writes it with its audit event.
func (b *Bank) changeAccount(ctx context.Context, c tenant.Caller, id, action string, change func(*storedAccount)) (account.Account, error) {
	var changed account.Account
	now := b.time()
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		a, err := seenAccount(tx, c, id)
		if err != nil {
			return auditEvent{}, err
		}
		if err := writable(c, a.EmployerID, a.CarrierID, "bank account"); err != nil {
			return auditEvent{}, err
		}
		whole := a.Primary && a.PrimaryNotFor == ""
		change(&a)
		if a.Primary && a.Status != account.Active {
			return auditEvent{}, fault.Field("primary", "an inactive account cannot be primary")
		}
		if err := holdsJoinedNumber(tx, c.TenantID, a); err != nil {
			return auditEvent{}, err
		}
		a.UpdatedAt = now
		if a.Primary && a.PrimaryNotFor == "" && !whole {
			if err := clearPrimaries(tx, c.TenantID, a); err != nil {
				return auditEvent{}, err
			}
		}
		changed = a.Account
		return auditEvent{action: action, object: "account:" + id, reply: changed}, bankAccounts.Put(tx, c.TenantID, id, a)
	})
	return changed, err
}

// UpdateAccount changes a bank account's editable fields (A8).
func (b *Bank) UpdateAccount(ctx context.Context, c tenant.Caller, id string, p account.UpdateParams) (account.Account, error) {
	return b.changeAccount(ctx, c, id, "account.update", func(a *storedAccount) {
		set(&a.Name, p.Name)
		set(&a.BankName, p.BankName)
		set(&a.Status, p.Status)
		if p.Primary != nil {
			a.Primary, a.PrimaryNotFor = *p.Primary, ""
		} else if a.Status == account.Inactive {
			a.Primary, a.PrimaryNotFor = false, ""
		}
	})
}

// holdsJoinedNumber refuses a name that contains the number of an ACH account joined to the bank account.
func holdsJoinedNumber(tx *store.Tx, tenantID string, a storedAccount) error {
	joined, err := joinedACH(tx, tenantID, a.ID)
	if err != nil {
		return err
	}
	var bad fault.Problems
	for _, j := range joined {
		for field, text := range map[string]string{"name": a.Name, "bank_name": a.BankName} {
			if j.numbers().Account.In(text) {
				bad.Add(field, "must not hold an account number")
			}
		}
	}
	return bad.Err()
}

func set[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// SetDefaultAccount makes a bank account its owner's primary (R60, A9).
func (b *Bank) SetDefaultAccount(ctx context.Context, c tenant.Caller, id string) (account.Account, error) {
	return b.changeAccount(ctx, c, id, "account.set_default", func(a *storedAccount) { a.Primary, a.PrimaryNotFor = true, "" })
}

// DeleteAccount deletes a bank account (A10). While ACH accounts are joined to it, it needs cascade, which deletes them
// too. The Plaid connection stays.
func (b *Bank) DeleteAccount(ctx context.Context, c tenant.Caller, id string, cascade bool) (account.Deleted, error) {
	var reply account.Deleted
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		a, err := seenAccount(tx, c, id)
		if err != nil {
			return auditEvent{}, err
		}
		if err := writable(c, a.EmployerID, a.CarrierID, "bank account"); err != nil {
			return auditEvent{}, err
		}
		joined, err := joinedACH(tx, c.TenantID, id)
		if err != nil {
			return auditEvent{}, err
		}
		if len(joined) > 0 && !cascade {
			return auditEvent{}, fault.New(fault.Conflict, "an ACH account is joined to it").WithID(joined[0].ID).
				WithHint("delete that first, or add cascade=true (--cascade)")
		}
		reply = account.Deleted{ID: id, Deleted: true, PrimaryRemoved: a.Primary, ConnectionStays: a.ConnectionID}
		for _, j := range joined {
			employer, carrier := j.Owner()
			if err := writable(c, employer, carrier, "ACH account"); err != nil {
				return auditEvent{}, err
			}
			if err := b.destroyACH(tx, c, j); err != nil {
				return auditEvent{}, err
			}
			reply.AlsoDeletedIDs = append(reply.AlsoDeletedIDs, j.ID)
		}
		if err := b.putTombstone(tx, c, tombstone{ID: id, Kind: "account", Last4: a.Mask}); err != nil {
			return auditEvent{}, err
		}
		if err := keepDeleted(tx, c.TenantID, a); err != nil {
			return auditEvent{}, err
		}
		owner := trail.Owner{EmployerID: a.EmployerID, CarrierID: a.CarrierID}
		return auditEvent{action: "account.delete", object: "account:" + id, owner: &owner, reply: reply}, bankAccounts.Delete(tx, c.TenantID, id)
	})
	return reply, err
}

func joinedACH(tx *store.Tx, tenantID, accountID string) ([]storedACH, error) {
	return achWhere(tx, tenantID, func(a storedACH) bool { return a.BankAccountID == accountID })
}

func (b *Bank) putTombstone(tx *store.Tx, c tenant.Caller, t tombstone) error {
	t.By, t.At = c.Client.ID, b.time()
	return tombstones.Put(tx, c.TenantID, t.ID, t)
}
