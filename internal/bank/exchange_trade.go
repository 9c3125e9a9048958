package bank

import (
	"context"
	"errors"
	"fmt"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// tradeToken gets the access token from Plaid and stores it before anything else.
func (b *Bank) tradeToken(ctx context.Context, c tenant.Caller, fp string, e storedExchange, again bool) error {
	crashPoint("exchange.ask")
	token, itemID, err := b.plaid.Exchange(ctx, plaid.NewPublicToken(e.Params.PublicToken))
	crashPoint("exchange.asked")
	switch {
	case err == nil:
	case plaid.Code(err) == connection.InvalidPublicToken && again:
		return b.noteLostToken(ctx, c, fp, e)
	case plaid.OutcomeUnknown(err):
		b.finishInBackground(recordRef{c.TenantID, fp}, b.tempo.ExchangeRetry) // finds out soon, even if the caller does not try again
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
		if e.Employee != nil { // no route lists an employee's accounts, but the duplicate guard compares these
			for _, a := range m.Accounts {
				conn.Accounts = append(conn.Accounts, connection.LinkedAccount{PlaidAccountID: a.ID, Name: a.Name, Mask: a.Mask, Type: a.Type, Subtype: a.Subtype})
			}
		}
	}
	e.Stage, e.Params.PublicToken = linked, ""
	b.stats.Exchanges.Add(1)
	keep := func(tx *store.Tx) (auditEvent, error) {
		d := auditEvent{action: "connection.add", object: "connection:" + conn.ID, onWhose: e.Employee.String(), details: map[string]string{"item": itemID}}
		if err := connections.Put(tx, c.TenantID, conn.ID, conn); err != nil {
			return auditEvent{}, err
		}
		if err := putItem(tx, c.TenantID, itemID, conn.ID); err != nil {
			return auditEvent{}, err
		}
		return d, exchanges.Put(tx, c.TenantID, fp, e)
	}
	err = b.insist(func() error { return b.write(ctx, c, keep) })
	crashPoint("exchange.stored")
	if err != nil {
		return fmt.Errorf("store access token: %w", err)
	}
	return nil
}

// noteLostToken records that Plaid made an Item whose token was not stored: nobody can use it, and the user must link
// the bank again.
func (b *Bank) noteLostToken(ctx context.Context, c tenant.Caller, fp string, e storedExchange) error {
	e.Stage, e.Params.PublicToken = lost, ""
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		d := auditEvent{action: "connection.lose", object: "connection:" + e.ConnectionID, onWhose: e.Employee.String(), outcome: string(fault.RelinkRequired)}
		if err := unfinishedExchanges.Delete(tx, store.SystemTenant, fp); err != nil {
			return auditEvent{}, err
		}
		return d, exchanges.Put(tx, c.TenantID, fp, e)
	})
	if err != nil {
		return err
	}
	b.stats.LostExchanges.Add(1)
	return errLost()
}

// forget drops an intent that Plaid refused permanently: nothing was made.
func (b *Bank) forget(ctx context.Context, fp, tenantID string) error {
	return b.update(ctx, func(tx *store.Tx) error {
		if err := unfinishedExchanges.Delete(tx, store.SystemTenant, fp); err != nil {
			return err
		}
		return exchanges.Delete(tx, tenantID, fp)
	})
}

// readConnection reads the accounts of a connection whose token is stored, and closes its session.
func (b *Bank) readConnection(ctx context.Context, c tenant.Caller, fp string, e storedExchange) (storedConnection, error) {
	conn, err := b.readConnectionNow(ctx, c.TenantID, e.ConnectionID)
	if err != nil || conn.Read {
		return conn, err
	}
	if conn.Status == connection.Removed { // before its accounts were read: nothing is left to do
		return conn, b.update(ctx, func(tx *store.Tx) error { return b.endRead(tx, c.TenantID, fp, e) })
	}
	crashPoint("accounts.ask")
	found, err := b.readAccounts(ctx, &conn)
	crashPoint("accounts.asked")
	if err != nil {
		b.finishInBackground(recordRef{c.TenantID, fp}, b.tempo.ExchangeRetry)
		return storedConnection{}, b.noteFailure(ctx, c, conn, err)
	}
	var reply connection.Exchanged
	if reply, err = b.exchanged(c.TenantID, conn); err != nil {
		return storedConnection{}, err
	}
	ids := mintFor(b.time(), found)
	now, asked := b.time(), conn
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		latest, err := connections.Get(tx, c.TenantID, asked.ID)
		if err != nil {
			return auditEvent{}, err
		}
		if latest.Status == connection.Removed { // during the call for its accounts
			conn = latest
			return auditEvent{action: "connection.read", object: "connection:" + conn.ID, outcome: connection.Removed}, b.endRead(tx, c.TenantID, fp, e)
		}
		latest.Institution, latest.Products = asked.Institution, asked.Products
		counts, err := b.putAccounts(tx, c.TenantID, &latest, found, ids, now)
		if err != nil {
			return auditEvent{}, err
		}
		latest.Read = true
		conn, reply.Connection = latest, latest.Connection
		if err := connections.Put(tx, c.TenantID, conn.ID, latest); err != nil {
			return auditEvent{}, err
		}
		if err := b.awaitDeposit(tx, c.TenantID, e.SessionID, latest, found, now); err != nil {
			return auditEvent{}, err
		}
		d := auditEvent{action: "connection.read", object: "connection:" + conn.ID, details: counts.details(), reply: reply, status: reply.HTTPStatus()}
		return d, b.endRead(tx, c.TenantID, fp, e)
	})
	crashPoint("accounts.stored")
	if err == nil && e.SessionID != "" {
		b.sessions.Tell(e.SessionID)
	}
	return conn, err
}

// endRead marks an exchange as complete.
func (b *Bank) endRead(tx *store.Tx, tenantID, fp string, e storedExchange) error {
	if err := closeSession(tx, tenantID, e.SessionID, e.ConnectionID); err != nil {
		return err
	}
	return unfinishedExchanges.Delete(tx, store.SystemTenant, fp)
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
