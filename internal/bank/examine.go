package bank

import (
	"context"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Examine reads all data and the tenant's audit chain, and lists what needs somebody's attention.
func (b *Bank) Examine(ctx context.Context, c tenant.Caller) (status.Examination, error) {
	var out status.Examination
	for _, examine := range []func(context.Context, tenant.Caller) (status.Check, error){
		b.examineData, b.examineAudit, b.examineConnections, b.examineStale, b.examineEnds, b.examineRemovals, b.examineBackup,
	} {
		check, err := examine(ctx, c)
		if err != nil {
			return out, err
		}
		out.Checks = append(out.Checks, check)
	}
	out.OK = true
	for _, check := range out.Checks {
		out.OK = out.OK && check.Result == status.Fine
	}
	return out, nil
}

func (b *Bank) examineData(ctx context.Context, _ tenant.Caller) (status.Check, error) {
	report, err := b.db.Scrub(ctx, nil)
	if err != nil {
		return status.Check{}, err
	}
	if n := len(report.Problems) + report.More; n > 0 {
		return status.Check{Name: "data", Result: status.Broken, Detail: fmt.Sprintf("damaged in %d places", n), Hint: "stop bankd and restore a backup; nothing was changed"}, nil
	}
	return status.Check{Name: "data", Result: status.Fine, Detail: fmt.Sprintf("%d records read, all whole", report.Records)}, nil
}

func (b *Bank) examineAudit(ctx context.Context, c tenant.Caller) (status.Check, error) {
	report, err := audit.Verify(ctx, b.db, c.TenantID)
	if err != nil {
		return status.Check{}, err
	}
	if !report.Intact {
		return status.Check{Name: "audit", Result: status.Broken, Detail: "the audit chain does not hold", Hint: "`bankctl audit verify` says where"}, nil
	}
	return status.Check{Name: "audit", Result: status.Fine, Detail: fmt.Sprintf("%d records, one chain", report.Records)}, nil
}

func (b *Bank) examineConnections(ctx context.Context, c tenant.Caller) (status.Check, error) {
	known, err := b.linkedBanks(ctx, c.TenantID)
	if err != nil {
		return status.Check{}, err
	}
	linked, broken := 0, 0
	for _, conn := range known {
		if conn.Status == connection.Removed {
			continue
		}
		linked++
		if conn.Status != connection.Active {
			broken++
		}
	}
	if broken > 0 {
		return status.Check{Name: "connections", Result: status.Attention, Detail: fmt.Sprintf("%d of %d not active", broken, linked), Hint: "`bankctl connections list` shows which, and what mends each"}, nil
	}
	return status.Check{Name: "connections", Result: status.Fine, Detail: fmt.Sprintf("%d, all active", linked)}, nil
}

// stale is how old the last reading of a connection may be: bankd reads each several times a day.
const stale = 2 * 24 * time.Hour

func (b *Bank) examineStale(ctx context.Context, c tenant.Caller) (status.Check, error) {
	known, err := b.linkedBanks(ctx, c.TenantID)
	if err != nil {
		return status.Check{}, err
	}
	old, now := 0, b.time()
	for _, conn := range known {
		last := conn.CreatedAt
		if conn.SyncedAt != nil {
			last = *conn.SyncedAt
		}
		if conn.Status == connection.Active && now.Sub(last) > stale {
			old++
		}
	}
	if old > 0 {
		return status.Check{Name: "stale", Result: status.Attention, Detail: fmt.Sprintf("%d active connections were not read for two days", old), Hint: "`bankctl sync --all`; the log says why the rounds fail"}, nil
	}
	return status.Check{Name: "stale", Result: status.Fine, Detail: "every active connection was read within two days"}, nil
}

func (b *Bank) examineEnds(ctx context.Context, c tenant.Caller) (status.Check, error) {
	ends, err := b.expiring(ctx, c.TenantID, soon, func(string, string) bool { return true })
	if err != nil {
		return status.Check{}, err
	}
	if len(ends) > 0 {
		return status.Check{Name: "expiring", Result: status.Attention, Detail: fmt.Sprintf("%d within a week", len(ends)), Hint: "`bankctl connections expiring` lists them"}, nil
	}
	return status.Check{Name: "expiring", Result: status.Fine, Detail: "nothing ends within a week"}, nil
}

func (b *Bank) examineRemovals(ctx context.Context, c tenant.Caller) (status.Check, error) {
	all, err := b.waitingRemovals(ctx)
	n := 0
	for _, r := range all {
		if r.TenantID == c.TenantID {
			n++
		}
	}
	if n > 0 {
		return status.Check{Name: "removals", Result: status.Attention, Detail: fmt.Sprintf("%d wait for Plaid to confirm", n), Hint: "bankd tries again by itself"}, err
	}
	return status.Check{Name: "removals", Result: status.Fine, Detail: "none waits"}, err
}
