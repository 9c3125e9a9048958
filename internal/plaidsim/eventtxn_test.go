package plaidsim_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// replica is the copy of a caller of /transactions/sync.
type replica struct {
	rows   map[string]object
	cursor string
}

// sync updates the replica in small pages; after a broken page it starts again.
func (r *replica) sync(l *linked, count int) {
	l.t.Helper()
	for range 50 {
		if r.try(l, count) {
			return
		}
	}
	l.t.Fatal("every pagination breaks")
}

func (r *replica) try(l *linked, count int) bool {
	l.t.Helper()
	var changed []object
	for cursor := r.cursor; ; {
		status, got := l.post("/transactions/sync", object{"access_token": l.access, "cursor": cursor, "count": count})
		if status != http.StatusOK {
			if got["error_code"] != "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION" {
				l.t.Fatalf("sync: %v", got["error_code"])
			}
			return false
		}
		changed = append(changed, got)
		cursor = got["next_cursor"].(string)
		if got["has_more"] == false {
			r.cursor = cursor
			break
		}
	}
	for _, page := range changed {
		for _, kind := range []string{"added", "modified"} {
			for _, row := range each(page[kind]) {
				id := row["transaction_id"].(string)
				if _, held := r.rows[id]; kind == "modified" && !held {
					l.t.Error("a row is modified that never came")
				}
				r.rows[id] = row
			}
		}
	}
	for _, page := range changed {
		for _, row := range each(page["removed"]) {
			delete(r.rows, row["transaction_id"].(string))
		}
	}
	return true
}

// shown drops the rows of accounts that replies do not have; rows of a closed account are neither removed nor sent
// again.
func (r *replica) shown(l *linked) map[string]object {
	l.t.Helper()
	ids := map[any]bool{}
	for _, a := range each(l.call("/accounts/get")["accounts"]) {
		ids[a["account_id"]] = true
	}
	out := map[string]object{}
	for id, row := range r.rows {
		if ids[row["account_id"]] {
			out[id] = row
		}
	}
	return out
}

// fresh syncs from the empty cursor, which must bring every row once.
func (l *linked) fresh() map[string]object {
	l.t.Helper()
	added, modified, removed, _ := l.drain(l.access, "", 500)
	if len(modified)+len(removed) != 0 {
		l.t.Errorf("a first sync has %d modified and %d removed", len(modified), len(removed))
	}
	out := map[string]object{}
	for _, row := range added {
		out[row["transaction_id"].(string)] = row
	}
	if len(out) != len(added) {
		l.t.Errorf("%d rows with %d ids", len(added), len(out))
	}
	return out
}

// After events to rows and accounts, a caller with a cursor holds the same rows
// as one who begins anew, and as /transactions/get.
func TestEventTransactionsAgree(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"user_good", "user_transactions_dynamic", "user_bulk_300"} {
		t.Run("user="+user, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(11, 7))
			store := &memory{}
			l, _ := linkedItem(t, store, "ins_109508", user)
			mine, late := &replica{rows: map[string]object{}}, &replica{rows: map[string]object{}}
			mine.sync(l, 20)
			event := func(kind string, more object) bool {
				body := object{"kind": kind, "item_id": l.item}
				for k, v := range more {
					body[k] = v
				}
				return l.happen("go", body) == ""
			}
			masks, here := []string{"0000", "1111", "3333"}, []string{"0000", "1111", "9002"}
			acts := []func(){
				func() { event("txn_redated", nil) }, func() { event("txn_redated", object{"mask": "0000"}) }, func() { event("txn_currency", nil) },
				func() { event("txn_removed_late", nil) }, func() { event("txn_mutation", object{"pages": 2}) },
				func() { l.call("/transactions/refresh") },
				func() { event("account_reissued", object{"mask": masks[rnd.IntN(3)]}) },
				func() {
					if len(each(l.call("/accounts/get")["accounts"])) > 1 { // if its only account is gone, /transactions/get answers NO_ACCOUNTS
						event("account_revoked", object{"mask": "0000"})
					}
				},
				func() { l.update(nil) }, func() { l.update(nil, here...) }, func() { l.update(nil, "0000") }, func() { l.update(nil, "9002") },
			}
			for step := range 60 {
				acts[rnd.IntN(len(acts))]()
				if rnd.IntN(3) > 0 {
					mine.sync(l, 7+rnd.IntN(20))
				}
				if rnd.IntN(12) == 0 {
					late.sync(l, 100)
				}
				if rnd.IntN(15) == 0 {
					l = l.restarted(store)
					store = l.store
				}
				if step == 30 {
					l.update(nil, here...)
					here = []string{"0000", "9002"}
					if !event("account_closed", object{"mask": "1111"}) {
						t.Fatal("the account cannot be closed")
					}
				}
			}
			l.update(nil, here...)
			for name, r := range map[string]*replica{"close": mine, "late": late} {
				r.sync(l, 50)
				if diff := cmp.Diff(l.fresh(), r.shown(l)); diff != "" {
					t.Errorf("%s follower: %s", name, diff[:min(len(diff), 2000)])
				}
			}
			got := l.ok("/transactions/get", object{"access_token": l.access, "start_date": "2000-01-01", "end_date": "2030-01-01", "options": object{"count": 500}})
			if n := len(l.fresh()); got["total_transactions"] != float64(n) {
				t.Errorf("%v rows by date, %d by sync", got["total_transactions"], n)
			}
		})
	}
}

