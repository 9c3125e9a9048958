package bank

import (
	"context"
	"errors"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Exchange turns a public token into a connection (R16-R22). A public token works once, so the same call again gives
// the first result (A16), and takes up wherever a failure or a crash cut off the one before.
func (b *Bank) Exchange(ctx context.Context, c tenant.Caller, p connection.ExchangeParams) (connection.Exchanged, error) {
	if err := allowed(c, p.EmployerID, p.CarrierID); err != nil && (p.EmployerID != "" || p.CarrierID != "") {
		return connection.Exchanged{}, err
	}
	conn, err := b.exchange(ctx, c, storedExchange{Params: p})
	if err != nil {
		return connection.Exchanged{}, err
	}
	return b.exchanged(c.TenantID, conn)
}

// exchanged adds the handle that from-plaid asks for (A2): opaque, bound to this tenant and Item, worthless elsewhere.
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

// exchange takes what is asked for; what a call before stored under the same public token wins.
func (b *Bank) exchange(ctx context.Context, c tenant.Caller, asked storedExchange) (storedConnection, error) {
	fp, err := b.tokenFingerprint(c.TenantID, asked.Params.PublicToken)
	if err != nil {
		return storedConnection{}, err
	}
	defer b.locks.Lock("exchange " + fp)()
	e, err := b.exchangeRecord(ctx, c.TenantID, fp)
	if errors.Is(err, store.ErrNotFound) {
		if e, err = b.recordIntent(ctx, c, fp, asked); err == nil {
			return b.continueExchange(ctx, c, fp, e, false)
		}
	}
	if err != nil {
		return storedConnection{}, err
	}
	if !e.sameOwner(c, asked) {
		return storedConnection{}, usedToken()
	}
	return b.continueExchange(ctx, c, fp, e, true)
}

// sameOwner reports whether a public token was meant for the same object before, as far as the caller may know.
func (e storedExchange) sameOwner(c tenant.Caller, asked storedExchange) bool {
	if e.Employee != nil || asked.Employee != nil {
		return e.Employee != nil && asked.Employee != nil && *e.Employee == *asked.Employee
	}
	return c.Client.ID == "" || c.Sees(e.Params.EmployerID, e.Params.CarrierID)
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

// recordIntent checks an exchange and stores what it is about to do, before Plaid hears of it.
func (b *Bank) recordIntent(ctx context.Context, c tenant.Caller, fp string, asked storedExchange) (storedExchange, error) {
	fresh := asked
	fresh.Stage, fresh.ConnectionID, fresh.ClientID, fresh.At = intended, newID(b.time()), c.Client.ID, b.time()
	var e storedExchange
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		e = fresh
		s, err := sessionOfToken(tx, c.TenantID, fp)
		if err != nil {
			return auditEvent{}, err
		}
		if s.ID != "" {
			if !s.meantFor(asked.Employee) {
				return auditEvent{}, usedToken()
			}
			e.SessionID = s.ID
			e.Params = fromSession(asked.Params, s)
		}
		if c.Client.ID != "" && e.Employee == nil {
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

// sessionOfToken finds the session of ours that a public token came from; a zero one where it came from elsewhere.
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

// fromSession fills in what the session knows and the caller left out.
func fromSession(p connection.ExchangeParams, s storedSession) connection.ExchangeParams {
	if p.EmployerID == "" && p.CarrierID == "" {
		p.EmployerID, p.CarrierID = s.EmployerID, s.CarrierID
	}
	if s.Institution != nil {
		p.Metadata = &connection.Metadata{Institution: s.Institution, Accounts: s.Accounts}
	}
	return p
}

// refuseDuplicate holds the duplicate guard of the contract: the same institution, account name and mask, held by the
// same owner already. It works before the exchange, so that nothing is made at Plaid.
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
		for _, a := range p.Metadata.Accounts {
			for _, h := range held.Accounts {
				if a.Name == h.Name && a.Mask == h.Mask {
					return fault.New(fault.Duplicate, "this account is linked already").WithID(held.ID).
						WithHint("`bankctl connections reauth %s` signs in again; allow_duplicate (--allow-duplicate) links it once more", held.ID)
				}
			}
		}
	}
	return nil
}

func sameOwner(c storedConnection, e storedExchange) bool {
	if c.Employee != nil || e.Employee != nil {
		// One employee's other account; a new link for the same account takes the old one's place.
		return c.Employee != nil && e.Employee != nil && c.Employee.Company == e.Employee.Company &&
			c.Employee.Employee == e.Employee.Employee && c.Employee.Account != e.Employee.Account
	}
	p := e.Params
	if p.EmployerID == "" && p.CarrierID == "" {
		return c.EmployerID == "" && c.CarrierID == "" && c.UserID == p.UserID
	}
	return p.EmployerID != "" && c.EmployerID == p.EmployerID || p.CarrierID != "" && c.CarrierID == p.CarrierID
}

// continueExchange takes an exchange from the stage it is at to its end. again says that Plaid may have seen the token before.
func (b *Bank) continueExchange(ctx context.Context, c tenant.Caller, fp string, e storedExchange, again bool) (storedConnection, error) {
	// From here on a caller that hangs up changes nothing: what Plaid answers must reach the disk.
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
