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

// A link token that expires sooner is not reused.
const leastLeft = 2 * time.Minute

// hostedLife is how long a hosted page for an employee lasts; it may have to be sent to them first.
const hostedLife = 24 * time.Hour

// GetEmployeeToken makes a link token for an account, or reuses an unexpired one of the same kind (R127-R130, A35). An
// account that was linked before gets update mode, unless only a fresh link can help.
func (b *Bank) GetEmployeeToken(ctx context.Context, c tenant.Caller, ref EmployeeRef, hosted bool) (employee.TokenReply, error) {
	if err := inContext(c, ref.Company, ref.Employee, tenant.EmployeeLink); err != nil {
		return employee.TokenReply{}, err
	}
	defer b.locks.Lock("employee " + ref.Account)()
	a, err := b.employeeAccount(ctx, c.TenantID, ref)
	if err != nil {
		return employee.TokenReply{}, err
	}
	if err := b.mayVerify(ctx, c.TenantID, a); err != nil {
		return employee.TokenReply{}, err
	}
	conn, mode, err := b.linkMode(ctx, c.TenantID, a)
	if err != nil {
		return employee.TokenReply{}, err
	}
	if reply, ok, err := b.reuse(ctx, c.TenantID, a, mode, hosted); ok || err != nil {
		return reply, err
	}
	reply, err := b.mint(ctx, c, a, conn, mode, hosted)
	if mode == employee.ModeUpdate && (gone(err)) {
		return b.mint(ctx, c, a, storedConnection{}, employee.ModeNew, hosted)
	}
	return reply, err
}

// mayVerify refuses accounts that Plaid shall not verify (A41).
func (b *Bank) mayVerify(ctx context.Context, tenantID string, a storedEmployee) error {
	if a.VerificationType != employee.ByPlaid {
		return fault.New(fault.Conflict, "this account's verificationType is Manual").WithID(a.AccountID).
			WithHint("POST the same account again with verificationType Plaid (bankctl employee add): it keeps its accountId and is verified through Plaid from then on")
	}
	caps, err := b.company(ctx, tenantID, a.CompanyID)
	if err != nil {
		return err
	}
	return caps.Require(employee.VerifyCapability)
}

// linkMode decides whether to repair the account's Item or to link a new one.
func (b *Bank) linkMode(ctx context.Context, tenantID string, a storedEmployee) (storedConnection, string, error) {
	if a.ConnectionID == "" {
		return storedConnection{}, employee.ModeNew, nil
	}
	conn, err := b.connection(ctx, system(tenantID), a.ConnectionID)
	if fault.Is(err, fault.NotFound) {
		return storedConnection{}, employee.ModeNew, nil
	}
	if err != nil {
		return storedConnection{}, "", err
	}
	switch conn.Status {
	case connection.Removed, connection.Revoked, connection.Failed:
		return storedConnection{}, employee.ModeNew, nil
	}
	if a.VerificationReason == employee.DepositExpired || a.VerificationReason == employee.DepositFailed {
		return storedConnection{}, employee.ModeNew, nil // Plaid locks such an Item permanently
	}
	return conn, employee.ModeUpdate, nil
}

// reuse finds the account's unexpired session of the same kind.
func (b *Bank) reuse(ctx context.Context, tenantID string, a storedEmployee, mode string, hosted bool) (employee.TokenReply, bool, error) {
	var s storedSession
	found := false
	err := b.db.View(ctx, func(tx *store.Tx) (err error) {
		s, found, err = byPointer(tx, employeeSessions, linkSessions, tenantID, sessionKey(a.AccountID, hosted))
		return err
	})
	usable := found && s.State == connection.Pending && s.Mode == mode && (mode == employee.ModeNew || s.ConnectionID == a.ConnectionID) && s.Expiration.Sub(b.time()) > leastLeft
	if err != nil || !usable {
		return employee.TokenReply{}, false, err
	}
	return tokenReply(s), true, nil
}

func sessionKey(accountID string, hosted bool) string {
	if hosted {
		return accountID + ".hosted"
	}
	return accountID + ".token"
}

func tokenReply(s storedSession) employee.TokenReply {
	r := employee.TokenReply{LinkToken: s.LinkToken, Expiration: s.Expiration, Mode: s.Mode, SessionID: s.ID}
	if s.Hosted {
		r.HostedLinkURL = s.HostedLinkURL
	}
	return r
}

func (b *Bank) mint(ctx context.Context, c tenant.Caller, a storedEmployee, conn storedConnection, mode string, hosted bool) (employee.TokenReply, error) {
	user, err := b.plaidUser(c.TenantID, a.EmployeeID)
	if err != nil {
		return employee.TokenReply{}, err
	}
	req := plaid.LinkRequest{ClientUserID: user, Hosted: hosted, Webhook: b.links.Load().Webhook}
	if hosted {
		req.Lifetime = hostedLife
	}
	s := storedSession{Hosted: hosted, Session: connection.Session{
		Mode: mode, UserID: a.EmployeeID, CompanyID: a.CompanyID, EmployeeID: a.EmployeeID, AccountID: a.AccountID,
	}}
	if mode == employee.ModeUpdate {
		req.AccessToken = conn.token()
		req.ChooseAccounts = a.VerificationReason == employee.NumberMismatch || a.VerificationReason == employee.AccountMissing
		s.ConnectionID, s.Institution = conn.ID, &conn.Institution
	} else {
		req.Products, req.RequiredIfSupported = b.links.Load().Products, b.links.Load().RequiredIfSupported // without transactions
	}
	link, err := b.openSession(ctx, c, req, s)
	if err != nil {
		return employee.TokenReply{}, err
	}
	return employee.TokenReply{
		LinkToken: link.LinkToken, HostedLinkURL: link.HostedLinkURL, SessionID: link.SessionID, Expiration: link.Expiration, Mode: mode,
	}, nil
}

// employee returns the employee's account of a session; nil for a session of S1.
func (s storedSession) employee() *EmployeeRef {
	if s.AccountID == "" {
		return nil
	}
	return &EmployeeRef{Company: s.CompanyID, Employee: s.EmployeeID, Account: s.AccountID}
}

// noteSession records an account's sessions in it: the one to reuse, and the result of the last.
func (b *Bank) noteSession(tx *store.Tx, tenantID string, s storedSession, at time.Time) error {
	ref := s.employee()
	if ref == nil {
		return nil
	}
	a, err := employeeIn(tx, tenantID, *ref)
	if fault.Is(err, fault.NotFound) {
		return nil // the account was deleted meanwhile
	}
	if err != nil {
		return err
	}
	if err := employeeSessions.Put(tx, tenantID, sessionKey(a.AccountID, s.Hosted), pointer{s.ID}); err != nil {
		return err
	}
	a.LastSession = employee.SessionOf(s.Session, at)
	switch s.State {
	case connection.Exited:
		a.BankAccount, _ = a.After(employee.EventExited, at)
	case connection.Succeeded:
		a.BankAccount = a.Unsaved(at) // until the link call
	}
	a.Rev++
	return putEmployee(tx, tenantID, a)
}

var errMoved = errors.New("the account moved meanwhile")
