package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// String is the audit log's name of the employee for whom a call was made; "" for none.
func (r *EmployeeRef) String() string {
	if r == nil {
		return ""
	}
	return r.Company + "/" + r.Employee
}

// details begins an audit event's details with the account, so that its history has the event.
func (r *EmployeeRef) details() map[string]string {
	if r == nil {
		return map[string]string{}
	}
	return map[string]string{"account": r.Account}
}

// inContext refuses a caller outside the employee's context (R115): what it does not see is missing, what it only sees
// is forbidden.
func inContext(c tenant.Caller, company, employeeID string, act tenant.Act) error {
	if c.ActsFor(company, employeeID, act) {
		return nil
	}
	if c.ActsFor(company, employeeID, tenant.Read) {
		return fault.New(fault.Forbidden, "this needs a client in the employee's context").
			WithHint("use a client with act_as_employee, or one bound to the employee")
	}
	return fault.New(fault.NotFound, "no such employee or bank account")
}

// AddEmployeeAccount stores an employee's account, not verified and without asking Plaid (R118-R126). If the same
// numbers were added as Manual before, verificationType Plaid converts that account, which keeps its id (R154).
func (b *Bank) AddEmployeeAccount(ctx context.Context, c tenant.Caller, ref EmployeeRef, p employee.AddParams) (employee.BankAccount, error) {
	company, employeeID := ref.Company, ref.Employee
	if err := inContext(c, company, employeeID, tenant.EmployeeWrite); err != nil {
		return employee.BankAccount{}, err
	}
	var bad fault.Problems
	bad.Check("companyId", tenant.CheckOwnerID(company))
	bad.Check("employeeId", tenant.CheckOwnerID(employeeID))
	if err := bad.Err(); err != nil {
		return employee.BankAccount{}, err
	}
	n := p.Numbers()
	if b.Live() && !n.Routing.Issued() {
		return employee.BankAccount{}, fault.Field("routingNumber", "begins as no routing number that is given out")
	}
	fp, err := b.db.Fingerprint(c.TenantID, "employee numbers", append([][]byte{[]byte(company), []byte(employeeID)}, n.FingerprintParts()...)...)
	if err != nil {
		return employee.BankAccount{}, err
	}
	now := b.time()
	fresh := storedEmployee{
		BankAccount: employee.New(p, newID(now), company, employeeID, now),
		Routing:     n.Routing.Reveal(), Number: n.Account.Reveal(), Fingerprint: fp,
	}
	var a storedEmployee
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		if p.VerificationType == employee.ByPlaid {
			caps, err := companyIn(tx, c.TenantID, company)
			if err != nil {
				return auditEvent{}, err
			}
			if err := caps.Require(employee.VerifyCapability); err != nil { // R116, A41
				return auditEvent{}, err
			}
		}
		a = fresh
		held, err := employeeNumbers.Get(tx, c.TenantID, fp)
		if err == nil {
			old, err := employeeAccounts.Get(tx, c.TenantID, held.ID)
			if err != nil {
				return auditEvent{}, err
			}
			if old.VerificationType == employee.Manual && p.VerificationType == employee.ByPlaid {
				if fresh.AccountHolderName != old.AccountHolderName || fresh.AccountType != old.AccountType {
					return auditEvent{}, fault.New(fault.Conflict, "this account is here under another holder's name or account type").WithID(old.AccountID).
						WithHint("send both as they were, or delete the account first")
				}
				a = old
				a.BankAccount = a.TurnToPlaid(now)
				a.Rev++
				d := employeeEvent("employee.turn_to_plaid", a)
				d.reply, d.status = a.BankAccount, 201
				return d, putEmployee(tx, c.TenantID, a)
			}
			return auditEvent{}, fault.New(fault.Duplicate, "this employee has this account already").WithID(held.ID).
				WithHint("retry its verification with the same accountId (R154), or delete it first")
		}
		if !errors.Is(err, store.ErrNotFound) {
			return auditEvent{}, err
		}
		if err := employeeNumbers.Put(tx, c.TenantID, fp, pointer{a.AccountID}); err != nil {
			return auditEvent{}, err
		}
		d := employeeEvent("employee.add", a)
		d.reply, d.status = a.BankAccount, 201
		return d, putEmployee(tx, c.TenantID, a)
	})
	return a.BankAccount, err
}

func employeeEvent(action string, a storedEmployee) auditEvent {
	ref := a.ref()
	return auditEvent{action: action, object: "employee_account:" + a.AccountID, onWhose: ref.String(), details: map[string]string{}}
}

// employeeAccount finds an account by its whole path; another employee's is missing.
func (b *Bank) employeeAccount(ctx context.Context, tenantID string, ref EmployeeRef) (a storedEmployee, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) error {
		a, err = employeeIn(tx, tenantID, ref)
		return err
	})
	return a, err
}

func employeeIn(tx *store.Tx, tenantID string, ref EmployeeRef) (storedEmployee, error) {
	a, err := employeeAccounts.Get(tx, tenantID, ref.Account)
	if err == nil && a.ref() != ref {
		err = store.ErrNotFound
	}
	return a, missing(err, "employee or bank account")
}

// GetEmployeeAccount reads one account: the source of truth for its verification (R147-R150).
func (b *Bank) GetEmployeeAccount(ctx context.Context, c tenant.Caller, ref EmployeeRef) (employee.BankAccount, error) {
	if err := inContext(c, ref.Company, ref.Employee, tenant.Read); err != nil {
		return employee.BankAccount{}, err
	}
	a, err := b.employeeAccount(ctx, c.TenantID, ref)
	return a.BankAccount, err
}

