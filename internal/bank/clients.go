package bank

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// AddClient makes a client and its secret, which no later reply shows.
func (b *Bank) AddClient(ctx context.Context, c tenant.Caller, p tenant.ClientParams) (tenant.Minted, error) {
	if err := mayGrant(c, p.Role, p); err != nil {
		return tenant.Minted{}, err
	}
	t, err := b.tenantOf(ctx, c)
	if err != nil {
		return tenant.Minted{}, err
	}
	kind := "test"
	if b.Live() {
		kind = "live"
	}
	m := tenant.Minted{Client: tenant.Client{
		ID: "bankd_" + kind + "_cli_" + token(), Name: p.Name, Tenant: t.Name, Role: p.Role, Employers: p.Employers,
		Carriers: p.Carriers, Companies: p.Companies, ActAsEmployee: p.ActAsEmployee, BindCompany: p.BindCompany,
		BindEmployee: p.BindEmployee, CreatedAt: b.time(),
	}}
	m.Secret = secretPrefix(m.ID) + token()
	hash, err := b.secretHash(m.ID, m.Secret)
	if err != nil {
		return tenant.Minted{}, err
	}
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		d := auditEvent{action: "client.add", object: "client:" + m.ID, details: map[string]string{"role": string(m.Role)}, reply: m, status: 201}
		return d, clients.Put(tx, store.SystemTenant, m.ID, storedClient{Client: m.Client, TenantID: c.TenantID, SecretHash: hash})
	})
	return m, err
}

func (b *Bank) tenantOf(ctx context.Context, c tenant.Caller) (t tenant.Tenant, err error) {
	err = b.db.View(ctx, func(tx *store.Tx) error {
		t, err = tenants.Get(tx, store.SystemTenant, c.TenantID)
		return missing(err, "tenant")
	})
	return t, err
}

// secretHash is keyed, so that a stolen database without its key reveals nothing about a secret.
func (b *Bank) secretHash(id, clientSecret string) (string, error) {
	sum, err := b.db.Digest(store.SystemTenant, "client secret", []byte(id), []byte(clientSecret))
	if err != nil {
		return "", fmt.Errorf("hash client secret: %w", err)
	}
	return hex.EncodeToString(sum[:]), nil
}

// Authenticate finds the client behind an id and a secret. It takes the same work for an unknown id, a wrong secret
// and a revoked client, and answers the same. Wrong secrets slow down the calls of their client id and uid.
func (b *Bank) Authenticate(ctx context.Context, id, clientSecret string, c tenant.Caller) (tenant.Client, string, error) {
	stored, err := b.client(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return tenant.Client{}, "", err
	}
	now := b.time()
	key := brakeKey{stored.ID, c.UID}
	if err := b.guards.brakes.check(key, now); err != nil {
		return tenant.Client{}, "", errors.Join(err, b.countWrong(ctx, stored, c))
	}
	hash, err := b.secretHash(id, clientSecret)
	if err != nil {
		return tenant.Client{}, "", err
	}
	good := subtle.ConstantTimeCompare([]byte(hash), []byte(stored.SecretHash)) == 1
	old := subtle.ConstantTimeCompare([]byte(hash), []byte(stored.OldHash)) == 1
	if old && stored.OldSecretEnds != nil && now.Before(*stored.OldSecretEnds) {
		good = true
	}
	if !good || stored.RevokedAt != nil {
		b.guards.brakes.note(key, now)
		wrong := fault.New(fault.Unauthenticated, "the client id or its secret is wrong, or the client is revoked").
			WithHint("check X-Client-ID and X-Client-Secret; `bankctl client list` shows the clients")
		return tenant.Client{}, "", errors.Join(wrong, b.countWrong(ctx, stored, c))
	}
	b.clients.used.Store(id, now)
	return stored.Client, stored.TenantID, nil
}

// countWrong counts a wrong secret in the audit log of the client's tenant; one of an unknown id has no tenant, and
// writeRefusal puts it into the default tenant's.
func (b *Bank) countWrong(ctx context.Context, stored storedClient, c tenant.Caller) error {
	c.TenantID, c.Client = stored.TenantID, tenant.Client{ID: stored.ID, Name: stored.Name}
	return b.noteRefusal(context.WithoutCancel(ctx), refusal{
		tenantID: c.TenantID, clientID: c.Client.ID, uid: c.UID, action: "client.refuse", code: fault.Unauthenticated,
	}, c)
}

func (b *Bank) client(ctx context.Context, id string) (storedClient, error) {
	return b.clients.get(id, func() (stored storedClient, err error) {
		err = b.db.View(ctx, func(tx *store.Tx) error {
			stored, err = clients.Get(tx, store.SystemTenant, id)
			return missing(err, "client")
		})
		return stored, err
	})
}

