package bank

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// keepFor is how long a reply is stored under its Idempotency-Key.
const keepFor = 24 * time.Hour

// Reply is a stored reply: the data of a success, or the fault of a refusal.
type Reply struct {
	Status int             `json:"status"`
	Data   json.RawMessage `json:"data,omitempty"`
	Fault  *fault.Error    `json:"fault,omitempty"`
}

type storedReply struct {
	Reply
	Request string    `json:"request"` // keyed digest of route and body
	At      time.Time `json:"at"`
}

// Attempt is one call under an Idempotency-Key; it travels in the call's context.
type Attempt struct {
	id      string // recordRef of the reply
	request string
	kept    bool // the use case's own transaction has stored the reply
}

type attemptKey struct{}

// Begin looks a key up. It returns the stored reply of an earlier call, or a context in which the call's write stores
// its own. Call done at the end, to let the next call with the key in.
func (b *Bank) Begin(ctx context.Context, c tenant.Caller, key, route string, body []byte) (inner context.Context, earlier *Reply, done func(), err error) {
	id, err := b.db.Fingerprint(c.TenantID, "idempotency key", []byte(c.Client.ID), []byte(key))
	if err != nil {
		return nil, nil, nil, fmt.Errorf("look up reply: %w", err)
	}
	request, err := b.db.Fingerprint(c.TenantID, "idempotent request", []byte(route), body)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("look up reply: %w", err)
	}
	done = b.locks.Lock("reply " + id)
	var stored storedReply
	err = b.db.View(ctx, func(tx *store.Tx) error {
		var err error
		stored, err = replies.Get(tx, c.TenantID, id)
		return err
	})
	switch {
	case errors.Is(err, store.ErrNotFound) || err == nil && b.time().Sub(stored.At) > keepFor:
		if err := b.guards.quotas.takeKey(c); err != nil {
			done()
			return nil, nil, nil, err
		}
		return context.WithValue(ctx, attemptKey{}, &Attempt{id: id, request: request}), nil, done, nil
	case err != nil:
		done()
		return nil, nil, nil, fmt.Errorf("look up reply: %w", err)
	case stored.Request != request:
		done()
		return nil, nil, nil, fault.New(fault.Conflict, "this Idempotency-Key was used for another request").
			WithHint("use a new key for each different request")
	}
	return ctx, &stored.Reply, done, nil
}

// Keep stores the reply of a call that did not store it in its own transaction: a refusal, or a call that writes
// nothing.
func (b *Bank) Keep(ctx context.Context, c tenant.Caller, r Reply) error {
	a, ok := ctx.Value(attemptKey{}).(*Attempt)
	if !ok || a.kept {
		return nil
	}
	return b.update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return replies.Put(tx, c.TenantID, a.id, storedReply{Reply: r, Request: a.request, At: b.time()})
	})
}

// keepReply stores a write's reply in the write's own transaction, without its one-time secret. It reports whether
// there was a reply to store.
func (b *Bank) keepReply(ctx context.Context, tx *store.Tx, c tenant.Caller, d auditEvent) (bool, error) {
	a, ok := ctx.Value(attemptKey{}).(*Attempt)
	if !ok || d.reply == nil {
		return false, nil
	}
	shown := d.reply
	if s, ok := shown.(interface{ WithoutSecret() any }); ok {
		shown = s.WithoutSecret()
	}
	data, err := json.Marshal(shown)
	if err != nil {
		return false, fmt.Errorf("keep reply: %w", err)
	}
	return true, replies.Put(tx, c.TenantID, a.id, storedReply{Reply: Reply{Status: cmp.Or(d.status, 200), Data: data}, Request: a.request, At: b.time()})
}
