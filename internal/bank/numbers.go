package bank

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// numberCounts counts the effects on the ACH accounts of a connection.
type numberCounts struct{ same, renumbered, restored, suspended, doubted int }

func (r numberCounts) details() map[string]string {
	return map[string]string{
		"numbers": "fetched", "same": strconv.Itoa(r.same), "renumbered": strconv.Itoa(r.renumbered), "restored": strconv.Itoa(r.restored),
		"suspended": strconv.Itoa(r.suspended), "doubted": strconv.Itoa(r.doubted),
	}
}

// refreshNumbers reads a connection's numbers again and updates its ACH accounts: a bank may have given another number,
// or an alias that replaces the old one.
func (b *Bank) refreshNumbers(ctx context.Context, c tenant.Caller, conn storedConnection) error {
	linked, err := b.linkedACH(ctx, c.TenantID, conn.ID)
	if err != nil || len(linked) == 0 && !conn.AwaitsProof(connection.ByNumbers) {
		return err
	}
	asked := b.time()
	crashPoint("numbers.ask")
	auth, err := b.plaid.GetNumbers(ctx, conn.token())
	crashPoint("numbers.asked")
	if plaid.Code(err) == connection.ProductNotReady {
		return nil // the deposit is not confirmed yet
	}
	if err != nil {
		return b.noteFailure(ctx, c, conn, err)
	}
	b.stats.NumberFetches.Add(1)
	now := b.time()
	err = b.write(context.WithoutCancel(ctx), c, func(tx *store.Tx) (auditEvent, error) {
		latest, err := connections.Get(tx, c.TenantID, conn.ID)
		if err != nil {
			return auditEvent{}, missing(err, "connection")
		}
		if latest.Status == connection.Removed { // the removal has settled its ACH accounts
			return auditEvent{action: "numbers.refresh", object: "connection:" + conn.ID, outcome: string(fault.Conflict), details: numberCounts{}.details()}, nil
		}
		healed := latest.Heal(connection.ByNumbers, asked, now)
		usable := linked
		if latest.suspensionReason() != "" { // a trouble noted during the call forbids the numbers
			usable = nil
		}
		var r numberCounts
		for _, id := range usable {
			a, err := achAccounts.Get(tx, c.TenantID, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return auditEvent{}, err
			}
			if a.ConnectionID != conn.ID || !a.followsPlaid() || !serves(latest.Connection, a.ACH) {
				continue // proven through another connection during the call, or not to be changed
			}
			if err := b.renumber(tx, c.TenantID, a, auth, now, &r); err != nil {
				return auditEvent{}, err
			}
		}
		d := auditEvent{action: "numbers.refresh", object: "connection:" + conn.ID, details: r.details()}
		if !healed {
			return d, nil
		}
		return d, connections.Put(tx, c.TenantID, conn.ID, latest)
	})
	crashPoint("numbers.stored")
	return err
}

// fetchNumbers asks Plaid for a connection's numbers, for a caller that will rely on them. It heals troubles that the
// answer proves to be over; if one is left that forbids the numbers, it returns an error.
func (b *Bank) fetchNumbers(ctx context.Context, c tenant.Caller, conn storedConnection) (plaid.Auth, storedConnection, error) {
	if err := b.guards.quotas.take(c); err != nil {
		return plaid.Auth{}, conn, err
	}
	asked := b.time()
	auth, err := b.plaid.GetNumbers(ctx, conn.token())
	if plaid.Code(err) == connection.ProductNotReady {
		return auth, conn, err // a deposit on its way is no trouble of the connection
	}
	if err != nil {
		return auth, conn, b.noteFailure(ctx, c, conn, err)
	}
	b.stats.NumberFetches.Add(1)
	if conn, err = b.livingConnection(ctx, c, conn.ID); err != nil {
		return auth, conn, err
	}
	if now := b.time(); conn.Error != nil || len(conn.Notices) > 0 {
		heal := func(_ *store.Tx, conn *storedConnection) (bool, error) {
			return conn.Heal(connection.ByNumbers, asked, now), nil
		}
		if conn, err = b.changeConnection(ctx, c, conn.ID, auditEvent{action: "connection.heal"}, heal); err != nil {
			return auth, conn, err
		}
	}
	return auth, conn, usable(conn)
}

// usable refuses the numbers of a connection whose user withdrew consent, or that shares no account with numbers.
func usable(conn storedConnection) error {
	if conn.suspensionReason() == "" {
		return nil
	}
	return fault.New(fault.RelinkRequired, "the connection's numbers may not be used").WithID(conn.ID).WithHint("%s", conn.Error.Hint)
}

