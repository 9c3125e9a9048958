package bank

import (
	"context"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// ImportConnection takes over an Item that another tool made: it checks and stores it, sets its webhook address, and
// swaps its token, so that nobody else can go on using it. After the Item is stored, bankd itself repeats steps that
// fail.
func (b *Bank) ImportConnection(ctx context.Context, c tenant.Caller, p connection.ImportParams) (connection.Connection, error) {
	if err := allowed(c, p.EmployerID, p.CarrierID); err != nil {
		return connection.Connection{}, err
	}
	if err := b.guards.quotas.take(c); err != nil {
		return connection.Connection{}, err
	}
	ctx = context.WithoutCancel(ctx)
	token := plaid.NewAccessToken(p.AccessToken.Reveal())
	crashPoint("import.ask")
	item, err := b.plaid.GetItem(ctx, token)
	crashPoint("import.asked")
	if gone(err) {
		return connection.Connection{}, fault.Field("access_token", "is of no Item that these Plaid keys may use").
			WithHint("a token works with the keys and in the environment that made it alone")
	}
	if err != nil {
		return connection.Connection{}, err
	}
	defer b.locks.Lock("import " + item.ID)()
	now := b.time()
	conn := storedConnection{AccessToken: token.Reveal(), Swap: !p.KeepToken, Pointed: item.Webhook, Read: true, Connection: connection.Connection{
		ID: newID(now), ItemID: item.ID, UserID: p.UserID, EmployerID: p.EmployerID, CarrierID: p.CarrierID, Status: connection.Active,
		Institution: connection.Institution{ID: item.InstitutionID, Name: item.InstitutionName},
		Products:    item.Products, Accounts: []connection.LinkedAccount{}, CreatedAt: now, UpdatedAt: now,
	}}
	if item.ErrorCode != "" {
		conn.Note(item.ErrorCode, now, nil)
	}
	if tenantID, id, err := b.connectionOfItem(ctx, item.ID); err != nil {
		return connection.Connection{}, err
	} else if id != "" {
		held, err := b.readConnectionNow(ctx, tenantID, id)
		if err == nil && tenantID == c.TenantID && seesConnection(c, held) {
			return connection.Connection{}, fault.New(fault.Duplicate, "this Item is here already").WithID(id)
		}
		return connection.Connection{}, fault.New(fault.Conflict, "this Item is used elsewhere")
	}
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		d := auditEvent{action: "connection.import", object: "connection:" + conn.ID, reply: conn.Connection, status: 201, details: map[string]string{"item": item.ID}}
		if err := connections.Put(tx, c.TenantID, conn.ID, conn); err != nil {
			return auditEvent{}, err
		}
		return d, putItem(tx, c.TenantID, item.ID, conn.ID)
	})
	crashPoint("import.stored")
	if err != nil {
		return connection.Connection{}, err
	}
	return b.GetConnection(ctx, c, b.settleImport(ctx, c, conn, item))
}

// settleImport does the later steps; the import is valid even if they fail.
func (b *Bank) settleImport(ctx context.Context, c tenant.Caller, conn storedConnection, item plaid.Item) string {
	steps := []func() error{
		func() error { return b.pointWebhook(ctx, c, conn, item.Webhook) },
		func() error { return b.swapImported(ctx, c, conn.ID) },
		func() error {
			latest, err := b.connection(ctx, c, conn.ID)
			if err == nil {
				_, err = b.syncAccounts(ctx, c, latest)
			}
			return err
		},
	}
	for _, step := range steps {
		if err := step(); err != nil {
			b.log.Warn("an imported connection is not settled yet", "connection", conn.ID, "code", fault.As(err).Code, "plaid_code", plaid.Code(err), "cause", fault.Cause(err))
		}
	}
	b.work.checks.Poke(conn.ID)
	return conn.ID
}

// swapImported swaps the token of an imported connection, unless that is done or the token no longer works.
func (b *Bank) swapImported(ctx context.Context, c tenant.Caller, id string) error {
	conn, err := b.readConnectionNow(ctx, c.TenantID, id)
	if err != nil || !conn.Swap || conn.Status == connection.Removed || conn.tokenIsDead() {
		return err
	}
	_, err = b.rotate(ctx, c, id)
	return err
}
