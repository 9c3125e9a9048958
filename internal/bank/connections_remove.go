package bank

import (
	"context"
	"errors"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/background"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// storedRemoval is an Item that must be removed at Plaid. It stays until Plaid has confirmed the removal: a forgotten
// Item would stay open and be billed for ever.
type storedRemoval struct {
	TenantID     string    `json:"tenant_id"`
	ConnectionID string    `json:"connection_id"`
	ItemID       string    `json:"item_id"`
	ACH          string    `json:"ach"`       // choice for the ACH accounts that came from it
	ClientID     string    `json:"client_id"` // the caller who asked
	At           time.Time `json:"at"`
}

var removals = store.NewCollection[storedRemoval]("removals") // system, by connection id

// RemoveConnection removes the Item at Plaid, then makes its accounts inactive and treats its ACH accounts as the
// caller chose. If Plaid does not answer, bankd goes on trying by itself.
func (b *Bank) RemoveConnection(ctx context.Context, c tenant.Caller, id string, p connection.RemoveParams) (connection.RemovedReply, error) {
	conn, err := b.connection(ctx, c, id)
	if err != nil {
		return connection.RemovedReply{}, err
	}
	if err := writable(c, conn.EmployerID, conn.CarrierID, "connection"); err != nil {
		return connection.RemovedReply{}, err
	}
	return b.removeConnection(ctx, c, conn, p.ACH)
}

func (b *Bank) removeConnection(ctx context.Context, c tenant.Caller, conn storedConnection, ach string) (connection.RemovedReply, error) {
	defer b.locks.Lock("item " + conn.ID)()
	conn, err := b.readConnectionNow(ctx, c.TenantID, conn.ID) // another removal may have finished in between
	if err != nil {
		return connection.RemovedReply{}, err
	}
	if conn.Status == connection.Removed {
		return b.settleAgain(ctx, c, conn, ach)
	}
	ctx = context.WithoutCancel(ctx)
	r := storedRemoval{TenantID: c.TenantID, ConnectionID: conn.ID, ItemID: conn.ItemID, ACH: ach, ClientID: c.Client.ID, At: b.time()}
	crashPoint("remove.ask")
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		if err := mayDeleteACH(tx, c, conn.ID, ach); err != nil {
			return auditEvent{}, err
		}
		d := auditEvent{action: "connection.intend_removal", object: "connection:" + conn.ID, onWhose: conn.Employee.String(), details: map[string]string{"item": conn.ItemID}}
		return d, removals.Put(tx, store.SystemTenant, conn.ID, r)
	})
	if err != nil {
		return connection.RemovedReply{}, err
	}
	crashPoint("remove.intended")
	reply, err := b.carryOutRemoval(ctx, c, r)
	if err != nil {
		return connection.RemovedReply{}, removalGoesOn(err)
	}
	return reply, nil
}

// settleAgain applies a new choice for the ACH accounts of a removed connection.
func (b *Bank) settleAgain(ctx context.Context, c tenant.Caller, conn storedConnection, ach string) (connection.RemovedReply, error) {
	reply := connection.RemovedReply{ID: conn.ID, ItemID: conn.ItemID, Deleted: true}
	if ach == "" || ach == connection.KeepACH {
		return reply, nil
	}
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		err := mayDeleteACH(tx, c, conn.ID, ach)
		if err != nil {
			return auditEvent{}, err
		}
		reply.Disabled, reply.ACHDeleted, err = b.settleACH(tx, c, storedRemoval{TenantID: c.TenantID, ConnectionID: conn.ID, ACH: ach}, b.time())
		return auditEvent{action: "connection.settle_ach", object: "connection:" + conn.ID, reply: reply, details: map[string]string{"ach": ach}}, err
	})
	return reply, err
}

func removalGoesOn(err error) error {
	f := *fault.As(err)
	return f.WithHint("nothing is lost: bankd keeps trying to remove it until Plaid confirms")
}

// carryOutRemoval removes an Item at Plaid, then closes its objects here. It can be repeated at any point.
func (b *Bank) carryOutRemoval(ctx context.Context, c tenant.Caller, r storedRemoval) (connection.RemovedReply, error) {
	reply := connection.RemovedReply{ID: r.ConnectionID, ItemID: r.ItemID, Deleted: true}
	if err := b.settleRotation(ctx, c, r.ConnectionID); err != nil { // a dead token does not prove that the Item is gone
		return reply, err
	}
	conn, err := b.readConnectionNow(ctx, r.TenantID, r.ConnectionID)
	if err != nil {
		return reply, err
	}
	err = b.plaid.RemoveItem(ctx, conn.token())
	crashPoint("remove.asked")
	if err != nil && !gone(err) {
		return reply, err
	}
	reply.Unconfirmed = plaid.Code(err) == connection.InvalidAccessToken
	now := b.time()
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		latest, err := connections.Get(tx, r.TenantID, r.ConnectionID)
		if err != nil {
			return auditEvent{}, missing(err, "connection")
		}
		latest.Status, latest.Since, latest.AccessToken, latest.UpdatedAt = connection.Removed, &now, "", now
		latest.Error, latest.Notices, latest.Rotating = nil, nil, nil
		if _, err := b.retire(tx, r.TenantID, r.ConnectionID, nil, now); err != nil {
			return auditEvent{}, err
		}
		if reply.Disabled, reply.ACHDeleted, err = b.settleACH(tx, c, r, now); err != nil {
			return auditEvent{}, err
		}
		if err := removals.Delete(tx, store.SystemTenant, r.ConnectionID); err != nil {
			return auditEvent{}, err
		}
		d := auditEvent{action: "connection.remove", object: "connection:" + r.ConnectionID, onWhose: latest.Employee.String(), reply: reply,
			details: map[string]string{"item": r.ItemID, "ach": r.ACH}}
		return d, connections.Put(tx, r.TenantID, r.ConnectionID, latest)
	})
	crashPoint("remove.stored")
	return reply, err
}

