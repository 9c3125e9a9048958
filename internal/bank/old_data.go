package bank

import (
	"context"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/store"
)

// NoteOldData audits in every tenant's chain, under the action, that older data took the place of newer data, and looks at
// every connection at once: an access token that was replaced since is dead, and its connection needs a new link.
func (b *Bank) NoteOldData(ctx context.Context, action string, details map[string]string) error {
	all, err := b.allTenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		err := b.write(ctx, system(t.ID), func(*store.Tx) (auditEvent, error) {
			return auditEvent{action: action, object: "tenant:" + t.ID, details: details}, nil
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
