package bank

import (
	"context"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// GetBalance asks the bank for live balances (R82, R83): a paid read, at most 5 a minute and Item (A19).
func (b *Bank) GetBalance(ctx context.Context, c tenant.Caller, p connection.BalanceParams) (connection.Balances, error) {
	conn, err := b.livingConnection(ctx, c, p.PlaidItemID)
	if err != nil {
		return connection.Balances{}, inField(err, "plaid_item_id", "is not a connection of yours")
	}
	if err := b.guards.quotas.take(c); err != nil {
		return connection.Balances{}, err
	}
	found, err := b.plaid.GetBalances(ctx, conn.token())
	if err != nil {
		return connection.Balances{}, b.noteFailure(ctx, c, conn, err)
	}
	now := b.time()
	reply := connection.Balances{ItemID: conn.ItemID, ConnectionID: conn.ID, AsOf: now, Accounts: []connection.AccountBalance{}}
	ids := map[string]string{}
	for _, a := range conn.Accounts {
		ids[a.PlaidAccountID] = a.ID
	}
	for _, f := range found {
		row := connection.AccountBalance{
			ID: ids[f.ID], PlaidAccountID: f.ID, Name: f.Name, Mask: f.Mask, Type: f.Type, Subtype: f.Subtype, Balance: f.Balance,
		}
		if f.Balance == nil {
			row.Error = "the bank gave no balance for this account"
		} else {
			row.Balance.AsOf = now
		}
		reply.Accounts = append(reply.Accounts, row)
	}
	reply.Left = b.allowance("balance", conn.ID)
	err = b.write(withoutReply(ctx), c, func(*store.Tx) (auditEvent, error) {
		return auditEvent{action: "balance.read", object: "connection:" + conn.ID}, nil
	})
	return reply, err
}
