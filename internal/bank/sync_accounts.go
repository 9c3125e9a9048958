package bank

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// SyncAccounts reads the accounts of a connection again (R80, R81): it adds new ones, updates known ones, and makes
// those inactive that the bank no longer shows.
func (b *Bank) SyncAccounts(ctx context.Context, c tenant.Caller, p connection.ItemParams) (connection.Synced, error) {
	conn, err := b.livingConnection(ctx, c, p.ItemID)
	if err != nil {
		return connection.Synced{}, inField(err, "item_id", "is not a connection of yours")
	}
	if err := writable(c, conn.EmployerID, conn.CarrierID, "connection"); err != nil {
		return connection.Synced{}, err
	}
	if err := b.guards.quotas.take(c); err != nil {
		return connection.Synced{}, err
	}
	return b.syncAccounts(ctx, c, conn)
}

func (b *Bank) syncAccounts(ctx context.Context, c tenant.Caller, conn storedConnection) (connection.Synced, error) {
	crashPoint("sync.ask")
	asked := b.time()
	found, err := b.readAccounts(ctx, &conn)
	crashPoint("sync.asked")
	if err != nil {
		return connection.Synced{}, b.noteFailure(ctx, c, conn, err)
	}
	var reply connection.Synced
	var renamed map[string]string
	now, ids := b.time(), mintFor(b.time(), found)
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		latest, err := connections.Get(tx, c.TenantID, conn.ID)
		if err != nil {
			return auditEvent{}, missing(err, "connection")
		}
		if latest.Status == connection.Removed {
			return auditEvent{}, errRemoved(conn.ID)
		}
		latest.Institution, latest.Products = conn.Institution, conn.Products
		latest.Heal(connection.ByAccounts, asked, now)
		counts, err := b.putAccounts(tx, c.TenantID, &latest, found, ids, now)
		if err != nil {
			return auditEvent{}, err
		}
		latest.Read, renamed = true, latest.Renamed
		reply = connection.Synced{
			ConnectionID: conn.ID, ItemID: conn.ItemID, Status: latest.Status, Added: counts.added, Updated: counts.updated,
			Inactive: counts.inactive, Reissued: counts.reissued, Accounts: counts.accounts, SyncedAt: now,
		}
		d := auditEvent{action: "connection.sync", object: "connection:" + conn.ID, details: counts.details(), reply: reply}
		return d, connections.Put(tx, c.TenantID, conn.ID, latest)
	})
	crashPoint("sync.stored")
	if err == nil {
		err = b.ledger.SetAliases(c.TenantID, conn.ID, renamed)
	}
	return reply, err
}

// readAccounts gets a connection's accounts from Plaid, and completes the connection's own data.
func (b *Bank) readAccounts(ctx context.Context, conn *storedConnection) ([]plaid.Account, error) {
	found, item, err := b.plaid.GetAccounts(ctx, conn.token())
	if err != nil {
		return nil, err
	}
	conn.Products = item.Products
	if item.InstitutionID != "" {
		conn.Institution.ID = item.InstitutionID
	}
	if item.InstitutionName != "" {
		conn.Institution.Name = item.InstitutionName
	}
	if conn.Institution.Name == "" && conn.Institution.ID != "" {
		bank, err := b.plaid.GetInstitution(ctx, conn.Institution.ID)
		if err != nil {
			return nil, err
		}
		conn.Institution.Name = bank.Name
	}
	if conn.Institution.Name == "" {
		conn.Institution.Name = "Linked by account number" // Plaid has no bank for these
	}
	return found, nil
}

// mintFor makes an id for each account, outside the transaction that may use it.
func mintFor(now time.Time, found []plaid.Account) []string {
	ids := make([]string, len(found))
	for i := range ids {
		ids[i] = newID(now)
	}
	return ids
}

type syncCounts struct {
	added, updated, inactive, reissued int
	accounts                           []account.Account
}

func (s syncCounts) details() map[string]string {
	return map[string]string{
		"added": strconv.Itoa(s.added), "updated": strconv.Itoa(s.updated), "inactive": strconv.Itoa(s.inactive),
		"reissued": strconv.Itoa(s.reissued),
	}
}

