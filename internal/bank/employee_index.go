package bank

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/trail"
)

// The indexes of employees' accounts replace scans of all accounts, or of the whole audit log.
var (
	linkedAccounts = store.NewCollection[linkedAccount]("employee_linked") // by account id: accounts to ask Plaid about
	accountEvents  = store.NewCollection[pointer]("employee_events")       // by account id and audit sequence number
	indexes        = store.NewCollection[int]("indexes")                   // system: by name, the version of the index
)

const (
	employeeIndexes = "employees"
	indexVersion    = 1
)

// linkedAccount is the data that a round needs of an account. Open means that its verdict may change by itself.
type linkedAccount struct {
	Ref  EmployeeRef `json:"ref"`
	Open bool        `json:"open"`
}

// putEmployee stores an account and updates its index. The index omits accounts that wait for the employee: to ask
// Plaid about them would waste their Items' calls.
func putEmployee(tx *store.Tx, tenantID string, a storedEmployee) error {
	if err := employeeAccounts.Put(tx, tenantID, a.AccountID, a); err != nil {
		return err
	}
	if a.ConnectionID == "" || a.VerificationReason == employee.RelinkRequired {
		return dropLinked(tx, tenantID, a.AccountID)
	}
	return linkedAccounts.Put(tx, tenantID, a.AccountID, linkedAccount{Ref: a.ref(), Open: a.Watched()})
}

func dropLinked(tx *store.Tx, tenantID, accountID string) error {
	err := linkedAccounts.Delete(tx, tenantID, accountID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	return err
}

// accountOf returns the employee's account of an audit record; "" if it has none.
func accountOf(r trail.Record) string {
	if id, ok := strings.CutPrefix(r.Object, "employee_account:"); ok {
		return id
	}
	return r.Details["account"]
}

func indexEvent(tx *store.Tx, tenantID string, r trail.Record) error {
	account := accountOf(r)
	if account == "" || !store.ValidID(account) {
		return nil
	}
	id := audit.RecordID(r.Lane, r.Seq)
	return accountEvents.Put(tx, tenantID, account+"."+id, pointer{id})
}

// eventsOf reads one page of an account's audit records, newest first.
func eventsOf(tx *store.Tx, tenantID, account string, p page.Request) ([]trail.Record, page.Info, error) {
	var ids []string
	for rec, err := range accountEvents.Scan(tx, tenantID, store.Range{Prefix: account + ".", Reverse: true}) {
		if err != nil {
			return nil, page.Info{}, err
		}
		ids = append(ids, rec.Value.ID)
	}
	ids, info := page.Of(ids, p)
	rows := make([]trail.Record, 0, len(ids))
	for _, id := range ids {
		r, err := audit.Get(tx, tenantID, id)
		if err != nil {
			return nil, page.Info{}, err
		}
		rows = append(rows, r)
	}
	return rows, info, nil
}

// fillIndexes builds the indexes of an older store that lacks them.
func (b *Bank) fillIndexes(ctx context.Context) error {
	for name, fill := range map[string]func(*store.Tx, string) error{employeeIndexes: fillTenant, webhookIndexes: b.fillWebhookIndexes} {
		if err := b.fillIndex(ctx, name, fill); err != nil {
			return fmt.Errorf("fill indexes of %s: %w", name, err)
		}
	}
	return nil
}

func (b *Bank) fillIndex(ctx context.Context, name string, fill func(*store.Tx, string) error) error {
	var filled int
	err := b.db.View(ctx, func(tx *store.Tx) (err error) {
		filled, err = indexes.Get(tx, store.SystemTenant, name)
		return err
	})
	if err == nil && filled == indexVersion {
		return nil
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if err := b.eachTenant(ctx, fill); err != nil {
		return err
	}
	return b.update(ctx, func(tx *store.Tx) error { return indexes.Put(tx, store.SystemTenant, name, indexVersion) })
}

func fillTenant(tx *store.Tx, tenantID string) error {
	var accounts []storedEmployee
	for rec, err := range employeeAccounts.Scan(tx, tenantID, store.Range{}) {
		if err != nil {
			return err
		}
		accounts = append(accounts, rec.Value)
	}
	for _, a := range accounts {
		if err := putEmployee(tx, tenantID, a); err != nil {
			return err
		}
	}
	all, err := audit.List(tx, tenantID, trail.Query{Limit: -1})
	if err != nil {
		return err
	}
	for _, r := range all {
		if err := indexEvent(tx, tenantID, r); err != nil {
			return err
		}
	}
	return nil
}
