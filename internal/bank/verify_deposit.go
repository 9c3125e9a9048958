package bank

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// openDeposit opens Plaid's page for a typed account. On the first visit its holder types the numbers and starts a
// deposit; on a later one they enter the code from the deposit. The account is proven if Plaid then has the same
// numbers.
func (b *Bank) openDeposit(ctx context.Context, c tenant.Caller, id string) (account.VerifyReply, error) {
	a, err := b.achAccount(ctx, c, id)
	if err != nil {
		return account.VerifyReply{}, err
	}
	switch a.Status {
	case account.Disabled, account.Verified:
		return account.VerifyReply{}, fault.New(fault.Conflict, "the account is %s", a.Status).WithID(id)
	}
	employer, carrier := a.Owner()
	if err := writable(c, employer, carrier, "ACH account"); err != nil {
		return account.VerifyReply{}, err
	}
	user, err := b.plaidUser(c.TenantID, cmp.Or(employer, carrier))
	if err != nil {
		return account.VerifyReply{}, err
	}
	s := storedSession{Hosted: true, Exchange: true, Session: connection.Session{
		Mode: "new", UserID: cmp.Or(employer, carrier), EmployerID: employer, CarrierID: carrier, ACHID: id,
	}}
	req := plaid.LinkRequest{ClientUserID: user, Hosted: true, Lifetime: depositPageLife}
	step := "send"
	if a.pending() && a.ConnectionID != "" {
		conn, err := b.livingConnection(ctx, c, a.ConnectionID)
		if err == nil {
			err = mayServe(c, conn, a.ACH, "plaid_item_id")
		}
		if err != nil {
			return account.VerifyReply{}, err
		}
		step, req.AccessToken = "confirm", conn.token()
		s.Mode, s.ConnectionID, s.Institution, s.Exchange = "update", conn.ID, &conn.Institution, false
	} else {
		req.Products, req.SameDayDeposits, req.Webhook = []string{"auth"}, true, b.links.Load().Webhook
	}
	link, err := b.openSession(ctx, c, req, s)
	if err != nil {
		return account.VerifyReply{}, err
	}
	return account.VerifyReply{ACH: a.ACH, Page: &account.VerifyPage{
		SessionID: link.SessionID, HostedLinkURL: link.HostedLinkURL, Expiration: link.Expiration, Step: step,
	}}, nil
}

// depositPageLife is how long the page stays open; the holder may have to look up their numbers.
const depositPageLife = 4 * time.Hour

// typedNumbers returns the numbers of the account that a session proves, for the simulator's page; nil for other
// sessions.
func (b *Bank) typedNumbers(ctx context.Context, tenantID string, s storedSession) (*ach.Numbers, error) {
	if s.ACHID == "" {
		return nil, nil
	}
	var a storedACH
	err := b.db.View(ctx, func(tx *store.Tx) (err error) {
		a, err = achAccounts.Get(tx, tenantID, s.ACHID)
		return missing(err, "ACH account")
	})
	n := a.numbers()
	return &n, err
}

// awaitDeposit joins the account that a session proves to the one at Plaid with the deposit.
func (b *Bank) awaitDeposit(tx *store.Tx, tenantID, sessionID string, conn storedConnection, found []plaid.Account, now time.Time) error {
	if sessionID == "" {
		return nil
	}
	s, err := linkSessions.Get(tx, tenantID, sessionID)
	if err != nil || s.ACHID == "" {
		return missing(err, "link session")
	}
	a, err := achAccounts.Get(tx, tenantID, s.ACHID)
	if errors.Is(err, store.ErrNotFound) {
		return nil // the account was deleted meanwhile
	}
	if err != nil || a.Status == account.Verified || a.Status == account.Disabled {
		return err
	}
	i := slices.IndexFunc(found, func(f plaid.Account) bool {
		status, _ := account.FromPlaidStatus(f.VerificationStatus)
		return status == account.PendingVerification
	})
	if i < 0 {
		return nil // no deposit: the numbers can be compared at once
	}
	a.Status, a.UpdatedAt = account.PendingVerification, now
	a.Evidence = &account.Evidence{Method: "none", PlaidStatus: found[i].VerificationStatus, At: now}
	a.ConnectionID, a.PlaidItemID, a.PlaidAccountID = conn.ID, conn.ItemID, found[i].ID
	return achAccounts.Put(tx, tenantID, a.ID, a)
}

// proveLinked compares the numbers of an account with those of its session's new Item, if that waits for no deposit.
func (b *Bank) proveLinked(ctx context.Context, w recordRef, s storedSession) error {
	c := system(w.TenantID)
	var a storedACH
	err := b.db.View(ctx, func(tx *store.Tx) (err error) {
		if s, err = linkSessions.Get(tx, w.TenantID, w.ID); err == nil {
			a, err = achAccounts.Get(tx, w.TenantID, s.ACHID)
		}
		return missing(err, "ACH account")
	})
	if fault.Is(err, fault.NotFound) || err == nil && a.Status != account.Unverified && a.Status != account.VerificationFailed {
		return nil
	}
	if err != nil {
		return err
	}
	_, err = b.compareACH(ctx, c, a.ID, account.VerifyACHParams{PlaidItemID: s.ConnectionID})
	return err
}
