package bank

import (
	"context"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/background"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// mendedEmployee checks an account after a successful update session. The link call that saves the session judges the
// account chosen in it.
func (b *Bank) mendedEmployee(ctx context.Context, w recordRef, s storedSession) error {
	c := system(w.TenantID)
	defer b.locks.Lock("employee " + s.AccountID)()
	conn, err := b.connection(ctx, c, s.ConnectionID)
	if err == nil {
		err = b.reactivate(ctx, c, conn.ID)
	}
	if err == nil {
		err = b.recheckLocked(ctx, linkedEmployee{tenantID: w.TenantID, ref: *s.employee()})
	}
	if err == nil {
		err = b.update(ctx, func(tx *store.Tx) error { return open.Delete(tx, store.SystemTenant, w.ID) })
	}
	if fault.Is(err, fault.NotFound) {
		return b.abandonSession(ctx, w, fault.As(err))
	}
	return err
}

// reactivate clears a connection's troubles; the check that follows notes those that persist.
func (b *Bank) reactivate(ctx context.Context, c tenant.Caller, id string) error {
	return b.update(ctx, func(tx *store.Tx) error {
		conn, err := connections.Get(tx, c.TenantID, id)
		if err != nil || conn.Status == connection.Active {
			return missing(err, "connection")
		}
		now := b.time()
		for _, p := range []connection.Proof{connection.ByItem, connection.ByUpdate, connection.ByTime, connection.ByNumbers, connection.ByAccounts} {
			conn.Heal(p, now, now)
		}
		conn.Mended = &now
		return connections.Put(tx, c.TenantID, id, conn)
	})
}

// checkEmployees checks linked accounts until ctx ends, because deposits succeed or expire, permissions are withdrawn
// and banks give new numbers. It needs no webhooks.
func (b *Bank) checkEmployees(ctx context.Context) {
	b.work.employees.Run(ctx, b.tempo.EmployeeOpen, func(ctx context.Context) ([]background.Task, error) {
		linked, err := b.linkedEmployees(ctx)
		if err != nil {
			b.log.Error("cannot list employees' accounts", "error", fault.As(err).Message)
		}
		tasks := make([]background.Task, len(linked))
		for i, e := range linked {
			rest := b.tempo.EmployeeSettled
			if e.open {
				rest = b.tempo.EmployeeOpen
			}
			tasks[i] = background.Task{
				ID: e.ref.Account, Rested: !e.open,
				Rest: func(int) time.Duration { return rest },
				Do:   func(ctx context.Context) error { return b.recheckInTurn(ctx, e) },
			}
		}
		return tasks, err
	})
}

func (b *Bank) recheckInTurn(ctx context.Context, e linkedEmployee) error {
	err := b.recheck(ctx, e)
	if err != nil && ctx.Err() == nil {
		b.log.Warn("recheck of employee's account failed", "account", e.ref.Account, "code", fault.As(err).Code, "plaid_code", plaid.Code(err), "cause", fault.Cause(err))
	}
	return err
}

// linkedEmployee is an employee's account to ask Plaid about; open means that its verdict may change by itself.
type linkedEmployee struct {
	tenantID string
	ref      EmployeeRef
	open     bool
}

// linkedEmployees lists the accounts of all tenants to ask Plaid about.
func (b *Bank) linkedEmployees(ctx context.Context) ([]linkedEmployee, error) {
	all, err := b.allTenants(ctx)
	if err != nil {
		return nil, err
	}
	var linked []linkedEmployee
	for _, t := range all {
		err := b.db.View(ctx, func(tx *store.Tx) error {
			for rec, err := range linkedAccounts.Scan(tx, t.ID, store.Range{}) {
				if err != nil {
					return err
				}
				linked = append(linked, linkedEmployee{t.ID, rec.Value.Ref, rec.Value.Open})
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return linked, nil
}

// recheck asks Plaid about an account, and writes only changes.
func (b *Bank) recheck(ctx context.Context, e linkedEmployee) error {
	defer b.locks.Lock("employee " + e.ref.Account)()
	return b.recheckLocked(ctx, e)
}

func (b *Bank) recheckLocked(ctx context.Context, e linkedEmployee) error {
	c := system(e.tenantID)
	a, err := b.employeeAccount(ctx, e.tenantID, e.ref)
	if err != nil || a.ConnectionID == "" {
		return err
	}
	conn, err := b.connection(ctx, c, a.ConnectionID)
	if err != nil || conn.Status == connection.Removed {
		return err
	}
	caps, err := b.company(ctx, e.tenantID, e.ref.Company)
	if err != nil {
		return err
	}
	said, bank, err := b.answer(ctx, c, a, conn)
	if err != nil {
		return err
	}
	verdict := employee.Match(a.typed(), said, caps.Policy())
	if a.IsAttested() {
		return nil // an administrator knew what Plaid says; new evidence comes with a link call
	}
	if verdict.Verified && !a.Open() {
		return nil // no link call has begun this verdict
	}
	if !a.Open() && (verdict.Reason == employee.InstitutionDown || verdict.Reason == employee.PlaidUnavailable) {
		return nil // an outage says nothing of a verdict that is made, and must not begin it anew
	}
	if next := a.Judged(verdict, b.time()); !next.Moved(a.BankAccount) {
		return nil
	}
	_, err = b.keepVerdict(ctx, c, a, conn, bank, verdict, nil)
	if errors.Is(err, errMoved) {
		return nil // the other writer has judged it too
	}
	return err
}
