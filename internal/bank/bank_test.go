package bank

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
	"github.com/bankctl/bankctl/internal/vault"
)

const testTenant = "6a1f0d8f2b3c4d5e6f708192"

// storeAlone is a bank over a store in memory, without Plaid.
func storeAlone(t *testing.T) (*Bank, *mem.Engine) {
	t.Helper()
	kek, err := vault.CreateFileKEK(filepath.Join(t.TempDir(), "k", "kek"))
	if err != nil {
		t.Fatal(err)
	}
	e := mem.New()
	db, err := store.Open(t.Context(), e, kek, store.Options{Environment: "simulated", Schema: Schema})
	if err == nil {
		err = db.EnsureTenant(t.Context(), testTenant)
	}
	b := &Bank{db: db, log: slog.New(slog.DiscardHandler), now: time.Now, guards: guards{quotas: quotas{of: UsualQuotas, now: time.Now, by: map[string]*rate.Limiter{}}}}
	if err == nil {
		err = b.update(t.Context(), func(tx *store.Tx) error {
			return tenants.Put(tx, store.SystemTenant, testTenant, tenant.Tenant{ID: testTenant, Name: tenant.DefaultName})
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return b, e
}

// A store that was written before the indexes gets them at the start, so histories and rounds find the same as a scan.
func TestIndexesOfAnOlderStore(t *testing.T) {
	t.Parallel()
	b, _ := storeAlone(t)
	account := func(i int) storedEmployee {
		a := storedEmployee{BankAccount: employee.BankAccount{AccountID: newID(b.time()), CompanyID: "c", EmployeeID: fmt.Sprint("e", i)}}
		switch i % 3 {
		case 1:
			a.ConnectionID, a.VerificationReason = "conn", employee.DepositPending
			a.PlaidItemID = "item"
		case 2:
			a.ConnectionID, a.VerificationReason = "conn", employee.RelinkRequired
		}
		return a
	}
	var all []storedEmployee
	err := b.update(t.Context(), func(tx *store.Tx) error {
		all = nil
		for i := range 6 {
			a := account(i)
			all = append(all, a)
			if err := employeeAccounts.Put(tx, testTenant, a.AccountID, a); err != nil {
				return err
			}
			for n := range 3 {
				r := trail.Record{Action: fmt.Sprint("employee.", n), Object: "employee_account:" + a.AccountID, Outcome: audit.OK}
				if n == 2 {
					r.Object, r.Details = "session:s", map[string]string{"account": a.AccountID}
				}
				if _, err := audit.Append(tx, testTenant, r); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time changes nothing
		if err := b.fillIndexes(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	linked, err := b.linkedEmployees(t.Context())
	if err != nil || len(linked) != 2 || !linked[0].open {
		t.Errorf("the round has %+v, %v: want the two accounts that wait for a deposit", linked, err)
	}
	err = b.db.View(t.Context(), func(tx *store.Tx) error {
		rows, info, err := eventsOf(tx, testTenant, all[1].AccountID, page.Request{Page: 1, Limit: 2})
		if err == nil && (info.Total != 3 || len(rows) != 2 || rows[0].Action != "employee.2" || rows[0].Seq < rows[1].Seq) {
			t.Errorf("the history is %+v of %+v", rows, info)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// A write's closure runs again after a conflict. Only its last run counts: for the audit log, and for the reply that an
// idempotent retry sees.
func TestWriteRunsAgain(t *testing.T) {
	t.Parallel()
	b, e := storeAlone(t)
	c := tenant.Caller{TenantID: testTenant, Client: tenant.Client{ID: "client"}}
	ctx, _, done, err := b.Begin(t.Context(), c, "key", "POST /x", []byte("{}"))
	if err != nil {
		t.Fatal(err)
	}
	defer done()
	conflict := true
	e.Between(func() {
		if !conflict {
			return
		}
		conflict = false
		if err := b.update(context.Background(), func(tx *store.Tx) error {
			return indexes.Put(tx, store.SystemTenant, "other", 1)
		}); err != nil {
			t.Error(err)
		}
	})
	err = b.write(ctx, c, func(tx *store.Tx) (auditEvent, error) {
		if _, err := indexes.Get(tx, store.SystemTenant, "other"); err == nil {
			return auditEvent{}, context.DeadlineExceeded // what the second run meets
		}
		return auditEvent{action: "x.do", reply: "done"}, nil
	})
	if err == nil {
		t.Fatal("the second run's failure was lost")
	}
	if a := ctx.Value(attemptKey{}).(*Attempt); a.kept {
		t.Error("the reply of the dropped run counts as kept")
	}
	records, err := b.ListAudit(t.Context(), c, trail.Query{})
	if err != nil || len(records) != 0 {
		t.Errorf("the dropped run is in the audit log: %+v, %v", records, err)
	}
}
