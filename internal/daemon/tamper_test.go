package daemon_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/bankctl/bankctl/internal/audit"
	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/money"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/bolt"
	"github.com/bankctl/bankctl/internal/txn"
	"github.com/bankctl/bankctl/internal/vault"
)

// number reads a size from the environment.
func number(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s must be a number", name)
	}
	return n
}

// open opens the store of a bankd that is not running. Close the engine.
func (h home) open() (*store.DB, *bolt.Engine) {
	h.t.Helper()
	kek, err := vault.OpenFileKEK(h.key())
	if err != nil {
		h.t.Fatal(err)
	}
	e, err := bolt.Open(h.db())
	if err != nil {
		h.t.Fatal(err)
	}
	db, err := store.Open(h.t.Context(), e, kek, store.Options{Environment: "simulated", Schema: 1})
	if err != nil {
		h.t.Fatal(err)
	}
	return db, e
}

// fill adds records like those of a large store: accounts made by hand, and transactions of ten Items.
func (h home) fill(records, rows int) {
	h.t.Helper()
	db, e := h.open()
	defer e.Close()
	tenant := db.Tenants()[0]
	type account struct {
		ID         string    `json:"_id"`
		Name       string    `json:"name"`
		BankName   string    `json:"bank_name"`
		EmployerID string    `json:"employer_id"`
		Type       string    `json:"type"`
		Subtype    string    `json:"subtype"`
		Mask       string    `json:"mask"`
		Status     string    `json:"status"`
		Kind       string    `json:"connection_type"`
		CreatedAt  time.Time `json:"created_at"`
		UpdatedAt  time.Time `json:"updated_at"`
	}
	accounts := store.NewCollection[account]("bank_accounts")
	now := time.Now().UTC()
	const batch = 5000
	for from := 0; from < records; from += batch {
		err := db.Update(h.t.Context(), func(tx *store.Tx) error {
			for i := from; i < min(from+batch, records); i++ {
				id := fmt.Sprintf("%024x", 0xf00000000000+i)
				a := account{id, fmt.Sprintf("Account %d", i), "Bank of Somewhere", fmt.Sprintf("fill-%d", i%1000), "depository", "checking", "0000", "active", "manual", now, now}
				if err := accounts.Put(tx, tenant, id, a); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			h.t.Fatal(err)
		}
	}
	h.fillRows(db, tenant, rows, now)
}

func (h home) fillRows(db *store.DB, tenant string, rows int, now time.Time) {
	h.t.Helper()
	ctx := h.t.Context()
	l, err := ledger.Open(ctx, db, []string{tenant})
	if err != nil {
		h.t.Fatal(err)
	}
	const items, pageRows = 10, 5000
	for item := range items {
		connection := fmt.Sprintf("%024x", 0xe00000000000+item)
		each := rows / items
		for from := 0; from < each; from += pageRows {
			u := txn.Update{}
			for k := from; k < min(from+pageRows, each); k++ {
				u.Added = append(u.Added, txn.Raw{
					AccountID: fmt.Sprintf("account-%d-%d", item, k%3), Date: txn.Date(int32(20000 + k*700/each)), Amount: money.Amount{Minor: int64(k%90000 + 1), Currency: "USD"},
					Details: txn.Details{PlaidTransactionID: fmt.Sprintf("row-%d-%031d", item, k), Name: fmt.Sprintf("MERCHANT %06d*PAYMENT", k%1000), MerchantName: "Merchant", Category: "TRANSPORTATION", PaymentChannel: "online"},
				})
			}
			err := l.Apply(ctx, tenant, connection, u, "HISTORICAL_UPDATE_COMPLETE", now, func(ctx context.Context, apply func(*store.Tx) (txn.Counts, error)) error {
				return db.Update(ctx, func(tx *store.Tx) error {
					if _, err := apply(tx); err != nil {
						return err
					}
					_, err := audit.Append(tx, tenant, audit.Record{Time: now, Action: "connection.sync", Object: "connection:" + connection, Outcome: audit.OK})
					return err
				})
			})
			if err != nil {
				h.t.Fatal(err)
			}
		}
	}
}

// entries are keys with their stored bytes.
type entries map[string][]byte

// edit changes the file of a bankd that is not running, without its keys: a nil value deletes.
func (h home) edit(change entries) {
	h.t.Helper()
	db, err := bbolt.Open(h.db(), 0o600, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("bankd"))
		for key, value := range change {
			var err error
			if value == nil {
				err = b.Delete([]byte(key))
			} else {
				err = b.Put([]byte(key), value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, db.Close()); err != nil {
		h.t.Fatal(err)
	}
}

// read returns the entries whose keys have one of the prefixes, at most limit a prefix.
func (h home) read(limit int, prefixes ...string) entries {
	h.t.Helper()
	db, err := bbolt.Open(h.db(), 0o600, &bbolt.Options{ReadOnly: true})
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	found := entries{}
	err = db.View(func(tx *bbolt.Tx) error {
		c := tx.Bucket([]byte("bankd")).Cursor()
		for _, prefix := range prefixes {
			n := 0
			for k, v := c.Seek([]byte(prefix)); n < limit && strings.HasPrefix(string(k), prefix); k, v = c.Next() {
				found[string(k)] = bytes.Clone(v)
				n++
			}
		}
		return nil
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return found
}

// B1: whoever can write the file and has no key changes one thing in a stopped bankd: a record is put back, swapped,
// removed or doubled, or a manifest, a root, a lane or the whole file is an old one. Every start is refused, before
// anything is served or written. `make tamper` does so 200 times to 300,000 records and 1,000,000 transactions.
func TestTamper(t *testing.T) {
	t.Parallel()
	records, rows, changes := number(t, "BANKD_TAMPER_RECORDS", 2000), number(t, "BANKD_TAMPER_ROWS", 5000), number(t, "BANKD_TAMPER_CHANGES", 24)
	h := newHome(t)
	p := h.start()
	revoked := h.client()
	p.stop()
	h.fill(records, rows)
	p = h.start() // after a start the anchor knows the filled store
	p.stop()
	tenants := h.read(1, "system/tenants/")
	var tenant string
	for key := range tenants {
		tenant = strings.TrimPrefix(key, "system/tenants/")
	}
	prefixes := []string{"!", "system/", tenant + "/audit/", tenant + "/audit_head/", tenant + "/bank_accounts/", tenant + "/txn_segments/", tenant + "/txn_items/"}
	older := h.read(400, prefixes...)

	p = h.start()
	if _, err := h.client().RevokeClient(t.Context(), revoked.ClientID); err != nil {
		t.Fatal(err)
	}
	p.stop()
	newer := h.read(400, prefixes...)
	var changed, all []string
	for key, value := range newer {
		all = append(all, key)
		if !bytes.Equal(older[key], value) && older[key] != nil {
			changed = append(changed, key)
		}
	}
	if len(changed) < 3 {
		t.Fatalf("only %d keys changed: the test is void", len(changed))
	}
	r := rand.New(rand.NewPCG(uint64(number(t, "BANKD_TAMPER_SEED", 1)), 1))
	pick := func(keys []string) string { return keys[r.IntN(len(keys))] }
	clientKey := "system/clients/" + revoked.ClientID
	kinds := []struct {
		name   string
		change func() entries
	}{
		{"the revoked client put back", func() entries { return entries{clientKey: older[clientKey]} }},
		{"the revoked client put back with the manifest of clients", func() entries {
			return entries{clientKey: older[clientKey], "!manifest/0/system/clients": older["!manifest/0/system/clients"]}
		}},
		{"an old entry put back", func() entries { k := pick(changed); return entries{k: older[k]} }},
		{"an old root and all old manifests put back", func() entries {
			e := entries{}
			for key, value := range older {
				if strings.HasPrefix(key, "!") {
					e[key] = value
				}
			}
			return e
		}},
		{"an entry removed", func() entries { return entries{pick(all): nil} }},
		{"two values swapped", func() entries {
			a, b := pick(all), pick(all)
			for a == b {
				b = pick(all)
			}
			return entries{a: newer[b], b: newer[a]}
		}},
		{"an entry doubled", func() entries { k := pick(all); return entries{k + "0": newer[k]} }},
		{"a bit of a value changed", func() entries {
			k := pick(all)
			v := bytes.Clone(newer[k])
			v[r.IntN(len(v))] ^= 1 << r.IntN(8)
			return entries{k: v}
		}},
		{"a lane added", func() entries { return entries{"!root/x": newer["!root/0"]} }},
		{"the root removed", func() entries { return entries{"!root/0": nil} }},
	}
	slowest := time.Duration(0)
	for i := range changes {
		kind := kinds[i%len(kinds)]
		change, undo := kind.change(), entries{}
		for key := range change {
			undo[key] = newer[key]
		}
		h.edit(change)
		before := sum(t, h.db())
		began := time.Now()
		said := h.refused()
		slowest = max(slowest, time.Since(began))
		if !strings.Contains(said, "damaged") {
			t.Errorf("%s: refused for another reason: %s", kind.name, said)
		}
		if sum(t, h.db()) != before {
			t.Errorf("%s: the file was written", kind.name)
		}
		h.edit(undo)
	}
	began := time.Now()
	p = h.start()
	t.Logf("%d changes of %d records and %d rows: 0 served; slowest refusal %v; ready, all checked, after %v", changes, records, rows, slowest, time.Since(began))
	p.stop()
}