// linkedACH lists the ACH accounts whose numbers are a connection's, except those that a user disabled.
func (b *Bank) linkedACH(ctx context.Context, tenantID, connectionID string) (ids []string, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) error {
		found, err := achWhere(tx, tenantID, func(a storedACH) bool { return a.ConnectionID == connectionID && a.followsPlaid() })
		for _, a := range found {
			ids = append(ids, a.ID)
		}
		return err
	})
	return ids, err
}

// followsPlaid reports whether Plaid's data may change the account: not after it was disabled permanently.
func (a storedACH) followsPlaid() bool { return a.Status != account.Disabled || a.suspended() }

// renumber updates one ACH account with Plaid's current data.
func (b *Bank) renumber(tx *store.Tx, tenantID string, a storedACH, auth plaid.Auth, now time.Time, r *numberCounts) error {
	seen, n := accountWithNumbers(auth, a.PlaidAccountID)
	if seen == nil {
		if a.suspended() {
			return nil
		}
		a.disable(account.NotShared, now)
		r.suspended++
		return achAccounts.Put(tx, tenantID, a.ID, a)
	}
	same := n.Routing.Equal(a.numbers().Routing) && n.Account.Equal(a.numbers().Account)
	status, method := account.FromPlaidStatus(seen.VerificationStatus)
	switch {
	case same && !a.suspended() && (a.Status == status || a.Evidence != nil && a.Evidence.Method == "attested"):
		r.same++
		return nil
	case !same && a.ConnectionType == account.Manual: // typed numbers that the bank no longer has
		a.Status, a.DisabledReason, a.UpdatedAt = account.Unverified, "", now
		a.Evidence = &account.Evidence{Method: "none", PlaidStatus: seen.VerificationStatus, At: now}
		r.doubted++
		return achAccounts.Put(tx, tenantID, a.ID, a)
	case !same:
		fresh, err := b.newACH(tenantID, a.OwnerType, a.OwnerID, n.Numbers)
		if err != nil {
			return err
		}
		if held, err := achNumbers.Get(tx, tenantID, fresh.Fingerprint); err == nil && held.ID != a.ID {
			a.disable(account.NotShared, now) // another of its owner's accounts has the numbers
			r.suspended++
			return achAccounts.Put(tx, tenantID, a.ID, a)
		} else if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := achNumbers.Delete(tx, tenantID, a.Fingerprint); err != nil {
			return err
		}
		if err := achNumbers.Put(tx, tenantID, fresh.Fingerprint, pointer{a.ID}); err != nil {
			return err
		}
		a.Routing, a.Number, a.Fingerprint, a.AccountLast4, a.RoutingLast4 = fresh.Routing, fresh.Number, fresh.Fingerprint, fresh.AccountLast4, fresh.RoutingLast4
		r.renumbered++
	}
	if a.suspended() {
		r.restored++
	}
	a.Status, a.DisabledReason, a.UpdatedAt = status, "", now
	a.Mask, a.Tokenized = seen.Mask, n.Tokenized != nil && *n.Tokenized
	a.Evidence = &account.Evidence{Method: method, PlaidStatus: seen.VerificationStatus, At: now}
	return achAccounts.Put(tx, tenantID, a.ID, a)
}

// accountWithNumbers returns an account with its numbers; nil if Plaid has no US numbers for it.
func accountWithNumbers(auth plaid.Auth, id string) (*plaid.Account, plaid.Numbers) {
	n, ok := auth.Numbers[id]
	if !ok || n.Routing.Check() != nil || n.Account.Check() != nil {
		return nil, plaid.Numbers{}
	}
	for i := range auth.Accounts {
		if auth.Accounts[i].ID == id {
			return &auth.Accounts[i], n
		}
	}
	return nil, plaid.Numbers{}
}

// disableACH disables the selected ACH accounts that are verified or pending, and counts them. A removed connection
// disables its other ones too, except those that a user disabled.
func disableACH(tx *store.Tx, tenantID string, meant func(storedACH) bool, reason string, now time.Time) (int, error) {
	found, err := achWhere(tx, tenantID, func(a storedACH) bool {
		usable := a.Status == account.Verified || a.pending()
		byRemoval := reason == account.ConnectionRemoved && (a.Status != account.Disabled || a.suspended())
		return meant(a) && (usable || byRemoval)
	})
	if err != nil {
		return 0, err
	}
	for _, a := range found {
		a.disable(reason, now)
		if err := achAccounts.Put(tx, tenantID, a.ID, a); err != nil {
			return 0, err
		}
	}
	return len(found), nil
}
