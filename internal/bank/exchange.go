package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Exchange turns a public token into a connection (R16-R22). A public token works once, so a repeated call returns the
// first result (A16), or continues where the failed one stopped.
func (b *Bank) Exchange(ctx context.Context, c tenant.Caller, p connection.ExchangeParams) (connection.Exchanged, error) {
	if err := allowed(c, p.EmployerID, p.CarrierID); err != nil && (p.EmployerID != "" || p.CarrierID != "") {
		return connection.Exchanged{}, err
	}
	if err := b.guards.quotas.take(c); err != nil {
		return connection.Exchanged{}, err
	}
	conn, made, err := b.exchange(ctx, c, storedExchange{Params: p})
	if err != nil {
		return connection.Exchanged{}, err
	}
	reply, err := b.exchanged(c.TenantID, conn)
	reply.Replayed = !made
	return reply, err
}

// exchanged adds the handle that from-plaid takes (A2): opaque, bound to this tenant and Item, worthless elsewhere.
func (b *Bank) exchanged(tenantID string, conn storedConnection) (connection.Exchanged, error) {
	handle, err := b.db.SealToken(tenantID, "access token handle", conn.ItemID, []byte(conn.ID))
	if err != nil {
		return connection.Exchanged{}, err
	}
	return connection.Exchanged{Connection: conn.Connection, AccessToken: handlePrefix + handle}, nil
}

const handlePrefix = "bankd-handle-"

func (b *Bank) tokenFingerprint(tenantID, publicToken string) (string, error) {
	return b.db.Fingerprint(tenantID, "public token", []byte(publicToken))
}

// exchange takes what is asked for; an exchange that an earlier call stored under the same public token wins. made reports
// whether this call began it.
func (b *Bank) exchange(ctx context.Context, c tenant.Caller, asked storedExchange) (conn storedConnection, made bool, err error) {
	fp, err := b.tokenFingerprint(c.TenantID, asked.Params.PublicToken)
	if err != nil {
		return storedConnection{}, false, err
	}
	defer b.locks.Lock("exchange " + fp)()
	e, err := b.exchangeRecord(ctx, c.TenantID, fp)
	if errors.Is(err, store.ErrNotFound) {
		if e, err = b.recordIntent(ctx, c, fp, asked); err == nil {
			conn, err = b.continueExchange(ctx, c, fp, e, false)
			return conn, true, err
		}
	}
	if err != nil {
		return storedConnection{}, false, err
	}
	if err := e.maySee(c, asked); err != nil {
		return storedConnection{}, false, err
	}
	conn, err = b.continueExchange(ctx, c, fp, e, true)
	return conn, false, err
}

// maySee refuses a public token that was exchanged before, unless for the same object, which the caller must see.
func (e storedExchange) maySee(c tenant.Caller, asked storedExchange) error {
	if e.Employee != nil || asked.Employee != nil {
		if e.Employee == nil || asked.Employee == nil || *e.Employee != *asked.Employee {
			return usedToken()
		}
		return nil
	}
	if !bankdItself(c) && !c.Sees(e.Params.EmployerID, e.Params.CarrierID) {
		return usedToken()
	}
	if p := asked.Params; (p.EmployerID != "" || p.CarrierID != "") && e.Params.EmployerID == "" && e.Params.CarrierID == "" {
		return fault.New(fault.Conflict, "this public token was exchanged without an owner")
	}
	return sameAsked(asked.Params, e.Params.EmployerID, e.Params.CarrierID)
}

func usedToken() *fault.Error {
	return fault.Field("public_token", "is unknown to Plaid, used already, or older than 30 minutes").
		WithHint("open Link again for a new one")
}

func (b *Bank) exchangeRecord(ctx context.Context, tenantID, fp string) (e storedExchange, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) error {
		e, err = exchanges.Get(tx, tenantID, fp)
		return err
	})
	return e, err
}

// recordIntent checks an exchange and stores its intent before it calls Plaid.
func (b *Bank) recordIntent(ctx context.Context, c tenant.Caller, fp string, asked storedExchange) (storedExchange, error) {
	fresh := asked
	fresh.Stage, fresh.ConnectionID, fresh.ClientID, fresh.At = intended, newID(b.time()), c.Client.ID, b.time()
	var e storedExchange
	global, err := b.tokenFingerprint(store.SystemTenant, asked.Params.PublicToken)
	if err != nil {
		return storedExchange{}, err
	}
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		e = fresh
		if err := ownTenant(tx, c.TenantID, global); err != nil {
			return auditEvent{}, err
		}
		s, err := sessionOfToken(tx, c.TenantID, fp)
		if err != nil {
			return auditEvent{}, err
		}
		if s.ID != "" {
			if err := mayExchange(c, s, asked); err != nil {
				return auditEvent{}, err
			}
			e.SessionID = s.ID
			e.Params = fromSession(asked.Params, s)
		}
		if !bankdItself(c) && e.Employee == nil {
			if err := allowed(c, e.Params.EmployerID, e.Params.CarrierID); err != nil {
				return auditEvent{}, err
			}
		}
		if err := refuseDuplicate(tx, c.TenantID, e); err != nil {
			return auditEvent{}, err
		}
		d := auditEvent{action: "connection.intend", object: "connection:" + e.ConnectionID, onWhose: e.Employee.String(), details: map[string]string{}}
		if e.SessionID != "" {
			d.details["session"] = e.SessionID
		}
		if err := exchanges.Put(tx, c.TenantID, fp, e); err != nil {
			return auditEvent{}, err
		}
		return d, unfinishedExchanges.Put(tx, store.SystemTenant, fp, recordRef{c.TenantID, fp})
	})
	crashPoint("exchange.intended")
	return e, err
}