// settleACH applies the caller's choice to the ACH accounts of a removed connection.
func (b *Bank) settleACH(tx *store.Tx, c tenant.Caller, r storedRemoval, now time.Time) (disabled, deleted int, err error) {
	from := func(a storedACH) bool { return a.ConnectionID == r.ConnectionID }
	switch r.ACH {
	case connection.KeepACH: // not for aliases, which end with their consent
		disabled, err = disableACH(tx, r.TenantID, func(a storedACH) bool { return from(a) && a.Tokenized }, account.ConnectionRemoved, now)
	case connection.DeleteACH:
		found, err := achWhere(tx, r.TenantID, from)
		if err != nil {
			return 0, 0, err
		}
		for _, a := range found {
			if !ownsACH(c, a) { // it came meanwhile: what the caller may not delete is stopped
				a.disable(account.ConnectionRemoved, now)
				disabled++
				if err := achAccounts.Put(tx, r.TenantID, a.ID, a); err != nil {
					return 0, 0, err
				}
				continue
			}
			if err := b.destroyACH(tx, c, a); err != nil {
				return 0, 0, err
			}
			deleted++
		}
	default:
		disabled, err = disableACH(tx, r.TenantID, from, account.ConnectionRemoved, now)
	}
	return disabled, deleted, err
}

// waitingRemovals lists the removals of all tenants that Plaid has not confirmed.
func (b *Bank) waitingRemovals(ctx context.Context) (all []storedRemoval, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range removals.Scan(tx, store.SystemTenant, store.Range{}) {
			if err != nil {
				return err
			}
			all = append(all, rec.Value)
		}
		return nil
	})
	return all, err
}

// finishRemovals repeats unconfirmed removals, at the start and at intervals, until ctx ends.
func (b *Bank) finishRemovals(ctx context.Context) {
	b.work.removals.Run(ctx, b.tempo.Look, func(ctx context.Context) ([]background.Task, error) {
		all, err := b.waitingRemovals(ctx)
		tasks := make([]background.Task, len(all))
		for i, r := range all {
			tasks[i] = background.Task{
				ID:   r.ConnectionID,
				Rest: func(failed int) time.Duration { return b.tempo.Removal(min(time.Hour, 30*time.Second<<min(failed, 7))) },
				Do:   func(ctx context.Context) error { return b.removeInTurn(ctx, r) },
			}
		}
		return tasks, err
	})
}

func (b *Bank) removeInTurn(ctx context.Context, r storedRemoval) error {
	defer b.locks.Lock("item " + r.ConnectionID)()
	crashPoint("remove.again")
	err := b.db.View(ctx, func(tx *store.Tx) (err error) {
		r, err = removals.Get(tx, store.SystemTenant, r.ConnectionID) // with the latest choice
		return err
	})
	if err == nil {
		_, err = b.carryOutRemoval(ctx, system(r.TenantID), r)
	} else if errors.Is(err, store.ErrNotFound) {
		err = nil // somebody else finished it
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrPoisoned) {
		b.log.Warn("removal at Plaid failed", "connection", r.ConnectionID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err), "cause", fault.Cause(err))
	}
	return err
}

// ownsACH reports whether a caller may destroy an ACH account; bankd itself carries out what was allowed before.
func ownsACH(c tenant.Caller, a storedACH) bool { return bankdItself(c) || c.Owns(a.Owner()) }

// mayDeleteACH refuses to delete a connection's ACH accounts where one of them is out of the caller's scope.
func mayDeleteACH(tx *store.Tx, c tenant.Caller, connectionID, ach string) error {
	if ach != connection.DeleteACH {
		return nil
	}
	foreign, err := achWhere(tx, c.TenantID, func(a storedACH) bool { return a.ConnectionID == connectionID && !ownsACH(c, a) })
	if err == nil && len(foreign) > 0 {
		err = fault.New(fault.Forbidden, "ACH accounts of other owners rest on this connection").WithHint("remove it with ach=disable or ach=keep")
	}
	return err
}
