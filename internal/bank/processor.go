package bank

import (
	"context"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// CreateProcessorToken lets one of Plaid's partners move money through a verified account: the partner gets the numbers
// from Plaid, and nobody sees them here. The token is not stored; the audit log records its creation.
func (b *Bank) CreateProcessorToken(ctx context.Context, c tenant.Caller, id string, p account.ProcessorParams) (account.ProcessorToken, error) {
	a, err := b.achAccount(ctx, c, id)
	if err != nil {
		return account.ProcessorToken{}, err
	}
	employer, carrier := a.Owner()
	if err := writable(c, employer, carrier, "ACH account"); err != nil {
		return account.ProcessorToken{}, err
	}
	switch {
	case a.Status != account.Verified:
		return account.ProcessorToken{}, fault.New(fault.Conflict, "only a verified account is handed to a processor: it is %s", a.Status).WithID(id)
	case a.ConnectionID == "" || a.PlaidAccountID == "":
		return account.ProcessorToken{}, fault.New(fault.Conflict, "the account has no linked twin at Plaid").WithID(id).
			WithHint("`bankctl ach verify %s --connection-id …` joins it to a linked one", id)
	}
	conn, err := b.livingConnection(ctx, c, a.ConnectionID)
	if err == nil && !serves(conn.Connection, a.ACH) || fault.Is(err, fault.NotFound) {
		err = fault.New(fault.Conflict, "the account was proven through a connection of another owner").WithID(id).
			WithHint("`bankctl ach verify %s --connection-id …` proves it through one of its own", id)
	}
	if err == nil {
		err = usable(conn)
	}
	if err != nil {
		return account.ProcessorToken{}, err
	}
	if err := b.guards.quotas.take(c); err != nil {
		return account.ProcessorToken{}, err
	}
	token, err := b.plaid.CreateProcessorToken(ctx, conn.token(), a.PlaidAccountID, p.Processor)
	if plaid.Code(err) == connection.InvalidField {
		return account.ProcessorToken{}, fault.Field("processor", "is no partner of Plaid's that these keys may use")
	}
	if err != nil {
		return account.ProcessorToken{}, b.noteFailure(ctx, c, conn, err)
	}
	reply := account.ProcessorToken{ACHID: id, Processor: p.Processor, ProcessorToken: token.Reveal(), CreatedAt: b.time(), Warning: account.ProcessorWarning(p.Processor)}
	kept := reply
	kept.ProcessorToken = ""
	err = b.write(context.WithoutCancel(ctx), c, func(tx *store.Tx) (auditEvent, error) {
		latest, err := seenACH(tx, c, id)
		if err == nil && latest.Status != account.Verified {
			err = fault.New(fault.Conflict, "the account is %s", latest.Status).WithID(id)
		}
		if err == nil {
			err = stillServes(tx, c.TenantID, conn.ID, latest.ACH)
		}
		if err != nil {
			return auditEvent{}, err
		}
		return auditEvent{
			action: "ach.hand_to_processor", object: "ach:" + id, reply: kept, status: 201,
			details: map[string]string{"processor": p.Processor, "connection": conn.ID},
		}, nil
	})
	if err != nil {
		return account.ProcessorToken{}, err
	}
	return reply, nil
}
