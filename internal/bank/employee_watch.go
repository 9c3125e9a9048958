package bank

import (
	"context"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// looks is how often linked accounts of employees are asked after: those that may still become verified, and the rest.
type looks struct{ open, settled time.Duration }

func looksFor(environment string) looks {
	if environment == plaid.Simulated {
		return looks{open: 2 * time.Second, settled: 30 * time.Second}
	}
	return looks{open: 15 * time.Minute, settled: 12 * time.Hour}
}

// mendedEmployee judges an account whose update session ended well.
func (b *Bank) mendedEmployee(ctx context.Context, w where, s storedSession) error {
	c := system(w.TenantID)
	defer b.locks.lock("employee " + s.AccountID)()
	conn, err := b.connection(ctx, c, s.ConnectionID)
	if err == nil {
		err = b.reactivate(ctx, c, conn.ID)
	}
	if err == nil {
		err = b.chooseAgain(ctx, c, *s.employee(), conn)
	}
	if err == nil {
		_, err = b.judgeEmployee(ctx, c, *s.employee(), conn, func(tx *store.Tx) error {
			return open.Delete(tx, store.SystemTenant, w.ID)
		})
	}
	if fault.Is(err, fault.NotFound) {
		return b.giveUp(ctx, w, fault.As(err))
	}
	return err
}

// chooseAgain moves an account that was joined to the wrong one of its Item to the one that has the numbers typed: an
// update session tells no choice, and the employee has just shared that account.
func (b *Bank) chooseAgain(ctx context.Context, c tenant.Caller, ref EmployeeRef, conn storedConnection) error {
	a, err := b.employeeAccount(ctx, c.TenantID, ref)
	if err != nil || a.IsVerified {
		return err
	}
	said, _, err := b.answer(ctx, c, a, conn)
	if err != nil {
		return err
	}
	verdict := employee.Match(a.typed(), said, employee.PolicyStrict)
	if verdict.Verified || verdict.OtherAccountID == "" {
		return nil
	}
	d := employeeDeed("employee.rejoin", a)
	d.details["connection"] = conn.ID
	_, err = b.changeEmployee(ctx, c, ref, d, func(latest *storedEmployee) error {
		latest.PlaidAccountID = verdict.OtherAccountID
		return nil
	})
	return err
}

// reactivate clears a connection's trouble: the judgement that follows notes it again where it stays.
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

// watchEmployees asks after linked accounts until ctx ends: deposits come through or lapse, permissions are taken back,
// banks give new numbers. Webhooks are not needed.
func (b *Bank) watchEmployees(ctx context.Context) {
	every := looksFor(b.plaid.Environment())
	last := map[string]time.Time{}
	tick := time.NewTicker(every.open)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		due, err := b.dueEmployees(ctx, last, every)
		if err != nil {
			b.log.Error("employees' accounts could not be read", "error", fault.As(err).Message)
			continue
		}
		for _, d := range due {
			last[d.ref.Account] = b.time()
			if err := b.recheck(ctx, d); err != nil && ctx.Err() == nil {
				b.log.Warn("an employee's account could not be checked again", "account", d.ref.Account, "code", fault.As(err).Code, "plaid_code", plaid.Code(err))
			}
		}
	}
}

type dueEmployee struct {
	tenantID string
	ref      EmployeeRef
}

func (b *Bank) dueEmployees(ctx context.Context, last map[string]time.Time, every looks) ([]dueEmployee, error) {
	all, err := b.allTenants(ctx)
	if err != nil {
		return nil, err
	}
	now := b.time()
	var due []dueEmployee
	for _, t := range all {
		err := b.db.View(ctx, func(tx *store.Tx) error {
			for rec, err := range employeeAccounts.Scan(tx, t.ID, store.Range{}) {
				if err != nil {
					return err
				}
				a, wait := rec.Value, every.settled
				if a.Watched() {
					wait = every.open
				}
				// What needs the employee is not asked after: it would only use up the Item's calls.
				if a.ConnectionID == "" || a.VerificationReason == employee.RelinkRequired {
					continue
				}
				seen, known := last[a.AccountID]
				if !known && !a.Watched() && last != nil {
					last[a.AccountID] = now // after a start, what is settled waits its full time
					continue
				}
				if now.Sub(seen) >= wait {
					due = append(due, dueEmployee{t.ID, a.ref()})
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return due, nil
}

// RecheckEmployees asks after every linked account at once, as the schedule does in time.
func (b *Bank) RecheckEmployees(ctx context.Context) error {
	due, err := b.dueEmployees(ctx, nil, looks{})
	if err != nil {
		return err
	}
	var errs []error
	for _, d := range due {
		errs = append(errs, b.recheck(ctx, d))
	}
	return errors.Join(errs...)
}

// recheck asks how an account stands now, and writes only where that changes something.
func (b *Bank) recheck(ctx context.Context, d dueEmployee) error {
	defer b.locks.lock("employee " + d.ref.Account)()
	c := system(d.tenantID)
	a, err := b.employeeAccount(ctx, d.tenantID, d.ref)
	if err != nil || a.ConnectionID == "" {
		return err
	}
	conn, err := b.connection(ctx, c, a.ConnectionID)
	if err != nil || conn.Status == connection.Removed {
		return err
	}
	caps, err := b.company(ctx, d.tenantID, d.ref.Company)
	if err != nil {
		return err
	}
	said, bank, err := b.answer(ctx, c, a, conn)
	if err != nil {
		return err
	}
	verdict := employee.Match(a.typed(), said, caps.Policy())
	if next := a.Judged(verdict, b.time()); !next.Moved(a.BankAccount) {
		return nil
	}
	_, err = b.keepVerdict(ctx, c, a, conn, bank, verdict, nil)
	if errors.Is(err, errMoved) {
		return nil // whoever moved it has judged it too
	}
	return err
}