// Each event changes the row that it names, or one of the account's.
func TestEventTransactionChanges(t *testing.T) {
	t.Parallel()
	for _, user := range []string{"user_good", "user_transactions_dynamic", "user_bulk_2000"} {
		t.Run("user="+user, func(t *testing.T) {
			l, got := linkedItem(t, &memory{}, "ins_109508", user)
			all, _, _, cursor := l.drain(l.access, "", 500)
			var row object
			for _, r := range all {
				if r["pending"] == false && r["iso_currency_code"] == "USD" {
					row = r
				}
			}
			id := row["transaction_id"].(string)
			change := func(kind string, more object) (modified, removed []object) {
				t.Helper()
				body := object{"kind": kind, "item_id": l.item, "transaction_id": id}
				for k, v := range more {
					body[k] = v
				}
				if problem := l.happen("http", body); problem != "" {
					t.Fatal(problem)
				}
				hooks := []string{"DEFAULT_UPDATE", "SYNC_UPDATES_AVAILABLE"}
				if kind == "txn_removed_late" {
					hooks = append(hooks, "TRANSACTIONS_REMOVED")
				}
				l.collect(got, hooks...)
				var added []object
				added, modified, removed, cursor = l.drain(l.access, cursor, 100)
				if len(added) != 0 || len(modified)+len(removed) != 1 {
					t.Fatalf("%s: %d added, %d modified, %d removed", kind, len(added), len(modified), len(removed))
				}
				return modified, removed
			}
			modified, _ := change("txn_redated", object{"date": "2026-04-01"})
			if modified[0]["transaction_id"] != id || modified[0]["date"] != "2026-04-01" {
				t.Errorf("row is %v", modified[0])
			}
			modified, _ = change("txn_currency", object{"currency": "CAD"})
			if modified[0]["iso_currency_code"] != "CAD" || modified[0]["date"] != "2026-04-01" {
				t.Errorf("row is %v", modified[0])
			}
			if now := l.fresh(); len(now) != len(all) || now[id]["iso_currency_code"] != "CAD" || now[id]["date"] != "2026-04-01" {
				t.Errorf("anew, the row is %v among %d", now[id], len(now))
			}
			if _, removed := change("txn_removed_late", nil); removed[0]["transaction_id"] != id || removed[0]["account_id"] != row["account_id"] {
				t.Errorf("removed is %v", removed)
			}
			if now := l.fresh(); len(now) != len(all)-1 || now[id] != nil {
				t.Errorf("anew there are %d rows", len(now))
			}
		})
	}
}

// A reissued account loses its rows, and they come again under new ids.
func TestEventReissueMovesTransactions(t *testing.T) {
	t.Parallel()
	l, _ := linkedItem(t, &memory{}, "ins_109508", "user_good")
	all, _, _, cursor := l.drain(l.access, "", 500)
	old := l.account("0000")["account_id"]
	before := 0
	for _, r := range all {
		if r["account_id"] == old {
			before++
		}
	}
	if problem := l.happen("go", object{"kind": "account_reissued", "item_id": l.item, "mask": "0000"}); problem != "" {
		t.Fatal(problem)
	}
	fresh := l.account("0000")["account_id"]
	added, modified, removed, _ := l.drain(l.access, cursor, 5)
	if len(added) != before || len(removed) != before || len(modified) != 0 || before == 0 || fresh == old {
		t.Fatalf("%d added, %d removed of %d", len(added), len(removed), before)
	}
	for i := range added {
		if added[i]["account_id"] != fresh || removed[i]["account_id"] != old {
			t.Error("a row is of the wrong account: " + fmt.Sprint(added[i]["account_id"], removed[i]["account_id"]))
		}
	}
}
