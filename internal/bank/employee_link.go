package bank

import (
	"context"
	"errors"
	"slices"
	"strconv"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// LinkEmployeeAccount saves a finished Link session (R135-R146): it exchanges the public token, joins the account to
// the chosen one, and judges it by Plaid's own numbers. A repeated call continues where a failed one stopped (A44).
func (b *Bank) LinkEmployeeAccount(ctx context.Context, c tenant.Caller, ref EmployeeRef, p employee.LinkParams) (employee.BankAccount, error) {
	if err := inContext(c, ref.Company, ref.Employee, tenant.EmployeeLink); err != nil {
		return employee.BankAccount{}, err
	}
	defer b.locks.Lock("employee " + ref.Account)()
	a, err := b.employeeAccount(ctx, c.TenantID, ref)
	if err != nil {
		return employee.BankAccount{}, err
	}
	if err := b.mayVerify(ctx, c.TenantID, a); err != nil {
		return employee.BankAccount{}, err
	}
	if err := p.CheckPublicToken(a.BankAccount); err != nil {
		return employee.BankAccount{}, err
	}
	claim := p
	claim.PublicToken = ""
	if err := b.guards.quotas.take(c); err != nil {
		return employee.BankAccount{}, err
	}
	if p.PublicToken == "" {
		return b.judgeAgain(ctx, c, a, &claim)
	}
	known, err := b.checkChosen(ctx, c, ref, p)
	if err != nil {
		return employee.BankAccount{}, err
	}
	_, _, err = b.exchange(ctx, c, storedExchange{Employee: &ref, Claim: &claim, Params: connection.ExchangeParams{
		PublicToken: p.PublicToken, UserID: ref.Employee, Metadata: claimed(p),
	}})
	if err != nil {
		return employee.BankAccount{}, errors.Join(err, b.noteUnsaved(ctx, c, ref, err))
	}
	if a, err = b.employeeAccount(ctx, c.TenantID, ref); err != nil {
		return employee.BankAccount{}, err
	}
	if a.Claim != nil && a.Claim.AccountID != p.AccountID {
		return b.judgeAgain(ctx, c, a, &claim)
	}
	if !known && a.VerificationReason == employee.AccountMissing { // nothing was known before the exchange, so the same call may be corrected
		return employee.BankAccount{}, notChosen()
	}
	return a.BankAccount, nil
}

// checkChosen refuses an account that the session did not share, before the token is used up. known is false if the
// token is from no session of ours: then only the exchange can tell.
func (b *Bank) checkChosen(ctx context.Context, c tenant.Caller, ref EmployeeRef, p employee.LinkParams) (known bool, err error) {
	fp, err := b.tokenFingerprint(c.TenantID, p.PublicToken)
	if err != nil {
		return false, err
	}
	var s storedSession
	err = b.db.View(ctx, func(tx *store.Tx) error {
		s, err = sessionOfToken(tx, c.TenantID, fp)
		return err
	})
	if err != nil || s.ID == "" || !s.meantFor(&ref) || len(s.Accounts) == 0 {
		return false, err
	}
	if !slices.ContainsFunc(s.Accounts, func(a connection.MetadataAccount) bool { return a.ID == p.AccountID }) {
		return true, notChosen()
	}
	return true, nil
}

func notChosen() error {
	return fault.Field("accountId", "is not an account that was shared in Link").
		WithHint("send Plaid's id of the account chosen, not ours; the same publicToken can be sent again")
}

// noteUnsaved records in the account that a finished link was not saved.
func (b *Bank) noteUnsaved(ctx context.Context, c tenant.Caller, ref EmployeeRef, why error) error {
	if f := fault.As(why); !f.Retryable && f.Code != fault.RelinkRequired {
		return nil
	}
	a, err := b.employeeAccount(ctx, c.TenantID, ref)
	if next := a.Unsaved(b.time()); err != nil || !next.Moved(a.BankAccount) {
		return err
	}
	d := employeeEvent("employee.link", a)
	d.outcome = string(fault.As(why).Code)
	_, err = b.changeEmployee(withoutReply(context.WithoutCancel(ctx)), c, ref, d, func(latest *storedEmployee) error {
		latest.BankAccount = latest.Unsaved(b.time())
		return nil
	})
	return err
}

// claimed makes Link's metadata from the caller's body, for the duplicate guard to compare.
func claimed(p employee.LinkParams) *connection.Metadata {
	if p.InstitutionID == "" {
		return nil
	}
	return &connection.Metadata{
		Institution: &connection.Institution{ID: p.InstitutionID, Name: p.InstitutionName},
		Accounts: []connection.MetadataAccount{{
			ID: p.AccountID, Name: p.AccountName, Mask: p.AccountMask, Type: p.AccountType, Subtype: p.AccountSubtype,
			VerificationStatus: connection.NullText(p.VerificationStatus),
		}},
	}
}

// judgeAgain saves an update session. The Item and its token stay the same, so there is nothing to exchange (A36).
func (b *Bank) judgeAgain(ctx context.Context, c tenant.Caller, a storedEmployee, claim *employee.LinkParams) (employee.BankAccount, error) {
	conn, err := b.connection(ctx, system(c.TenantID), a.ConnectionID)
	if err != nil {
		return employee.BankAccount{}, err
	}
	found, _, err := b.plaid.GetAccounts(ctx, conn.token())
	switch {
	case err == nil && !showsAccount(found, claim.AccountID):
		return employee.BankAccount{}, notChosen()
	case err != nil && !connection.Known(plaid.Code(err)):
		return employee.BankAccount{}, err // nobody can tell whether it was shared: nothing changes
	}
	shown := err == nil
	ref := a.ref()
	d := employeeEvent("employee.link", a)
	d.details["connection"] = conn.ID
	_, err = b.changeEmployee(withoutReply(ctx), c, ref, d, func(latest *storedEmployee) error {
		if shown {
			latest.Claim, latest.PlaidAccountID = claim, claim.AccountID
		}
		return nil
	})
	if err != nil {
		return employee.BankAccount{}, err
	}
	return b.judgeEmployee(context.WithoutCancel(ctx), c, ref, conn, nil)
}

// withoutReply keeps an intermediate step from storing its reply as the call's.
func withoutReply(ctx context.Context) context.Context {
	return context.WithValue(ctx, attemptKey{}, nil)
}

// joinEmployee joins an account to the Item of a stored token, and judges it; the verdict ends the exchange.
func (b *Bank) joinEmployee(ctx context.Context, c tenant.Caller, fp string, e storedExchange) (storedConnection, error) {
	conn, err := b.connection(ctx, system(c.TenantID), e.ConnectionID)
	if err != nil || conn.Read {
		return conn, err
	}
	ref := *e.Employee
	before, err := b.employeeAccount(ctx, c.TenantID, ref)
	if fault.Is(err, fault.NotFound) {
		return conn, errors.Join(b.removeOrphan(ctx, c, fp, conn), err)
	}
	if err != nil {
		return conn, err
	}
	if newer, err := b.newerLink(ctx, c.TenantID, before, e); err != nil || newer {
		if err == nil {
			err = errors.Join(b.removeOrphan(ctx, c, fp, conn), fault.New(fault.Conflict, "a newer link has taken this one's place").WithID(ref.Account))
		}
		return conn, err
	}
	crashPoint("employee.join")
	d := employeeEvent("employee.link", before)
	d.details["connection"], d.details["item"] = conn.ID, conn.ItemID
	_, err = b.changeEmployee(withoutReply(ctx), c, ref, d, func(a *storedEmployee) error {
		a.BankAccount = a.Join(conn.ItemID, e.Claim.AccountID, conn.Institution, b.time())
		a.ConnectionID, a.Claim = conn.ID, e.Claim
		return nil
	})
	crashPoint("employee.joined")
	if err != nil {
		return conn, err
	}
	if before.ConnectionID != "" && before.ConnectionID != conn.ID {
		b.removeOlder(ctx, c, before.ConnectionID)
	}
	_, err = b.judgeEmployee(ctx, c, ref, conn, func(tx *store.Tx) error {
		latest, err := connections.Get(tx, c.TenantID, conn.ID)
		if err != nil {
			return err
		}
		latest.Read = true
		if err := connections.Put(tx, c.TenantID, conn.ID, latest); err != nil {
			return err
		}
		if err := closeSession(tx, c.TenantID, e.SessionID, conn.ID); err != nil {
			return err
		}
		return unfinishedExchanges.Delete(tx, store.SystemTenant, fp)
	})
	if err != nil {
		b.finishInBackground(recordRef{c.TenantID, fp}, b.tempo.ExchangeRetry)
		return conn, err
	}
	conn.Read = true
	if e.SessionID != "" {
		b.sessions.Tell(e.SessionID)
	}
	return conn, nil
}

// newerLink reports whether the account was joined to another Item after this exchange began: a late exchange must not
// undo that.
func (b *Bank) newerLink(ctx context.Context, tenantID string, a storedEmployee, e storedExchange) (bool, error) {
	if a.ConnectionID == "" || a.ConnectionID == e.ConnectionID {
		return false, nil
	}
	joined, err := b.connection(ctx, system(tenantID), a.ConnectionID)
	if fault.Is(err, fault.NotFound) {
		return false, nil
	}
	return joined.Status != connection.Removed && joined.CreatedAt.After(e.At), err
}

// removeOrphan removes an Item whose account was deleted during the link.
func (b *Bank) removeOrphan(ctx context.Context, c tenant.Caller, fp string, conn storedConnection) error {
	if _, err := b.removeConnection(ctx, c, conn, connection.DisableACH); err != nil {
		return err
	}
	return b.update(ctx, func(tx *store.Tx) error { return unfinishedExchanges.Delete(tx, store.SystemTenant, fp) })
}

// removeOlder removes the Item that a new link has replaced. If that fails, somebody has to remove it by hand; the
// account no longer depends on it.
func (b *Bank) removeOlder(ctx context.Context, c tenant.Caller, connectionID string) {
	if err := b.dropItem(ctx, c, connectionID); err != nil {
		b.log.Warn("cannot remove a superseded Item at Plaid", "connection", connectionID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err), "cause", fault.Cause(err))
	}
}

