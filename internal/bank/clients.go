package bank

import (
	"context"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

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
	}, Secret: "bankd_" + kind + "_sec_" + token()}
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

// Authenticate finds the client of an id and a secret. For an unknown id, a wrong secret and a revoked client it takes
// the same work and gives the same answer.
func (b *Bank) Authenticate(ctx context.Context, id, clientSecret string) (tenant.Client, string, error) {
	stored, err := b.client(ctx, id)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return tenant.Client{}, "", err
	}
	hash, err := b.secretHash(id, clientSecret)
	if err != nil {
		return tenant.Client{}, "", err
	}
	same := subtle.ConstantTimeCompare([]byte(hash), []byte(stored.SecretHash)) == 1
	if !same || stored.RevokedAt != nil {
		return tenant.Client{}, "", fault.New(fault.Unauthenticated, "the client id or its secret is wrong, or the client is revoked").
			WithHint("check X-Client-ID and X-Client-Secret; `bankctl client list` shows the clients")
	}
	return stored.Client, stored.TenantID, nil
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
	slices.SortFunc(all, func(x, y tenant.Client) int {
		if d := y.CreatedAt.Compare(x.CreatedAt); d != 0 {
			return d
		}
		return strings.Compare(x.ID, y.ID)
	})
	rows, info := page.Of(all, p)
	return rows, info, err
}

// RevokeClient ends a client at once; to revoke it again changes nothing.
func (b *Bank) RevokeClient(ctx context.Context, c tenant.Caller, id string) (tenant.Client, error) {
	var revoked tenant.Client
	err := b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		stored, err := clients.Get(tx, store.SystemTenant, id)
		if err == nil && stored.TenantID != c.TenantID {
			err = store.ErrNotFound
		}
		if err != nil {
			return auditEvent{}, missing(err, "client")
		}
		if err := mayGrant(c, stored.Role, stored.Params()); err != nil {
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
