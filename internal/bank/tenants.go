package bank

import (
	"context"
	"fmt"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// AddTenant makes a tenant with data keys of its own. The local owner alone may.
func (b *Bank) AddTenant(ctx context.Context, c tenant.Caller, p tenant.AddParams) (tenant.Tenant, error) {
	if !c.LocalOwner {
		return tenant.Tenant{}, fault.New(fault.Forbidden, "tenants are made by the local owner").
			WithHint("run it as the user that runs bankd, without a profile")
	}
	return b.makeTenant(ctx, c, p.Name)
}

func (b *Bank) makeTenant(ctx context.Context, c tenant.Caller, name string) (tenant.Tenant, error) {
	t := tenant.Tenant{ID: newID(b.time()), Name: name, CreatedAt: b.time()}
	if held, err := b.TenantByName(ctx, name); err == nil {
		return tenant.Tenant{}, fault.New(fault.Duplicate, "there is a tenant of this name").WithID(held.ID)
	}
	// Its keys come first and outside the transaction: wrapping them may be a call over the network.
	if err := b.db.EnsureTenant(ctx, t.ID); err != nil {
		return tenant.Tenant{}, fmt.Errorf("make tenant keys: %w", err)
	}
	c.TenantID = t.ID // its own chain begins with its making, where its admins and the local owner read and verify it
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		for rec, err := range tenants.Scan(tx, store.SystemTenant, store.Range{}) {
			if err != nil {
				return auditEvent{}, err
			}
			if rec.Value.Name == name {
				return auditEvent{}, fault.New(fault.Duplicate, "there is a tenant of this name").WithID(rec.ID)
			}
		}
		d := auditEvent{action: "tenant.add", object: "tenant:" + t.ID, reply: t, status: 201}
		return d, tenants.Put(tx, store.SystemTenant, t.ID, t)
	})
	return t, err
}

// ListTenants lists them; the local owner sees all, an admin its own.
func (b *Bank) ListTenants(ctx context.Context, c tenant.Caller, p page.Request) ([]tenant.Tenant, page.Info, error) {
	all, err := b.allTenants(ctx)
	if err != nil {
		return nil, page.Info{}, err
	}
	if !c.LocalOwner {
		all = keepIf(all, func(t tenant.Tenant) bool { return t.ID == c.TenantID })
	}
	rows, info := page.Of(all, p)
	return rows, info, nil
}

func keepIf[T any](all []T, keep func(T) bool) []T {
	kept := []T{}
	for _, v := range all {
		if keep(v) {
			kept = append(kept, v)
		}
	}
	return kept
}

func (b *Bank) allTenants(ctx context.Context) ([]tenant.Tenant, error) { return tenantsOf(ctx, b.db) }

func tenantsOf(ctx context.Context, db *store.DB) ([]tenant.Tenant, error) {
	all := []tenant.Tenant{}
	err := db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range tenants.Scan(tx, store.SystemTenant, store.Range{}) {
			if err != nil {
				return err
			}
			all = append(all, rec.Value)
		}
		return nil
	})
	return all, err
}

// TenantByName finds a tenant, or says that there is none.
func (b *Bank) TenantByName(ctx context.Context, name string) (tenant.Tenant, error) {
	all, err := b.allTenants(ctx)
	if err != nil {
		return tenant.Tenant{}, err
	}
	for _, t := range all {
		if t.Name == name {
			return t, nil
		}
	}
	return tenant.Tenant{}, fault.New(fault.NotFound, "no such tenant").WithHint("`bankctl tenant list` shows them")
}
