package bank

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
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
	defer b.exchanges.lock("exchange " + fp)()
	e, err := b.exchangeRecord(ctx, c.TenantID, fp)
	if errors.Is(err, store.ErrNotFound) {
		if e, err = b.intend(ctx, c, fp, asked); err == nil {
			return b.carryOn(ctx, c, fp, e, false)
		}
	}
	if err != nil {
		return storedConnection{}, err
	}
	if !e.sameOwner(c, asked) {
		return storedConnection{}, usedToken()
	}
	return b.carryOn(ctx, c, fp, e, true)
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

// intend checks an exchange and stores what it is about to do, before Plaid hears of it.
func (b *Bank) intend(ctx context.Context, c tenant.Caller, fp string, asked storedExchange) (storedExchange, error) {
	e := asked
	e.Stage, e.ConnectionID, e.ClientID, e.At = intended, newID(b.time()), c.Client.ID, b.time()
	err := b.write(ctx, c, func(tx *store.Tx) (deed, error) {
		s, err := sessionOfToken(tx, c.TenantID, fp)
		if err != nil {
			return deed{}, err
		}
		if s.ID != "" {
			if !s.meantFor(asked.Employee) {
				return deed{}, usedToken()
			}
			e.SessionID = s.ID
			e.Params = fromSession(asked.Params, s)
		}
		if c.Client.ID != "" && e.Employee == nil {
			if err := allowed(c, e.Params.EmployerID, e.Params.CarrierID); err != nil {
				return deed{}, err
			}
		}
		if err := refuseDuplicate(tx, c.TenantID, e); err != nil {
			return deed{}, err
		}
		d := deed{action: "connection.intend", object: "connection:" + e.ConnectionID, onWhose: e.Employee.String(), details: map[string]string{}}
		if e.SessionID != "" {
			d.details["session"] = e.SessionID
		}
		if err := exchanges.Put(tx, c.TenantID, fp, e); err != nil {
			return deed{}, err
		}
		return d, unread.Put(tx, store.SystemTenant, fp, where{c.TenantID, fp})
	})
	at("exchange.intended")
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
						WithHint("`bankctl connections update %s` signs in again; allow_duplicate (--allow-duplicate) links it once more", held.ID)
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

// carryOn takes an exchange from the stage it is at to its end. again says that Plaid may have seen the token before.
func (b *Bank) carryOn(ctx context.Context, c tenant.Caller, fp string, e storedExchange, again bool) (storedConnection, error) {
	// From here on a caller that hangs up changes nothing: what Plaid answers must reach the disk.
	ctx = context.WithoutCancel(ctx)
	switch e.Stage {
	case lost:
		return storedConnection{}, errLost()
	case intended:
		if err := b.trade(ctx, c, fp, e, again); err != nil {
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

// trade asks Plaid for the access token and stores it before anything else happens.
func (b *Bank) trade(ctx context.Context, c tenant.Caller, fp string, e storedExchange, again bool) error {
	at("exchange.ask")
	token, itemID, err := b.plaid.Exchange(ctx, plaid.NewPublicToken(e.Params.PublicToken))
	at("exchange.asked")
	switch {
	case err == nil:
	case plaid.Code(err) == "INVALID_PUBLIC_TOKEN" && again:
		return b.lose(ctx, c, fp, e)
	case plaid.OutcomeUnknown(err):
		b.later(where{c.TenantID, fp}) // it is found out soon, whether or not the caller tries again
		return err
	default:
		return errors.Join(err, b.forget(ctx, fp, c.TenantID))
	}
	now := b.time()
	conn := storedConnection{AccessToken: token.Reveal(), Employee: e.Employee, Connection: connection.Connection{
		ID: e.ConnectionID, ItemID: itemID, UserID: e.Params.UserID, EmployerID: e.Params.EmployerID, CarrierID: e.Params.CarrierID,
		Status: connection.Active, Products: []string{}, Accounts: []connection.LinkedAccount{}, CreatedAt: now, UpdatedAt: now,
	}}
	if m := e.Params.Metadata; m != nil && m.Institution != nil {
		conn.Institution = *m.Institution
		if e.Employee != nil { // their accounts are never listed; the duplicate guard compares these
			for _, a := range m.Accounts {
				conn.Accounts = append(conn.Accounts, connection.LinkedAccount{PlaidAccountID: a.ID, Name: a.Name, Mask: a.Mask, Type: a.Type, Subtype: a.Subtype})
			}
		}
	}
	e.Stage, e.Params.PublicToken = linked, ""
	b.stats.Exchanges.Add(1)
	err = b.write(ctx, c, func(tx *store.Tx) (deed, error) {
		d := deed{action: "connection.add", object: "connection:" + conn.ID, onWhose: e.Employee.String(), details: map[string]string{"item": itemID}}
		if err := connections.Put(tx, c.TenantID, conn.ID, conn); err != nil {
			return deed{}, err
		}
		if err := items.Put(tx, c.TenantID, itemID, pointer{conn.ID}); err != nil {
			return deed{}, err
		}
		return d, exchanges.Put(tx, c.TenantID, fp, e)
	})
	at("exchange.stored")
	if err != nil {
		return fmt.Errorf("store access token: %w", err)
	}
	return nil
}

// lose notes that Plaid made an Item whose token never reached the disk: nobody can use it, and the bank must be linked
// again.
func (b *Bank) lose(ctx context.Context, c tenant.Caller, fp string, e storedExchange) error {
	e.Stage, e.Params.PublicToken = lost, ""
	err := b.write(ctx, c, func(tx *store.Tx) (deed, error) {
		d := deed{action: "connection.lose", object: "connection:" + e.ConnectionID, onWhose: e.Employee.String(), outcome: string(fault.RelinkRequired)}
		if err := unread.Delete(tx, store.SystemTenant, fp); err != nil {
			return deed{}, err
		}
		return d, exchanges.Put(tx, c.TenantID, fp, e)
	})
	if err != nil {
		return err
	}
	b.stats.LostExchanges.Add(1)
	return errLost()
}

// forget drops an intent that Plaid refused for good: nothing was made.
func (b *Bank) forget(ctx context.Context, fp, tenantID string) error {
	return b.db.Update(ctx, func(tx *store.Tx) error {
		if err := unread.Delete(tx, store.SystemTenant, fp); err != nil {
			return err
		}
		return exchanges.Delete(tx, tenantID, fp)
	})
}

// readConnection reads the accounts of a connection whose token is stored, and closes its session.
func (b *Bank) readConnection(ctx context.Context, c tenant.Caller, fp string, e storedExchange) (storedConnection, error) {
	var conn storedConnection
	err := b.db.View(ctx, func(tx *store.Tx) error {
		var err error
		conn, err = connections.Get(tx, c.TenantID, e.ConnectionID)
		return missing(err, "connection")
	})
	if err != nil || conn.Read {
		return conn, err
	}
	at("accounts.ask")
	found, err := b.readAccounts(ctx, &conn)
	at("accounts.asked")
	if err != nil {
		b.later(where{c.TenantID, fp})
		return storedConnection{}, b.troubled(ctx, c, conn.ID, err)
	}
	var reply connection.Exchanged
	if reply, err = b.exchanged(c.TenantID, conn); err != nil {
		return storedConnection{}, err
	}
	ids := mintFor(b.time(), found)
	now := b.time()
	err = b.write(ctx, c, func(tx *store.Tx) (deed, error) {
		latest, err := connections.Get(tx, c.TenantID, conn.ID)
		if err != nil {
			return deed{}, err
		}
		latest.Institution, latest.Products = conn.Institution, conn.Products
		counts, err := b.putAccounts(tx, c.TenantID, &latest, found, ids, now)
		if err != nil {
			return deed{}, err
		}
		latest.Read = true
		conn, reply.Connection = latest, latest.Connection
		if err := connections.Put(tx, c.TenantID, conn.ID, latest); err != nil {
			return deed{}, err
		}
		if err := closeSession(tx, c.TenantID, e.SessionID, conn.ID); err != nil {
			return deed{}, err
		}
		d := deed{action: "connection.read", object: "connection:" + conn.ID, details: counts.details(), reply: reply}
		return d, unread.Delete(tx, store.SystemTenant, fp)
	})
	at("accounts.stored")
	if err == nil && e.SessionID != "" {
		b.sessions.tell(e.SessionID)
	}
	return conn, err
}

func closeSession(tx *store.Tx, tenantID, sessionID, connectionID string) error {
	if sessionID == "" {
		return nil
	}
	s, err := linkSessions.Get(tx, tenantID, sessionID)
	if err != nil {
		return missing(err, "link session")
	}
	s.ConnectionID, s.PublicToken, s.Trouble = connectionID, "", nil
	if err := open.Delete(tx, store.SystemTenant, sessionID); err != nil {
		return err
	}
	return linkSessions.Put(tx, tenantID, sessionID, s)
}

// later finishes an exchange in the background, for as long as the daemon runs.
func (b *Bank) later(w where) {
	b.sessions.mu.Lock()
	ctx := b.sessions.ctx
	b.sessions.mu.Unlock()
	if ctx != nil && ctx.Err() == nil {
		b.sessions.running.Go(func() { b.finishLater(ctx, w) })
	}
}

func (b *Bank) finishLater(ctx context.Context, w where) {
	for pause := time.Second; ; pause = min(2*pause, time.Minute) {
		err := b.finish(ctx, w)
		if err == nil || !fault.As(err).Retryable {
			if err != nil {
				b.log.Warn("exchange could not be finished", "code", fault.As(err).Code, "plaid_code", plaid.Code(err))
			}
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
	}
}

// finish takes one unfinished exchange up again.
func (b *Bank) finish(ctx context.Context, w where) error {
	defer b.exchanges.lock("exchange " + w.ID)()
	e, err := b.exchangeRecord(ctx, w.TenantID, w.ID)
	if err != nil {
		return missing(err, "exchange")
	}
	_, err = b.carryOn(ctx, system(w.TenantID), w.ID, e, true)
	if err != nil && e.SessionID != "" && !fault.As(err).Retryable {
		return errors.Join(err, b.giveUp(ctx, where{w.TenantID, e.SessionID}, fault.As(err)))
	}
	return err
}
