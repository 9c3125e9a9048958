package bank

import (
	"context"
	"fmt"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/store"
)

// sessionsKept is how long an ended link session can be read, and a repeated exchange of its token answered; the token
// itself lives for half an hour. The audit log keeps the events.
const sessionsKept = 30 * 24 * time.Hour

// ForgetReplies deletes expired replies; the daemon calls it at intervals.
func (b *Bank) ForgetReplies(ctx context.Context) error {
	return b.eachTenant(ctx, func(tx *store.Tx, tenantID string) error {
		_, err := drop(tx, replies, tenantID, func(r storedReply) bool { return b.time().Sub(r.At) > keepFor })
		return err
	})
}

// ForgetSessions deletes old link sessions and exchanges; the daemon calls it at intervals.
func (b *Bank) ForgetSessions(ctx context.Context) error { return b.eachTenant(ctx, b.forgetSessions) }

// eachTenant changes each tenant's records in a transaction of its own.
func (b *Bank) eachTenant(ctx context.Context, change func(*store.Tx, string) error) error {
	all, err := b.allTenants(ctx)
	if err != nil {
		return err
	}
	for _, t := range all {
		if err := b.update(ctx, func(tx *store.Tx) error { return change(tx, t.ID) }); err != nil {
			return fmt.Errorf("forget what is over: %w", err)
		}
	}
	return nil
}

func (b *Bank) forgetSessions(tx *store.Tx, tenantID string) error {
	before := b.time().Add(-sessionsKept)
	sessions, err := drop(tx, linkSessions, tenantID, func(s storedSession) bool {
		return s.State != connection.Pending && s.CreatedAt.Before(before)
	})
	if err != nil {
		return err
	}
	if _, err := drop(tx, sessionTokens, tenantID, func(p pointer) bool { return sessions[p.ID] }); err != nil {
		return err
	}
	if _, err := drop(tx, tokenTenants, store.SystemTenant, func(r recordRef) bool { return r.TenantID == tenantID && sessions[r.ID] }); err != nil {
		return err
	}
	if _, err := drop(tx, linkTokens, store.SystemTenant, func(r recordRef) bool { return r.TenantID == tenantID && sessions[r.ID] }); err != nil {
		return err
	}
	if _, err := drop(tx, employeeSessions, tenantID, func(p pointer) bool { return sessions[p.ID] }); err != nil {
		return err
	}
	_, err = drop(tx, exchanges, tenantID, func(e storedExchange) bool { return e.Stage != intended && e.At.Before(before) })
	return err
}

// drop deletes the selected records, and returns their ids.
func drop[T any](tx *store.Tx, from store.Collection[T], tenantID string, meant func(T) bool) (map[string]bool, error) {
	gone := map[string]bool{}
	for rec, err := range from.Scan(tx, tenantID, store.Range{}) {
		if err != nil {
			return nil, err
		}
		if meant(rec.Value) {
			gone[rec.ID] = true
		}
	}
	for id := range gone {
		if err := from.Delete(tx, tenantID, id); err != nil {
			return nil, err
		}
	}
	return gone, nil
}