// ListEmployeeAccounts lists one employee's accounts, newest first.
func (b *Bank) ListEmployeeAccounts(ctx context.Context, c tenant.Caller, q employee.Query, p page.Request) ([]employee.BankAccount, page.Info, error) {
	if err := inContext(c, q.CompanyID, q.EmployeeID, tenant.Read); err != nil {
		return nil, page.Info{}, err
	}
	return b.listEmployees(ctx, c.TenantID, q, p)
}

// ListCompanyAccounts lists a company's accounts, newest first.
func (b *Bank) ListCompanyAccounts(ctx context.Context, c tenant.Caller, q employee.Query, p page.Request) ([]employee.BankAccount, page.Info, error) {
	if !c.SeesCompany(q.CompanyID) {
		return nil, page.Info{}, fault.New(fault.NotFound, "no such company")
	}
	return b.listEmployees(ctx, c.TenantID, q, p)
}

func (b *Bank) listEmployees(ctx context.Context, tenantID string, q employee.Query, p page.Request) ([]employee.BankAccount, page.Info, error) {
	all := []employee.BankAccount{}
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range employeeAccounts.Scan(tx, tenantID, store.Range{Reverse: true}) {
			if err != nil {
				return err
			}
			if q.Match(rec.Value.BankAccount) {
				all = append(all, rec.Value.BankAccount)
			}
		}
		return nil
	})
	rows, info := page.Of(all, p)
	return rows, info, err
}

// DeleteEmployeeAccount destroys an employee's numbers, and removes the Item that was linked for them.
func (b *Bank) DeleteEmployeeAccount(ctx context.Context, c tenant.Caller, ref EmployeeRef) (employee.Deleted, error) {
	if err := inContext(c, ref.Company, ref.Employee, tenant.EmployeeWrite); err != nil {
		return employee.Deleted{}, err
	}
	defer b.locks.Lock("employee " + ref.Account)()
	a, err := b.employeeAccount(ctx, c.TenantID, ref)
	if err != nil {
		return employee.Deleted{}, err
	}
	if a.ConnectionID != "" {
		if err := b.dropItem(ctx, c, a.ConnectionID); err != nil {
			return employee.Deleted{}, err
		}
	}
	reply := employee.Deleted{AccountID: a.AccountID, EmployeeID: a.EmployeeID, AccountLast4: a.AccountLast4, WasVerified: a.IsVerified, Deleted: true}
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		if err := employeeNumbers.Delete(tx, c.TenantID, a.Fingerprint); err != nil {
			return auditEvent{}, err
		}
		if err := employeeAccounts.Delete(tx, c.TenantID, a.AccountID); err != nil {
			return auditEvent{}, err
		}
		if err := dropLinked(tx, c.TenantID, a.AccountID); err != nil {
			return auditEvent{}, err
		}
		d := employeeEvent("employee.delete", a)
		d.reply = reply
		return d, b.putTombstone(tx, c, tombstone{ID: a.AccountID, Kind: "employee_account", Last4: a.AccountLast4})
	})
	return reply, err
}

// dropItem removes an Item at Plaid and marks its connection as removed; a missing Item is no error.
func (b *Bank) dropItem(ctx context.Context, c tenant.Caller, connectionID string) error {
	conn, err := b.connection(ctx, system(c.TenantID), connectionID)
	if fault.Is(err, fault.NotFound) || err == nil && conn.Status == "removed" {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = b.removeConnection(ctx, c, conn, connection.DisableACH)
	return err
}

// AttestEmployeeAccount marks an account as verified by an administrator, audited with the reason.
func (b *Bank) AttestEmployeeAccount(ctx context.Context, c tenant.Caller, ref EmployeeRef, p employee.AttestParams) (employee.BankAccount, error) {
	if !c.SeesCompany(ref.Company) {
		return employee.BankAccount{}, fault.New(fault.NotFound, "no such employee or bank account")
	}
	a, err := b.employeeAccount(ctx, c.TenantID, ref)
	if err != nil {
		return employee.BankAccount{}, err
	}
	d := employeeEvent("employee.attest", a)
	d.details["reason"] = p.Reason
	return b.changeEmployee(ctx, c, ref, d, func(latest *storedEmployee) error {
		latest.BankAccount = latest.Attest(b.time())
		return nil
	})
}

// changeEmployee reads an account, applies change, and writes it with its audit event.
func (b *Bank) changeEmployee(ctx context.Context, c tenant.Caller, ref EmployeeRef, d auditEvent, change func(*storedEmployee) error, also ...func(*store.Tx) error) (employee.BankAccount, error) {
	var changed employee.BankAccount
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		a, err := employeeIn(tx, c.TenantID, ref)
		if err != nil {
			return auditEvent{}, err
		}
		if err := change(&a); err != nil {
			return auditEvent{}, err
		}
		for _, more := range also {
			if more == nil {
				continue
			}
			if err := more(tx); err != nil {
				return auditEvent{}, err
			}
		}
		a.Rev++
		changed = a.BankAccount
		done := d
		done.reply = changed
		return done, putEmployee(tx, c.TenantID, a)
	})
	return changed, err
}

// GetEmployeeHistory returns an account's audit events, newest first, if the caller may see the account.
func (b *Bank) GetEmployeeHistory(ctx context.Context, c tenant.Caller, ref EmployeeRef, p page.Request) ([]trail.Record, page.Info, error) {
	if _, err := b.GetEmployeeAccount(ctx, c, ref); err != nil {
		return nil, page.Info{}, err
	}
	var rows []trail.Record
	var info page.Info
	err := b.db.View(ctx, func(tx *store.Tx) (err error) {
		rows, info, err = eventsOf(tx, c.TenantID, ref.Account, p)
		return err
	})
	return rows, info, err
}
