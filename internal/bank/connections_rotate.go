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

// RotateToken replaces a connection's access token; the old one stops working. Nothing else of the connection changes.
func (b *Bank) RotateToken(ctx context.Context, c tenant.Caller, id string) (connection.Rotated, error) {
	conn, err := b.connection(ctx, c, id)
	if err != nil {
		return connection.Rotated{}, err
	}
	if err := writable(c, conn.EmployerID, conn.CarrierID, "connection"); err != nil {
		return connection.Rotated{}, err
	}
	return b.rotate(ctx, c, conn.ID)
}

// rotate first stores its intent, so that after a crash bankd knows that its token may be dead, and then asks Plaid.
func (b *Bank) rotate(ctx context.Context, c tenant.Caller, id string) (connection.Rotated, error) {
	defer b.locks.Lock("item " + id)()
	ctx = context.WithoutCancel(ctx)
	if err := b.settleRotation(ctx, c, id); err != nil { // finish an earlier swap first, so that this one does not hide its outcome
		return connection.Rotated{}, err
	}
	now := b.time()
	crashPoint("rotate.ask")
	conn, err := b.changeConnection(ctx, c, id, auditEvent{action: "connection.intend_rotation"}, func(_ *store.Tx, conn *storedConnection) (bool, error) {
		switch {
		case conn.Status == connection.Removed:
			return false, errRemoved(id)
		case conn.tokenIsDead():
			return false, fault.New(fault.RelinkRequired, "its token is dead already").WithHint("remove it and link the bank again")
		}
		conn.Rotating = &now
		return true, nil
	})
	if err != nil {
		return connection.Rotated{}, err
	}
	crashPoint("rotate.intended")
	fresh, err := b.plaid.InvalidateToken(ctx, conn.token())
	crashPoint("rotate.asked")
	if err != nil && plaid.OutcomeUnknown(err) {
		if found := b.settleRotation(ctx, c, id); found != nil {
			return connection.Rotated{}, errors.Join(err, found)
		}
		if now, readErr := b.readConnectionNow(ctx, c.TenantID, id); readErr == nil && now.Has(connection.TokenLost) {
			return connection.Rotated{}, fault.New(fault.RelinkRequired, "Plaid swapped the token, and its answer with the new one was lost").WithHint("%s", now.Hint(connection.TokenLost))
		}
		return connection.Rotated{}, err
	}
	if err != nil {
		return connection.Rotated{}, errors.Join(b.noteFailure(ctx, c, conn, err), b.endRotation(ctx, c, id, "refused"))
	}
	reply := connection.Rotated{ID: id, ItemID: conn.ItemID, RotatedAt: now}
	swap := func(_ *store.Tx, conn *storedConnection) (bool, error) {
		conn.AccessToken, conn.Rotating, conn.Swap = fresh.Reveal(), nil, false
		return true, nil
	}
	err = b.insist(func() error {
		_, err := b.changeConnection(ctx, c, id, auditEvent{action: "connection.rotate", reply: reply}, swap)
		return err
	})
	crashPoint("rotate.stored")
	if err != nil {
		return connection.Rotated{}, fmt.Errorf("store access token: %w", err)
	}
	return reply, nil
}

// settleRotation finds out whether an unanswered swap took place, by trying the old token. If that is dead, the new one
// is lost with the reply, and the user must link the bank again.
func (b *Bank) settleRotation(ctx context.Context, c tenant.Caller, id string) error {
	conn, err := b.readConnectionNow(ctx, c.TenantID, id)
	if err != nil || conn.Rotating == nil || conn.Status == connection.Removed {
		return err
	}
	crashPoint("rotate.find")
	_, err = b.plaid.GetItem(ctx, conn.token())
	crashPoint("rotate.found")
	switch {
	case err == nil:
		return b.endRotation(ctx, c, id, "not_done")
	case plaid.Code(err) == connection.InvalidAccessToken:
		return b.noteLostRotation(ctx, c, id)
	case connection.Known(plaid.Code(err)):
		return b.endRotation(ctx, c, id, "not_done")
	}
	return err // still unknown: try again later
}

func (b *Bank) endRotation(ctx context.Context, c tenant.Caller, id, result string) error {
	d := auditEvent{action: "connection.end_rotation", details: map[string]string{"result": result}}
	_, err := b.changeConnection(ctx, c, id, d, func(_ *store.Tx, conn *storedConnection) (bool, error) {
		was := conn.Rotating != nil
		conn.Rotating = nil
		return was, nil
	})
	crashPoint("rotate.ended")
	return err
}

// noteLostRotation records that Plaid swapped a token and the new one was not stored.
func (b *Bank) noteLostRotation(ctx context.Context, c tenant.Caller, id string) error {
	now, lost := b.time(), false
	_, err := b.changeConnection(ctx, c, id, auditEvent{action: "connection.lose_token", outcome: string(fault.RelinkRequired)}, func(_ *store.Tx, conn *storedConnection) (bool, error) {
		lost = conn.Rotating != nil
		conn.Rotating, conn.Swap = nil, false
		return conn.Note(connection.TokenLost, now, nil) || lost, nil
	})
	crashPoint("rotate.lost")
	if err == nil && lost {
		b.stats.LostTokens.Add(1)
	}
	return err
}
