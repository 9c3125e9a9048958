package bank

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/secret"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// AddACHFromPlaid makes an ACH account from a linked account (R23-R31). Its numbers and its state come from Plaid only.
func (b *Bank) AddACHFromPlaid(ctx context.Context, c tenant.Caller, p account.FromPlaidParams) (account.ACH, error) {
	employer, carrier := account.OwnerPair(p.OwnerType, p.OwnerID)
	if err := allowed(c, employer, carrier); err != nil {
		return account.ACH{}, err
	}
	conn, err := b.livingConnection(ctx, c, p.PlaidItemID)
	if err != nil {
		return account.ACH{}, inField(err, "plaid_item_id", "is not a connection of yours")
	}
	if err := b.checkHandle(c.TenantID, conn, p.AccessToken); err != nil {
		return account.ACH{}, err
	}
	if err := mayServe(c, conn, account.ACH{OwnerType: p.OwnerType, OwnerID: p.OwnerID}, "owner_id"); err != nil {
		return account.ACH{}, err
	}
	auth, conn, err := b.fetchNumbers(ctx, c, conn)
	var fresh storedACH
	switch {
	case plaid.Code(err) == connection.ProductNotReady:
		if fresh, err = b.fromDeposit(ctx, c, p, conn, err); err != nil {
			return account.ACH{}, err
		}
	case err != nil:
		return account.ACH{}, err
	default:
		if fresh, err = b.fromAuth(c.TenantID, p, conn, auth); err != nil {
			if errors.Is(err, errUnusable) {
				err = errors.Join(err, b.noteNoACH(ctx, c, conn, p.PlaidAccountID))
			}
			return account.ACH{}, b.fetched(ctx, c, conn.ID, err)
		}
	}
	index, err := b.plaidAccountKey(c.TenantID, conn.ItemID, p.PlaidAccountID)
	if err != nil {
		return account.ACH{}, err
	}
	var a storedACH
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		a = fresh
		if err := stillServes(tx, c.TenantID, conn.ID, a.ACH); err != nil {
			return auditEvent{}, err
		}
		meta, joined, err := byPointer(tx, plaidAccounts, bankAccounts, c.TenantID, index)
		if err != nil {
			return auditEvent{}, err
		}
		if joined {
			a.BankAccountID = meta.ID
		}
		if joined && meta.NoACH != "" { // the bank gives usable numbers now
			meta.NoACH = ""
			if err := bankAccounts.Put(tx, c.TenantID, meta.ID, meta); err != nil {
				return auditEvent{}, err
			}
		}
		old, found, err := rejoinable(tx, c.TenantID, a)
		if err != nil {
			return auditEvent{}, err
		}
		if found {
			a = rejoined(old, a)
			return auditEvent{
				action: "ach.rejoin", object: "ach:" + a.ID, reply: a.ACH, status: 201,
				details: map[string]string{"connection": conn.ID, "status": a.Status, "numbers": "fetched"},
			}, putACH(tx, c.TenantID, a)
		}
		d := auditEvent{
			action: "ach.add_from_plaid", object: "ach:" + a.ID, reply: a.ACH, status: 201,
			details: map[string]string{"connection": conn.ID, "status": a.Status, "numbers": "fetched"},
		}
		return d, putNewACH(tx, c.TenantID, a)
	})
	if err != nil {
		return account.ACH{}, b.fetched(ctx, c, conn.ID, err)
	}
	return a.ACH, nil
}

// fetched writes an audit event for numbers that were fetched but not used, and returns the reason.
func (b *Bank) fetched(ctx context.Context, c tenant.Caller, connectionID string, why error) error {
	err := b.update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		return b.record(tx, c, auditEvent{action: "numbers.fetch", object: "connection:" + connectionID, outcome: string(fault.As(why).Code)})
	})
	if err != nil {
		b.log.Error("cannot write the audit event of a fetch of numbers", "connection", connectionID, "code", fault.As(err).Code)
		return err
	}
	return why
}

// checkHandle accepts the handle of the exchange, Plaid's own token, or nothing (A2).
func (b *Bank) checkHandle(tenantID string, conn storedConnection, given string) error {
	if given == "" {
		return nil
	}
	if handle, ok := strings.CutPrefix(given, handlePrefix); ok {
		id, err := b.db.OpenToken(tenantID, "access token handle", conn.ItemID, handle)
		if err == nil && string(id) == conn.ID {
			return nil
		}
	} else if secret.New(given).Same(secret.New(conn.AccessToken)) {
		return nil
	}
	return fault.Field("access_token", "does not belong to this connection").
		WithHint("send the access_token of the exchange's reply, or leave it out")
}

