package bank

import (
	"context"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/txn"
)

// syncPatience is how long a call waits for a sync; a longer sync goes on without the call.
const syncPatience = 30 * time.Second

// SyncTransactions updates a connection's transactions (A18). After half a minute it returns the progress; the same
// call again continues to wait.
func (b *Bank) SyncTransactions(ctx context.Context, c tenant.Caller, p connection.SyncParams) (txn.Synced, error) {
	conn, err := b.connection(ctx, c, p.ItemID)
	if err != nil {
		return txn.Synced{}, inField(err, "item_id", "is not a connection of yours")
	}
	if err := writable(c, conn.EmployerID, conn.CarrierID, "connection"); err != nil {
		return txn.Synced{}, err
	}
	if conn.Status == connection.Removed {
		return txn.Synced{}, fault.New(fault.Conflict, "the connection was removed").WithID(conn.ID)
	}
	if p.Refresh {
		if err := b.guards.quotas.take(c); err != nil {
			return txn.Synced{}, err
		}
		if err := b.plaid.RefreshTransactions(ctx, conn.token()); err != nil {
			return txn.Synced{}, b.noteFailure(ctx, c, conn, err)
		}
	}
	patience := time.NewTimer(syncPatience)
	defer patience.Stop()
	run := b.syncUnderway(ctx, c, conn, p.Reread)
	for p.Reread && !run.reread { // one that began before does not read all again
		select {
		case <-run.done:
			run = b.syncUnderway(ctx, c, conn, true)
			continue
		case <-patience.C:
			return b.syncGoesOn(c, conn), nil
		case <-ctx.Done():
			return txn.Synced{}, ctx.Err()
		}
	}
	select {
	case <-run.done:
		reply := run.reply
		if p.Refresh {
			reply.Left = b.allowance("refresh", conn.ID)
		}
		return reply, run.err
	case <-patience.C:
		return b.syncGoesOn(c, conn), nil
	case <-ctx.Done():
		return txn.Synced{}, ctx.Err()
	}
}

// syncGoesOn is the reply where a sync takes longer than its caller waits.
func (b *Bank) syncGoesOn(c tenant.Caller, conn storedConnection) txn.Synced {
	s := b.ledger.State(c.TenantID, conn.ID)
	reply := txn.Synced{ConnectionID: conn.ID, PlaidItemID: conn.ItemID, Status: s.Status, Total: s.Rows, SetAside: s.SetAside, Reading: true}
	if s.SyncedAt != nil {
		reply.SyncedAt = *s.SyncedAt
	}
	return reply
}

// syncUnderway joins a connection's running sync, or starts one. The sync outlives its call: pages read for minutes are
// not dropped because a caller left.
func (b *Bank) syncUnderway(ctx context.Context, c tenant.Caller, conn storedConnection, reread bool) *progress {
	p := &progress{since: b.time(), done: make(chan struct{}), reread: reread}
	if runs, joined := b.work.underway.LoadOrStore(conn.ID, p); joined {
		return runs.(*progress)
	}
	b.life.Outlive(ctx, func(ctx context.Context) {
		defer close(p.done)
		defer b.work.underway.Delete(conn.ID)
		p.reply, p.err = b.syncTransactions(ctx, c, conn, p)
	})
	return p
}

// syncTransactions reads what is new, and then, where the run asks for it, all that Plaid has once more. The second
// reading leaves the cursor as it is: it does not tell what was removed since.
func (b *Bank) syncTransactions(ctx context.Context, c tenant.Caller, conn storedConnection, progress *progress) (txn.Synced, error) {
	cursor := b.ledger.State(c.TenantID, conn.ID).Cursor
	reply, err := b.readAndStore(ctx, c, conn, progress, cursor, false)
	if err != nil || cursor == "" || !progress.reread {
		return reply, err
	}
	again, err := b.readAndStore(ctx, c, conn, progress, "", true)
	again.Added, again.Modified, again.Removed = again.Added+reply.Added, again.Modified+reply.Modified, again.Removed+reply.Removed
	return again, err
}

// readAndStore reads a whole update, then stores it with its cursor in one transaction. A large one is staged on disk as
// it comes.
func (b *Bank) readAndStore(ctx context.Context, c tenant.Caller, conn storedConnection, progress *progress, from string, keepCursor bool) (txn.Synced, error) {
	r := &reading{b: b, caller: c, tenantID: c.TenantID, conn: conn, run: progress}
	defer r.giveUp(ctx)
	status, err := r.readUpdate(ctx, from)
	if err != nil {
		return txn.Synced{}, b.noteFailure(ctx, c, conn, err)
	}
	if keepCursor {
		r.held.To = ""
	}
	aside := b.ledger.State(c.TenantID, conn.ID).SetAside
	now := b.time()
	reply := txn.Synced{ConnectionID: conn.ID, PlaidItemID: conn.ItemID, Status: status, SyncedAt: now}
	err = r.store(ctx, status, now, func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error {
		return b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
			counts, err := apply(tx)
			reply.Counts = counts
			return auditEvent{action: "txn.sync", object: "connection:" + conn.ID, reply: reply, details: map[string]string{
				"added": strconv.Itoa(counts.Added), "modified": strconv.Itoa(counts.Modified), "removed": strconv.Itoa(counts.Removed), "status": status,
			}}, err
		})
	})
	s := b.ledger.State(c.TenantID, conn.ID)
	reply.Total, reply.SetAside = s.Rows, s.SetAside
	if err == nil && s.SetAside > aside {
		b.log.Warn("rows of Plaid's cannot be read or stored, and are set aside", "connection", conn.ID, "rows", s.SetAside-aside)
	}
	return reply, err
}

// sleep waits some seconds, or returns false when ctx ends first.
func sleep(ctx context.Context, seconds int) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(seconds) * time.Second):
		return true
	}
}
