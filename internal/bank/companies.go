package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// GetCompany returns a company's capabilities; none for an unknown company.
func (b *Bank) GetCompany(ctx context.Context, c tenant.Caller, company string) (employee.Capabilities, error) {
	if err := administers(c, company); err != nil {
		return employee.Capabilities{}, err
	}
	return b.company(ctx, c.TenantID, company)
}

// administers refuses a malformed company id, or one outside an admin's scope.
func administers(c tenant.Caller, company string) error {
	if !c.LocalOwner && !c.SeesCompany(company) {
		return fault.New(fault.NotFound, "no such company")
	}
	if err := tenant.CheckOwnerID(company); err != nil {
		return fault.Field("companyId", err.Error())
	}
	return nil
}

func (b *Bank) company(ctx context.Context, tenantID, company string) (caps employee.Capabilities, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) error {
		caps, err = companyIn(tx, tenantID, company)
		return err
	})
	return caps, err
}

func companyIn(tx *store.Tx, tenantID, company string) (employee.Capabilities, error) {
	caps, err := companies.Get(tx, tenantID, company)
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadName) {
		return employee.NoCapabilities(company), nil
	}
	return caps, err
}

// EnableCapability switches a capability on, and sets the policy for banks that give out aliases.
func (b *Bank) EnableCapability(ctx context.Context, c tenant.Caller, company, name string, p employee.CapabilityParams) (employee.Capabilities, error) {
	return b.changeCompany(ctx, c, company, name, "company.enable", func(caps employee.Capabilities) employee.Capabilities {
		return caps.With(name, p, b.time())
	})
}

// DisableCapability switches a capability off; verified accounts stay verified (A41).
func (b *Bank) DisableCapability(ctx context.Context, c tenant.Caller, company, name string) (employee.Capabilities, error) {
	return b.changeCompany(ctx, c, company, name, "company.disable", func(caps employee.Capabilities) employee.Capabilities {
		return caps.Without(name, b.time())
	})
}

func (b *Bank) changeCompany(ctx context.Context, c tenant.Caller, company, name, action string, change func(employee.Capabilities) employee.Capabilities) (employee.Capabilities, error) {
	if err := administers(c, company); err != nil {
		return employee.Capabilities{}, err
	}
	if err := employee.CheckCapability(name); err != nil {
		return employee.Capabilities{}, err
	}
	var changed employee.Capabilities
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		caps, err := companyIn(tx, c.TenantID, company)
		if err != nil {
			return auditEvent{}, err
		}
		changed = change(caps)
		d := auditEvent{action: action, object: "company:" + company, reply: changed, details: map[string]string{
			"capability": name, "tokenized_policy": string(changed.TokenizedPolicy),
		}}
		return d, companies.Put(tx, c.TenantID, company, changed)
	})
	return changed, err
}