// ListClients lists the clients of the caller's tenant, newest first.
func (b *Bank) ListClients(ctx context.Context, c tenant.Caller, p page.Request) ([]tenant.Client, page.Info, error) {
	all := []tenant.Client{}
	err := b.db.View(ctx, func(tx *store.Tx) error {
		for rec, err := range clients.Scan(tx, store.SystemTenant, store.Range{}) {
			if err != nil {
				return err
			}
			if rec.Value.TenantID == c.TenantID {
				all = append(all, rec.Value.Client)
			}
		}
		return nil
	})
	for i := range all {
		if at, ok := b.clients.used.Load(all[i].ID); ok {
			all[i].LastUsedAt = laterMinute(all[i].LastUsedAt, at.(time.Time))
		}
	}
	slices.SortFunc(all, func(x, y tenant.Client) int {
		if d := y.CreatedAt.Compare(x.CreatedAt); d != 0 {
			return d
		}
		return strings.Compare(x.ID, y.ID)
	})
	rows, info := page.Of(all, p)
	return rows, info, err
}

// governedClient reads a client of the caller's tenant that the caller may change or end.
func governedClient(tx *store.Tx, c tenant.Caller, id string) (storedClient, error) {
	stored, err := clients.Get(tx, store.SystemTenant, id)
	if err == nil && stored.TenantID != c.TenantID {
		err = store.ErrNotFound
	}
	if err != nil {
		return storedClient{}, missing(err, "client")
	}
	return stored, mayGrant(c, stored.Role, stored.Params())
}

// RevokeClient ends a client at once; to revoke it again changes nothing.
func (b *Bank) RevokeClient(ctx context.Context, c tenant.Caller, id string) (tenant.Client, error) {
	var revoked tenant.Client
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		stored, err := governedClient(tx, c, id)
		if err != nil {
			return auditEvent{}, err
		}
		if stored.RevokedAt == nil {
			now := b.time()
			stored.RevokedAt = &now
		}
		revoked = stored.Client
		return auditEvent{action: "client.revoke", object: "client:" + id}, clients.Put(tx, store.SystemTenant, id, stored)
	})
	b.clients.drop(id)
	return revoked, err
}

// RotateClient mints another secret for a client, which is shown this once. The old one works on for a while, so that
// the programs that use it can change over.
func (b *Bank) RotateClient(ctx context.Context, c tenant.Caller, id string, p tenant.RotateParams) (tenant.Minted, error) {
	overlap, err := p.Overlap()
	if err != nil {
		return tenant.Minted{}, err
	}
	m := tenant.Minted{Secret: secretPrefix(id) + token()}
	hash, err := b.secretHash(id, m.Secret)
	if err != nil {
		return tenant.Minted{}, err
	}
	ends := b.time().Add(overlap)
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		stored, err := governedClient(tx, c, id)
		if err != nil {
			return auditEvent{}, err
		}
		if stored.RevokedAt != nil {
			return auditEvent{}, fault.New(fault.Conflict, "the client is revoked").WithID(id)
		}
		before := stored.SecretHash
		stored.SecretHash, stored.OldHash, stored.OldSecretEnds = hash, "", nil
		if overlap > 0 {
			stored.OldHash, stored.OldSecretEnds = before, &ends
		}
		m.Client = stored.Client
		d := auditEvent{action: "client.rotate", object: "client:" + id, details: map[string]string{"keep_old": overlap.String()}, reply: m}
		return d, clients.Put(tx, store.SystemTenant, id, stored)
	})
	b.clients.drop(id)
	return m, err
}

// secretPrefix is how the secrets of a client's kind begin: bankd_test_cli_… has bankd_test_sec_….
func secretPrefix(id string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(id, "bankd_"), "_")
	return "bankd_" + kind + "_sec_"
}

// laterMinute gives the minute of at, or kept where that is not earlier.
func laterMinute(kept *time.Time, at time.Time) *time.Time {
	at = at.Truncate(time.Minute)
	if kept != nil && !at.After(*kept) {
		return kept
	}
	return &at
}

// KeepLastUses stores when clients were used since it last ran, and writes nothing if none was. The daemon runs it each
// minute.
func (b *Bank) KeepLastUses(ctx context.Context) error {
	seen := map[string]time.Time{}
	b.clients.used.Range(func(id, at any) bool {
		seen[id.(string)] = at.(time.Time)
		return true
	})
	if len(seen) == 0 {
		return nil
	}
	err := b.update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		for id, at := range seen {
			stored, err := clients.Get(tx, store.SystemTenant, id)
			if errors.Is(err, store.ErrNotFound) {
				continue
			}
			if err != nil {
				return err
			}
			last := laterMinute(stored.LastUsedAt, at)
			if last == stored.LastUsedAt {
				continue
			}
			stored.LastUsedAt = last
			if err := clients.Put(tx, store.SystemTenant, id, stored); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, at := range seen {
		b.clients.used.CompareAndDelete(id, at) // a use since then stays for the next run
	}
	return nil
}