// ownTenant refuses a public token of another tenant's session as unknown.
func ownTenant(tx *store.Tx, tenantID, fp string) error {
	owner, err := tokenTenants.Get(tx, store.SystemTenant, fp)
	if errors.Is(err, store.ErrNotFound) || err == nil && owner.TenantID == tenantID {
		return nil
	}
	if err != nil {
		return err
	}
	return usedToken()
}

// sessionOfToken finds our session of a public token; a zero one if the token is from elsewhere.
func sessionOfToken(tx *store.Tx, tenantID, fp string) (storedSession, error) {
	to, err := sessionTokens.Get(tx, tenantID, fp)
	if errors.Is(err, store.ErrNotFound) {
		return storedSession{}, nil
	}
	if err != nil {
		return storedSession{}, err
	}
	return linkSessions.Get(tx, tenantID, to.ID)
}

// fromSession adds the session's data that the caller left out.
func fromSession(p connection.ExchangeParams, s storedSession) connection.ExchangeParams {
	if p.EmployerID == "" && p.CarrierID == "" {
		p.EmployerID, p.CarrierID = s.EmployerID, s.CarrierID
	}
	if s.Institution != nil {
		p.Metadata = &connection.Metadata{Institution: s.Institution, Accounts: s.Accounts}
	}
	return p
}

// refuseDuplicate is the contract's duplicate guard: it refuses an institution, account name and mask that the same
// owner has already. It works before the exchange, so that nothing is made at Plaid, and it includes exchanges under
// way: of several at once, one passes.
func refuseDuplicate(tx *store.Tx, tenantID string, e storedExchange) error {
	p := e.Params
	if p.AllowDuplicate || p.Metadata == nil || p.Metadata.Institution == nil || p.Metadata.Institution.ID == "" {
		return nil
	}
	for rec, err := range connections.Scan(tx, tenantID, store.Range{}) {
		if err != nil {
			return err
		}
		held := rec.Value
		if held.Status == connection.Removed || held.Institution.ID != p.Metadata.Institution.ID || !sameOwner(held, e) {
			continue
		}
		for _, h := range held.Accounts {
			if p.Metadata.Names(h.Name, h.Mask) {
				return linkedAlready(held.ID)
			}
		}
	}
	for rec, err := range unfinishedExchanges.Scan(tx, store.SystemTenant, store.Range{}) {
		if err != nil {
			return err
		}
		if rec.Value.TenantID != tenantID {
			continue
		}
		other, err := exchanges.Get(tx, tenantID, rec.Value.ID)
		if errors.Is(err, store.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		if made, err := connections.Get(tx, tenantID, other.ConnectionID); err == nil && made.Status == connection.Removed {
			continue
		} else if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		m := other.Params.Metadata
		if other.Stage == lost || m == nil || m.Institution == nil || m.Institution.ID != p.Metadata.Institution.ID || !sameOwner(other.ahead(), e) {
			continue
		}
		for _, a := range m.Accounts {
			if p.Metadata.Names(a.Name, a.Mask) {
				return linkedAlready(other.ConnectionID)
			}
		}
	}
	return nil
}

func linkedAlready(id string) error {
	return fault.New(fault.Duplicate, "this account is linked already").WithID(id).
		WithHint("`bankctl connections reauth %s` signs in again; allow_duplicate (--allow-duplicate) links it once more", id)
}

// ahead is the future connection of an exchange under way, for the duplicate guard.
func (e storedExchange) ahead() storedConnection {
	return storedConnection{Employee: e.Employee, Connection: connection.Connection{
		ID: e.ConnectionID, UserID: e.Params.UserID, EmployerID: e.Params.EmployerID, CarrierID: e.Params.CarrierID,
	}}
}

func sameOwner(c storedConnection, e storedExchange) bool {
	if c.Employee != nil || e.Employee != nil {
		// This is another account of the employee; for the same account, a new link replaces the old one.
		return c.Employee != nil && e.Employee != nil && c.Employee.Company == e.Employee.Company &&
			c.Employee.Employee == e.Employee.Employee && c.Employee.Account != e.Employee.Account
	}
	p := e.Params
	if p.EmployerID == "" && p.CarrierID == "" {
		return c.EmployerID == "" && c.CarrierID == "" && c.UserID == p.UserID
	}
	return p.EmployerID != "" && c.EmployerID == p.EmployerID || p.CarrierID != "" && c.CarrierID == p.CarrierID
}

// continueExchange brings an exchange from its stage to its end. again means that Plaid may have seen the token before.
func (b *Bank) continueExchange(ctx context.Context, c tenant.Caller, fp string, e storedExchange, again bool) (storedConnection, error) {
	// From here on a caller that hangs up changes nothing: Plaid's answers must reach the disk.
	ctx = context.WithoutCancel(ctx)
	switch e.Stage {
	case lost:
		return storedConnection{}, errLost()
	case intended:
		if err := b.tradeToken(ctx, c, fp, e, again); err != nil {
			return storedConnection{}, err
		}
	}
	if e.Employee != nil {
		return b.joinEmployee(ctx, c, fp, e)
	}
	return b.readConnection(ctx, c, fp, e)
}

func errLost() *fault.Error {
	return fault.New(fault.RelinkRequired, "the link was made at Plaid, but its token was lost before it could be stored").
		WithHint("link the bank again with `bankctl link`; the lost link has no access to anything here")
}