// fromAuth builds the record from an answer of /auth/get.
func (b *Bank) fromAuth(tenantID string, p account.FromPlaidParams, conn storedConnection, auth plaid.Auth) (storedACH, error) {
	numbers, eligible := auth.Numbers[p.PlaidAccountID]
	i := slices.IndexFunc(auth.Accounts, func(a plaid.Account) bool { return a.ID == p.PlaidAccountID })
	if i < 0 {
		return storedACH{}, notEligible()
	}
	seen := auth.Accounts[i]
	if !eligible && waitsForDeposit(seen) {
		return b.pendingACH(tenantID, p, conn, seen)
	}
	if !eligible {
		return storedACH{}, notEligible()
	}
	if numbers.Routing.Check() != nil || numbers.Account.Check() != nil {
		return storedACH{}, fault.Field("plaid_account_id", unusableNumbers).Because(errUnusable).
			WithHint("the account stays as metadata; ask the bank for the numbers it takes ACH payments by, and add them by hand")
	}
	if err := account.CheckNickname(p.Nickname, numbers.Account); err != nil {
		return storedACH{}, err
	}
	a, err := b.newACH(tenantID, p.OwnerType, p.OwnerID, numbers.Numbers)
	if err != nil {
		return storedACH{}, err
	}
	a.Tokenized = numbers.Tokenized != nil && *numbers.Tokenized
	return linkedTo(a, p, conn, seen), nil
}

// unusableNumbers is the reason for an account whose numbers have letters, or more or fewer digits than a US bank
// account's.
const unusableNumbers = "numbers_not_usable"

var errUnusable = errors.New("numbers that are not a US bank account's")

// noteNoACH writes on a bank account why no ACH account can be made of it.
func (b *Bank) noteNoACH(ctx context.Context, c tenant.Caller, conn storedConnection, plaidAccountID string) error {
	index, err := b.plaidAccountKey(c.TenantID, conn.ItemID, plaidAccountID)
	if err != nil {
		return err
	}
	return b.update(context.WithoutCancel(ctx), func(tx *store.Tx) error {
		meta, known, err := byPointer(tx, plaidAccounts, bankAccounts, c.TenantID, index)
		if err != nil || !known || meta.NoACH == unusableNumbers {
			return err
		}
		meta.NoACH, meta.UpdatedAt = unusableNumbers, b.time()
		return bankAccounts.Put(tx, c.TenantID, meta.ID, meta)
	})
}

func notEligible() error {
	return fault.Field("plaid_account_id", "account_not_eligible").
		WithHint("Plaid gives ACH numbers for checking, savings and cash management accounts alone")
}

// waitsForDeposit reports whether Plaid gives an account's numbers only when a deposit is confirmed.
func waitsForDeposit(seen plaid.Account) bool {
	status, _ := account.FromPlaidStatus(seen.VerificationStatus)
	return status == account.PendingVerification
}

// fromDeposit builds the record of an account whose deposit is on its way and whose Item has no numbers yet. If the
// account waits for no deposit, it returns notReady, Plaid's error.
func (b *Bank) fromDeposit(ctx context.Context, c tenant.Caller, p account.FromPlaidParams, conn storedConnection, notReady error) (storedACH, error) {
	found, _, err := b.plaid.GetAccounts(ctx, conn.token())
	if err != nil {
		return storedACH{}, b.noteFailure(ctx, c, conn, err)
	}
	i := slices.IndexFunc(found, func(a plaid.Account) bool { return a.ID == p.PlaidAccountID })
	switch {
	case i < 0:
		return storedACH{}, fault.Field("plaid_account_id", "is not an account of this connection")
	case !waitsForDeposit(found[i]):
		return storedACH{}, notReady
	}
	return b.pendingACH(c.TenantID, p, conn, found[i])
}

// pendingACH is a record without numbers, which come when the deposit is proven (A6). Until then the mask identifies
// the account.
func (b *Bank) pendingACH(tenantID string, p account.FromPlaidParams, conn storedConnection, seen plaid.Account) (storedACH, error) {
	a, err := b.newACH(tenantID, p.OwnerType, p.OwnerID, ach.Numbers{})
	if err != nil {
		return storedACH{}, err
	}
	a.Fingerprint, err = b.db.Fingerprint(tenantID, "ach deposit", []byte(p.OwnerType), []byte(p.OwnerID), []byte(conn.ItemID), []byte(seen.ID))
	a.AccountLast4 = seen.Mask
	return linkedTo(a, p, conn, seen), err
}

// linkedTo adds the connection's and Plaid's data of the account to a record.
func linkedTo(a storedACH, p account.FromPlaidParams, conn storedConnection, seen plaid.Account) storedACH {
	status, method := account.FromPlaidStatus(seen.VerificationStatus)
	a.Status, a.Evidence = status, &account.Evidence{Method: method, PlaidStatus: seen.VerificationStatus, At: a.CreatedAt}
	a.BankName, a.AccountType, a.Nickname = conn.Institution.Name, typeOf(seen.Subtype), p.Nickname
	a.IsPrimary, a.Mask = p.IsPrimary != nil && *p.IsPrimary, seen.Mask
	a.ConnectionType, a.ConnectionID, a.PlaidAccountID, a.PlaidItemID = account.Plaid, conn.ID, p.PlaidAccountID, conn.ItemID
	return a
}

// typeOf is the ACH account type of a depository subtype: a cash management account is debited as checking.
func typeOf(subtype string) string {
	if subtype == "savings" {
		return account.Savings
	}
	return account.Checking
}