// putAccounts updates the bank accounts and the connection's own list with the accounts from Plaid.
func (b *Bank) putAccounts(tx *store.Tx, tenantID string, conn *storedConnection, found []plaid.Account, ids []string, now time.Time) (syncCounts, error) {
	counts := syncCounts{accounts: []account.Account{}}
	shown := map[string]bool{}
	was := slices.Concat(conn.Accounts, conn.Past)
	shownNow := []connection.LinkedAccount{}
	for i, f := range found {
		if deleted, err := b.staysDeleted(tx, tenantID, conn, f, found); err != nil {
			return counts, err
		} else if deleted {
			continue
		}
		again, err := b.reissue(tx, tenantID, conn, was, f, found)
		if err != nil {
			return counts, err
		}
		if again {
			counts.reissued++
		}
		a, added, err := b.putAccount(tx, tenantID, conn, f, ids[i], now)
		if err != nil {
			return counts, err
		}
		if added {
			counts.added++
		} else {
			counts.updated++
		}
		shown[a.ID] = true
		counts.accounts = append(counts.accounts, a)
		shownNow = append(shownNow, linkedAccountOf(a.ID, f))
	}
	conn.setAccounts(shownNow)
	if err := noteDeposits(tx, tenantID, conn, found, now); err != nil {
		return counts, err
	}
	unlisted := func(a storedACH) bool { return a.ConnectionID == conn.ID && !showsAccount(found, a.PlaidAccountID) }
	if _, err := disableACH(tx, tenantID, unlisted, account.NotShared, now); err != nil {
		return counts, err
	}
	if len(found) == 0 {
		conn.Note(connection.NoAccounts, now, nil)
	}
	inactive, err := b.retire(tx, tenantID, conn.ID, shown, now)
	counts.inactive = inactive
	conn.SyncedAt, conn.UpdatedAt = &now, now
	return counts, err
}

func (b *Bank) putAccount(tx *store.Tx, tenantID string, conn *storedConnection, f plaid.Account, id string, now time.Time) (account.Account, bool, error) {
	index, err := b.plaidAccountKey(tenantID, conn.ItemID, f.ID)
	if err != nil {
		return account.Account{}, false, err
	}
	stored, known, err := byPointer(tx, plaidAccounts, bankAccounts, tenantID, index)
	if err != nil {
		return account.Account{}, false, err
	}
	if !known {
		stored = storedAccount{Account: account.Account{
			ID: id, UserID: conn.UserID, Name: f.Name, EmployerID: conn.EmployerID, CarrierID: conn.CarrierID,
			ConnectionType: account.Plaid, Status: account.Active, Linked: true, ConnectionID: conn.ID,
			PlaidAccountID: f.ID, PlaidItemID: conn.ItemID, BankName: conn.Institution.Name, CreatedAt: now,
		}}
		if err := plaidAccounts.Put(tx, tenantID, index, pointer{id}); err != nil {
			return account.Account{}, false, err
		}
	}
	if stored.Gone {
		stored.Gone, stored.Status = false, account.Active
	}
	stored.Persistent = f.PersistentID
	stored.OfficialName, stored.Mask, stored.Type, stored.Subtype = f.OfficialName, f.Mask, f.Type, f.Subtype
	stored.InstitutionID, stored.UpdatedAt = conn.Institution.ID, now
	if f.Balance != nil {
		balance := *f.Balance
		balance.AsOf = now
		stored.Balance = &balance
	}
	return stored.Account, !known, bankAccounts.Put(tx, tenantID, stored.ID, stored)
}

// retire makes accounts inactive that the bank no longer shows.
func (b *Bank) retire(tx *store.Tx, tenantID, connectionID string, shown map[string]bool, now time.Time) (int, error) {
	var gone []storedAccount
	for rec, err := range bankAccounts.Scan(tx, tenantID, store.Range{}) {
		if err != nil {
			return 0, err
		}
		if a := rec.Value; a.ConnectionID == connectionID && !shown[a.ID] && !a.Gone {
			gone = append(gone, a)
		}
	}
	for _, a := range gone {
		a.Gone, a.Status, a.UpdatedAt = true, account.Inactive, now
		a.Primary, a.PrimaryNotFor = false, ""
		if err := bankAccounts.Put(tx, tenantID, a.ID, a); err != nil {
			return 0, err
		}
	}
	return len(gone), nil
}

// lockedBy maps a verification status that locks an Item permanently to the trouble noted for it.
var lockedBy = map[string]string{"verification_expired": connection.DepositExpired, "verification_failed": connection.DepositFailed}

// noteDeposits records failed deposits: Plaid then gives no numbers, so only the accounts show it. To verify an
// account, its numbers are needed.
func noteDeposits(tx *store.Tx, tenantID string, conn *storedConnection, found []plaid.Account, now time.Time) error {
	for _, f := range found {
		code := lockedBy[f.VerificationStatus]
		if code == "" {
			continue
		}
		conn.Note(code, now, nil)
		failed, err := achWhere(tx, tenantID, func(a storedACH) bool {
			return a.ConnectionID == conn.ID && a.PlaidAccountID == f.ID && (a.pending() || a.suspendedPending())
		})
		if err != nil {
			return err
		}
		for _, a := range failed {
			status, method := account.FromPlaidStatus(f.VerificationStatus)
			a.Status, a.DisabledReason, a.UpdatedAt = status, "", now
			a.Evidence = &account.Evidence{Method: method, PlaidStatus: f.VerificationStatus, At: now}
			if err := achAccounts.Put(tx, tenantID, a.ID, a); err != nil {
				return err
			}
		}
	}
	return nil
}
