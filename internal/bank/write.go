package bank

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// update runs fn in one transaction. The cache of connections is stale as soon as the store may change.
func (b *Bank) update(ctx context.Context, fn func(tx *store.Tx) error) error {
	b.linked.writes.Add(1)
	defer b.linked.writes.Add(1)
	return StoreFault(b.db.Update(ctx, fn))
}

// StoreFault turns the store's own errors into faults.
func StoreFault(err error) error {
	if _, worded := errors.AsType[*fault.Error](err); worded {
		return err
	}
	if refused, ok := errors.AsType[*store.DiskError](err); ok {
		return fault.New(fault.Unavailable, "%s: nothing of this write was stored", refused.Error()).WithHint("%s", refused.Hint()).Because(err)
	}
	switch {
	case errors.Is(err, store.ErrReplaced), errors.Is(err, store.ErrPoisoned):
		return fault.New(fault.Unavailable, "bankd ends, because it cannot rely on its files any more: nothing of this write was stored").
			WithHint("its log says why; start it again and repeat the call").Because(err)
	case errors.Is(err, store.ErrOutcomeUnknown):
		return fault.New(fault.Unavailable, "the database could not confirm a write: its outcome is unknown").
			WithHint("bankd ends, and the next start finds out; then look whether it was done, or repeat it under the same Idempotency-Key").Because(err)
	}
	return err
}

// How long a write that insists waits for a disk that refuses it, and how often it tries.
const (
	diskPatience = 30 * time.Second
	diskPause    = 200 * time.Millisecond
)

// insist repeats a write of what Plaid gives only once while the disk refuses it: an access token that is not stored is
// lost, and the user must link the bank again.
func (b *Bank) insist(write func() error) error {
	enough := time.After(diskPatience)
	for {
		err := write()
		if _, refused := errors.AsType[*store.DiskError](err); !refused {
			return err
		}
		select {
		case <-enough:
			return err
		case <-b.life.Stopping():
			return err
		case <-time.After(diskPause):
		}
	}
}

// auditEvent describes a write: the event for the audit log, and the reply to keep for a replay.
type auditEvent struct {
	action  string       // noun.verb
	object  string       // kind:id
	outcome string       // empty: ok
	onWhose string       // company/employee
	owner   *trail.Owner // of an object that the write deletes; nil: record finds it
	details map[string]string
	reply   any // nil: keep none
	status  int // of the reply; 0: 200
}

// write runs fn in one transaction with the audit event of its change and the reply for an idempotent retry. fn may run
// more than once.
func (b *Bank) write(ctx context.Context, c tenant.Caller, fn func(tx *store.Tx) (auditEvent, error)) error {
	kept := false
	err := b.update(ctx, func(tx *store.Tx) error {
		d, err := fn(tx)
		if err != nil {
			return err
		}
		if err := b.record(tx, c, d); err != nil {
			return err
		}
		kept, err = b.keepReply(ctx, tx, c, d)
		return err
	})
	if err == nil {
		b.bell.Ring(c.TenantID)
	}
	if a, ok := ctx.Value(attemptKey{}).(*Attempt); ok && err == nil && kept {
		a.kept = true
	}
	return err
}

// record adds the audit record of an event to the chain.
func (b *Bank) record(tx *store.Tx, c tenant.Caller, d auditEvent) error {
	r := trail.Record{
		Time: b.time(), Action: d.action, Object: d.object, Outcome: d.outcome, RequestID: c.RequestID,
		ClientID: c.Client.ID, ClientName: c.Client.Name, OnBehalf: d.onWhose, Owner: ownerOf(tx, c.TenantID, d), Details: maps.Clone(d.details),
	}
	if r.Outcome == "" {
		r.Outcome = audit.OK
	}
	if c.UID >= 0 {
		r.UID = &c.UID
	}
	r, err := audit.Append(tx, c.TenantID, r)
	if err != nil {
		return err
	}
	return indexEvent(tx, c.TenantID, r)
}

// Refused counts a call that role, scope or capability forbids; the audit log has one record a minute of each kind.
func (b *Bank) Refused(ctx context.Context, c tenant.Caller, route string, code fault.Code) error {
	b.stats.Refusals.Add(1)
	return b.noteRefusal(ctx, refusal{tenantID: c.TenantID, clientID: c.Client.ID, uid: c.UID, action: "call.refuse", route: route, code: code}, c)
}

func (b *Bank) noteRefusal(ctx context.Context, k refusal, c tenant.Caller) error {
	n := b.guards.refused.count(k, c, b.time())
	if n == 0 {
		return nil
	}
	return b.writeRefusal(ctx, k, c, n)
}

// writeRefusal records n refused calls in the caller's tenant, or in the default tenant if the caller has none.
func (b *Bank) writeRefusal(ctx context.Context, k refusal, c tenant.Caller, n int) error {
	if c.TenantID == "" {
		t, err := b.TenantByName(ctx, tenant.DefaultName)
		if err != nil {
			return err
		}
		c.TenantID = t.ID
	}
	return b.write(withoutReply(ctx), c, func(*store.Tx) (auditEvent, error) {
		d := auditEvent{action: k.action, outcome: string(k.code), details: map[string]string{"calls": strconv.Itoa(n)}}
		if k.route != "" {
			d.details["route"] = k.route
		}
		return d, nil
	})
}
