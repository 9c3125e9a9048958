package bank

import (
	"context"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/store"
)

// NoteRollback audits that older data was put in the place of newer data, in every tenant's chain, and looks at every
// connection at once: an access token that was replaced since the copy was made is dead, and its connection needs a new
// link.
func (b *Bank) NoteRollback(ctx context.Context, reason, found string) error {
	all, err := b.allTenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		err := b.write(ctx, system(t.ID), func(*store.Tx) (auditEvent, error) {
			return auditEvent{action: "store.accept_rollback", object: "tenant:" + t.ID, details: map[string]string{"reason": reason, "found": found}}, nil
		})
		if err != nil {
			return err
		}
	}
	connections, err := b.everyConnection(ctx, func(c storedConnection) bool { return c.Status != connection.Removed })
	if err != nil {
		return err
	}
	for _, tc := range connections {
		b.work.checks.Poke(tc.conn.ID)
	}
	return nil
}
