package bank

import (
	"context"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// ListAudit lists the tenant's audit records, newest first.
func (b *Bank) ListAudit(ctx context.Context, c tenant.Caller, q trail.Query) ([]trail.Record, error) {
	var all []trail.Record
	err := b.db.View(ctx, func(tx *store.Tx) (err error) {
		all, err = audit.List(tx, c.TenantID, q)
		return err
	})
	return all, err
}

// VerifyAudit checks the tenant's whole audit chain.
func (b *Bank) VerifyAudit(ctx context.Context, c tenant.Caller) (trail.Report, error) {
	return audit.Verify(ctx, b.db, c.TenantID)
}
