package bank

import (
	"context"
	"errors"
	"fmt"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

var errUnchanged = errors.New("nothing changed")

// changeConnection reads a connection, applies change, and writes it with its audit event. If change returns false, it
// writes nothing.
func (b *Bank) changeConnection(ctx context.Context, c tenant.Caller, id string, d auditEvent, change func(*store.Tx, *storedConnection) (bool, error)) (storedConnection, error) {
	var conn storedConnection
	err := b.write(context.WithoutCancel(ctx), c, func(tx *store.Tx) (auditEvent, error) {
		var err error
		if conn, err = connections.Get(tx, c.TenantID, id); err != nil {
			return auditEvent{}, missing(err, "connection")
		}
		before := conn.Status
		changed, err := change(tx, &conn)
		if err != nil {
			return auditEvent{}, err
		}
		if !changed || before == connection.Removed {
			return auditEvent{}, errUnchanged
		}
		removing, err := removalIntended(tx, id)
		if err != nil {
			return auditEvent{}, err
		}
		if reason := conn.suspensionReason(); reason != "" && !removing {
			if _, err := disableACH(tx, c.TenantID, func(a storedACH) bool { return a.ConnectionID == id }, reason, b.time()); err != nil {
				return auditEvent{}, err
			}
		}
		done := d
		done.object, done.onWhose = "connection:"+id, conn.Employee.String()
		if conn.Status != before {
			done.details = with(d.details, "status", conn.Status)
		}
		return done, connections.Put(tx, c.TenantID, id, conn)
	})
	if errors.Is(err, errUnchanged) {
		return conn, nil
	}
	return conn, err
}

// suspensionReason says why the connection's numbers may not be used; empty if they may. The user withdrew consent,
// which a missing Item may mean too, or shares no account that can be debited.
func (c storedConnection) suspensionReason() string {
	switch {
	case c.Has(connection.PermissionRevoked), c.Has(connection.ItemNotFound):
		return account.ConsentRevoked
	case c.Has(connection.NoAccounts), c.Has(connection.NoAuthAccounts):
		return account.NotShared
	}
	return ""
}

// with adds one detail to a copy.
func with(details map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range details {
		out[k] = v
	}
	return out
}

// noteFailure records Plaid's error in a connection, and returns the error.
func (b *Bank) noteFailure(ctx context.Context, c tenant.Caller, conn storedConnection, why error) error {
	code := plaid.Code(why)
	if !connection.Known(code) {
		return why
	}
	if _, err := b.noteTrouble(ctx, c, conn, code); err != nil {
		return errors.Join(why, fmt.Errorf("note trouble: %w", err))
	}
	return withRepairHint(why, conn)
}

// withRepairHint makes the hint the command that mends the connection, with its id, ready to copy.
func withRepairHint(why error, conn storedConnection) error {
	f := *fault.As(why)
	f.Hint = conn.Hint(plaid.Code(why))
	return &f
}

// removalIntended reports whether a connection is being removed. Plaid then says that it is gone, and the removal decides
// about its ACH accounts.
func removalIntended(tx *store.Tx, id string) (bool, error) {
	_, err := removals.Get(tx, store.SystemTenant, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// gone reports whether Plaid refused a call because it no longer knows the Item or its token.
func gone(err error) bool { return connection.CodeOf(plaid.Code(err)).Gone }

// noteTrouble records a code that Plaid answered to the token of asked. If the token was swapped meanwhile, the code is
// no news of the connection.
func (b *Bank) noteTrouble(ctx context.Context, c tenant.Caller, asked storedConnection, code string) (storedConnection, error) {
	now := b.time()
	d := auditEvent{action: "connection.trouble", outcome: "noted", details: map[string]string{"plaid_error_code": code}}
	return b.changeConnection(ctx, c, asked.ID, d, func(_ *store.Tx, conn *storedConnection) (bool, error) {
		if code == connection.InvalidAccessToken && (conn.Rotating != nil || conn.AccessToken != asked.AccessToken) {
			return false, nil
		}
		return conn.Note(code, now, nil), nil
	})
}
