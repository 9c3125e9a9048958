package bank

import (
	"context"
	"fmt"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// AddTenant makes a tenant with its own data keys; only the local owner may.
func (b *Bank) AddTenant(ctx context.Context, c tenant.Caller, p tenant.AddParams) (tenant.Tenant, error) {
	if err := ownerOnly(c, "tenants are made"); err != nil {
		return tenant.Tenant{}, err
	}
	return b.makeTenant(ctx, c, p.Name)
}

func (b *Bank) makeTenant(ctx context.Context, c tenant.Caller, name string) (tenant.Tenant, error) {
	t := tenant.Tenant{ID: newID(b.time()), Name: name, CreatedAt: b.time()}
	if held, err := b.TenantByName(ctx, name); err == nil {
		return tenant.Tenant{}, fault.New(fault.Duplicate, "there is a tenant of this name").WithID(held.ID)
	}
	// The keys come first, outside the transaction: wrapping them may be a call over the network.
	if err := b.db.EnsureTenant(ctx, t.ID); err != nil {
		return tenant.Tenant{}, fmt.Errorf("make tenant keys: %w", explainKEK(err))
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

// ListTenants lists the tenants: all for the local owner, its own for an admin.
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

// TenantByName finds a tenant by name.
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
