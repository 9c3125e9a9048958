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

// VerifyACH proves an ACH account (A7): by comparing its numbers with Plaid's of a linked account, or by an admin's
// attestation. Nothing else verifies one.
func (b *Bank) VerifyACH(ctx context.Context, c tenant.Caller, id string, p account.VerifyACHParams) (account.VerifyReply, error) {
	switch p.Method {
	case "attest":
		a, err := b.attestACH(ctx, c, id, p.Reason)
		return account.VerifyReply{ACH: a}, err
	case account.MicroDeposit:
		return b.openDeposit(ctx, c, id)
	}
	a, err := b.compareACH(ctx, c, id, p)
	return account.VerifyReply{ACH: a}, err
}

// compareACH compares an account's numbers with Plaid's of a linked account.
func (b *Bank) compareACH(ctx context.Context, c tenant.Caller, id string, p account.VerifyACHParams) (account.ACH, error) {
	a, err := b.achAccount(ctx, c, id)
	if err != nil {
		return account.ACH{}, err
	}
	if a.Status == account.Disabled {
		return account.ACH{}, fault.New(fault.Conflict, "a disabled account cannot be verified").WithID(id)
	}
	item := p.PlaidItemID
	if item == "" {
		item = a.PlaidItemID
	}
	if item == "" {
		return account.ACH{}, fault.Field("plaid_item_id", "is required for an account that was entered by hand").
			WithHint("link the bank with `bankctl link`, then name that connection")
	}
	conn, err := b.livingConnection(ctx, c, item)
	if err != nil {
		return account.ACH{}, inField(err, "plaid_item_id", "is not a connection of yours")
	}
	if err := mayServe(c, conn, a.ACH, "plaid_item_id"); err != nil {
		return account.ACH{}, err
	}
	if a.Number == "" { // the deposit brings its numbers
		if err := b.refreshNumbers(ctx, c, conn); err != nil {
			return account.ACH{}, err
		}
		return b.GetACH(ctx, c, id)
	}
	auth, conn, err := b.fetchNumbers(ctx, c, conn)
	if plaid.Code(err) == connection.ProductNotReady && a.pending() && a.ConnectionID == conn.ID {
		return a.ACH, nil // the deposit is not confirmed yet
	}
	if err != nil {
		return account.ACH{}, err
	}
	return b.judge(ctx, c, a, conn, auth, p.PlaidAccountID)
}

// judge compares the numbers and writes the verdict; in either case it writes an audit event of the fetch.
func (b *Bank) judge(ctx context.Context, c tenant.Caller, a storedACH, conn storedConnection, auth plaid.Auth, only string) (account.ACH, error) {
	if only == "" && a.PlaidItemID == conn.ItemID {
		only = a.PlaidAccountID
	}
	match, found := matchingAccount(a, auth, only)
	d := auditEvent{action: "ach.verify", details: map[string]string{"connection": conn.ID, "numbers": "fetched"}}
	if !found {
		d.details["result"] = "no_match"
		no := fault.New(fault.Conflict, "no account of this connection has these numbers").WithID(a.ID)
		no.Fields = map[string]string{"plaid_item_id": "no account of it has these numbers"}
		return account.ACH{}, b.fetched(ctx, c, conn.ID, no.WithHint("check which account was linked; a bank that hands out aliases (Chase, PNC, US Bank) never matches typed numbers"))
	}
	now := b.time()
	return b.changeACH(ctx, c, a.ID, d, func(tx *store.Tx, latest *storedACH) error {
		if err := stillServes(tx, c.TenantID, conn.ID, latest.ACH); err != nil {
			return err
		}
		if latest.Status == account.Disabled || !latest.numbers().Account.Equal(a.numbers().Account) || !latest.numbers().Routing.Equal(a.numbers().Routing) {
			return fault.New(fault.Conflict, "the account changed meanwhile").WithID(a.ID)
		}
		status, method := account.FromPlaidStatus(match.VerificationStatus)
		latest.Status, latest.Mask = status, match.Mask
		latest.Evidence = &account.Evidence{Method: method, PlaidStatus: match.VerificationStatus, At: now}
		latest.ConnectionID, latest.PlaidItemID, latest.PlaidAccountID = conn.ID, conn.ItemID, match.ID
		return nil
	})
}

// matchingAccount finds the account of an Item with exactly the stored routing and account number.
func matchingAccount(a storedACH, auth plaid.Auth, only string) (plaid.Account, bool) {
	for _, seen := range auth.Accounts {
		n, ok := auth.Numbers[seen.ID]
		if !ok || only != "" && seen.ID != only {
			continue
		}
		if n.Routing.Equal(a.numbers().Routing) && n.Account.Equal(a.numbers().Account) {
			return seen, true
		}
	}
	return plaid.Account{}, false
}

func (b *Bank) attestACH(ctx context.Context, c tenant.Caller, id, reason string) (account.ACH, error) {
	if !c.Client.Role.May(tenant.Administer) {
		return account.ACH{}, fault.New(fault.Forbidden, "only an admin may vouch for an account")
	}
	now := b.time()
	return b.changeACH(ctx, c, id, auditEvent{action: "ach.attest", details: map[string]string{"reason": reason}}, func(_ *store.Tx, a *storedACH) error {
		if a.Number == "" {
			return fault.New(fault.Conflict, "the account has no numbers yet: they come with its deposit").WithID(id)
		}
		if a.Status == account.Disabled {
			return fault.New(fault.Conflict, "a disabled account cannot be verified").WithID(id)
		}
		a.Status, a.Evidence = account.Verified, &account.Evidence{Method: "attested", At: now}
		return nil
	})
}

// stillServes asks the rule again in the transaction that acts on it: a removal or a consent taken back may have come
// while Plaid was asked.
func stillServes(tx *store.Tx, tenantID, connectionID string, a account.ACH) error {
	conn, err := connections.Get(tx, tenantID, connectionID)
	switch {
	case err != nil:
		return missing(err, "connection")
	case conn.Status == connection.Removed:
		return errRemoved(connectionID)
	case !serves(conn.Connection, a):
		return fault.New(fault.Conflict, "the connection belongs to another owner than the ACH account").WithID(connectionID)
	}
	return usable(conn)
}