// judgeEmployee asks Plaid, lets Match decide, and writes the verdict with its evidence and with also. If the account
// changed meanwhile, it judges again.
func (b *Bank) judgeEmployee(ctx context.Context, c tenant.Caller, ref EmployeeRef, conn storedConnection, also func(*store.Tx) error) (employee.BankAccount, error) {
	for range 5 {
		a, err := b.employeeAccount(ctx, c.TenantID, ref)
		if err != nil {
			return employee.BankAccount{}, err
		}
		caps, err := b.company(ctx, c.TenantID, ref.Company)
		if err != nil {
			return employee.BankAccount{}, err
		}
		crashPoint("employee.ask")
		said, bank, err := b.answer(ctx, c, a, conn)
		crashPoint("employee.asked")
		if err != nil {
			return employee.BankAccount{}, err
		}
		verdict := employee.Match(a.typed(), said, caps.Policy())
		changed, err := b.keepVerdict(ctx, c, a, conn, bank, verdict, also)
		crashPoint("employee.judged")
		if !errors.Is(err, errMoved) {
			return changed, err
		}
	}
	return employee.BankAccount{}, fault.New(fault.Conflict, "the account is being changed by others").WithID(ref.Account).WithHint("try again")
}

func (b *Bank) keepVerdict(ctx context.Context, c tenant.Caller, judged storedEmployee, conn storedConnection, bank connection.Institution, v employee.Verdict, also func(*store.Tx) error) (employee.BankAccount, error) {
	now := b.time()
	d := employeeEvent("employee.verify", judged)
	return b.changeEmployee(ctx, c, judged.ref(), d, func(a *storedEmployee) error {
		if a.Rev != judged.Rev {
			return errMoved
		}
		before := a.IsVerified
		a.BankAccount = a.Judged(v, now)
		if bank.ID != "" {
			a.InstitutionID, a.InstitutionName = bank.ID, bank.Name
		}
		if v.Verified && !v.Adopted.Account.Empty() {
			a.AdoptedRouting, a.AdoptedNumber = v.Adopted.Routing.Reveal(), v.Adopted.Account.Reveal()
		}
		d.details["connection"], d.details["numbers"] = conn.ID, "fetched"
		d.details["verified"], d.details["reason"] = strconv.FormatBool(a.IsVerified), string(v.Reason)
		d.details["comparison"], d.details["strength"] = v.Evidence.Comparison, v.Evidence.Strength
		d.details["was_verified"] = strconv.FormatBool(before)
		return nil
	}, also)
}
