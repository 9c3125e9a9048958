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

// changeConnection reads a connection, applies change, and writes it with its audit line. Where change says that nothing
// did, nothing is written.
func (b *Bank) changeConnection(ctx context.Context, c tenant.Caller, id string, d deed, change func(*store.Tx, *storedConnection) (bool, error)) (storedConnection, error) {
	var conn storedConnection
	err := b.write(context.WithoutCancel(ctx), c, func(tx *store.Tx) (deed, error) {
		var err error
		if conn, err = connections.Get(tx, c.TenantID, id); err != nil {
			return deed{}, missing(err, "connection")
		}
		before := conn.Status
		changed, err := change(tx, &conn)
		if err != nil {
			return deed{}, err
		}
		if !changed || before == connection.Removed {
			return deed{}, errUnchanged
		}
		if before != conn.Status {
			if _, err := disableACH(tx, c.TenantID, conn.endsNumbers, account.ConsentRevoked, b.time()); err != nil {
				return deed{}, err
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

// endsNumbers reports whether an ACH account may not be used any more for what has become of the connection it rests on: any
// where the user took their consent back, and aliases, which die with their Item, where that is gone.
func (c storedConnection) endsNumbers(a storedACH) bool {
	return a.ConnectionID == c.ID && (c.Status == connection.Revoked || c.Has("ITEM_NOT_FOUND") && a.Tokenized)
}

// with adds one detail to a copy.
func with(details map[string]string, key, value string) map[string]string {
	out := map[string]string{key: value}
	for k, v := range details {
		out[k] = v
	}
	return out
}

// troubled notes in a connection what Plaid said against it, and hands the error on.
func (b *Bank) troubled(ctx context.Context, c tenant.Caller, conn storedConnection, why error) error {
	code := plaid.Code(why)
	if !connection.Known(code) {
		return why
	}
	if _, err := b.noteTrouble(ctx, c, conn, code); err != nil {
		return errors.Join(why, fmt.Errorf("note trouble: %w", err))
	}
	return withCommand(why, conn.ID)
}

// withCommand puts the connection's id into the hint, so that the command can be copied.
func withCommand(why error, id string) error {
	if f := fault.As(why); f.Code == fault.RelinkRequired && plaid.Code(why) == "ITEM_LOGIN_REQUIRED" {
		return f.WithHint("run `bankctl connections reauth %s`", id)
	}
	return why
}

// noteTrouble notes a code that Plaid answered to asked's token. It says nothing of the connection where the token was
// swapped meanwhile.
func (b *Bank) noteTrouble(ctx context.Context, c tenant.Caller, asked storedConnection, code string) (storedConnection, error) {
	now := b.time()
	d := deed{action: "connection.trouble", outcome: "noted", details: map[string]string{"plaid_error_code": code}}
	return b.changeConnection(ctx, c, asked.ID, d, func(_ *store.Tx, conn *storedConnection) (bool, error) {
		if code == "INVALID_ACCESS_TOKEN" && (conn.Rotating != nil || conn.AccessToken != asked.AccessToken) {
			return false, nil
		}
		return conn.Note(code, now, nil), nil
	})
}
