package bank

import (
	"context"
	"strconv"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// DeleteTenant deletes a tenant with all it has, and destroys its keys; only the local owner may. It refuses while Items
// are linked, which would stay open at Plaid and be billed.
func (b *Bank) DeleteTenant(ctx context.Context, c tenant.Caller, id string) (tenant.Deleted, error) {
	c, err := b.ownerOf(ctx, c)
	if err != nil {
		return tenant.Deleted{}, err
	}
	if id == c.TenantID {
		return tenant.Deleted{}, fault.New(fault.Conflict, "the default tenant stays: its audit chain tells what is done to all").WithID(id)
	}
	defer b.locks.Lock("keys")()
	ctx = context.WithoutCancel(ctx)
	reply := tenant.Deleted{ID: id, Deleted: true}
	var gone []string
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		t, err := tenants.Get(tx, store.SystemTenant, id)
		if err != nil {
			return auditEvent{}, missing(err, "tenant")
		}
		if err := mayDeleteTenant(tx, id); err != nil {
			return auditEvent{}, err
		}
		if gone, err = dropTenant(tx, t); err != nil {
			return auditEvent{}, err
		}
		reply.Name, reply.Clients = t.Name, len(gone)
		details := map[string]string{"name": t.Name, "clients": strconv.Itoa(len(gone))}
		return auditEvent{action: "tenant.delete", object: "tenant:" + id, details: details, reply: reply}, nil
	})
	if err != nil {
		return tenant.Deleted{}, err
	}
	for _, client := range gone {
		b.clients.drop(client)
		b.clients.used.Delete(client)
	}
	crashPoint("tenant.dropped")
	if err := b.destroyTenant(ctx, id); err != nil {
		return reply, err
	}
	if _, _, err := b.db.Wipe(ctx); err != nil {
		b.log.Error("cannot overwrite the space of a deleted tenant", "error", err.Error())
	}
	return reply, nil
}

func mayDeleteTenant(tx *store.Tx, id string) error {
	for rec, err := range connections.Scan(tx, id, store.Range{}) {
		if err != nil {
			return err
		}
		if rec.Value.Status != connection.Removed {
			return fault.New(fault.Conflict, "the tenant still has linked Items").WithID(rec.ID).
				WithHint("remove each with `bankctl connections remove`: an Item that is forgotten stays open at Plaid and is billed")
		}
	}
	for _, refs := range []store.Collection[recordRef]{open, unfinishedExchanges} {
		for rec, err := range refs.Scan(tx, store.SystemTenant, store.Range{}) {
			if err != nil {
				return err
			}
			if rec.Value.TenantID == id {
				return fault.New(fault.Conflict, "a link session of the tenant is open: its Item could come after the deletion").WithID(rec.Value.ID).
					WithHint("wait until it has ended, or complete it and remove its connection")
			}
		}
	}
	return nil
}

// dropTenant deletes what the system's records say of a tenant, and marks its own records as to be deleted. It returns
// the ids of its clients.
func dropTenant(tx *store.Tx, t tenant.Tenant) (gone []string, err error) {
	for rec, err := range clients.Scan(tx, store.SystemTenant, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if rec.Value.TenantID == t.ID {
			gone = append(gone, rec.ID)
		}
	}
	for _, id := range gone {
		if err := clients.Delete(tx, store.SystemTenant, id); err != nil {
			return nil, err
		}
	}
	if _, err := drop(tx, tokenTenants, store.SystemTenant, func(r recordRef) bool { return r.TenantID == t.ID }); err != nil {
		return nil, err
	}
	if err := tx.Doom(t.ID); err != nil {
		return nil, err
	}
	return gone, tenants.Delete(tx, store.SystemTenant, t.ID)
}

func (b *Bank) destroyTenant(ctx context.Context, id string) error {
	err := b.db.DestroyTenant(ctx, id)
	b.linked.writes.Add(1)
	return err
}

// finishDeletions goes on with deletions that the end of a process cut short.
func (b *Bank) finishDeletions(ctx context.Context) error {
	ids, err := b.db.Doomed(ctx)
	for _, id := range ids {
		if err == nil {
			err = b.destroyTenant(ctx, id)
		}
	}
	return err
}
