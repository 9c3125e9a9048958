package plaidsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/google/go-cmp/cmp"
)

// user_bulk_<N> has N rows over 24 months, each once, newest first, the same in pages of any size and in /transactions/get.
func TestBulkUser(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{Ready: plaidsim.Ready{Initial: 10 * time.Second, History: time.Minute}})
	access, _ := s.item("ins_109508", "user_bulk_3000", "transactions")
	first := s.ok("/transactions/sync", object{"access_token": access, "options": object{"days_requested": 730}})
	if first["transactions_update_status"] != "NOT_READY" {
		t.Fatalf("%v", first["transactions_update_status"])
	}
	s.clock.add(11 * time.Second)
	recent, _, _, cursor := s.drain(access, "", 500)
	s.clock.add(time.Minute)
	older, _, _, _ := s.drain(access, cursor, 77)
	whole, _, _, _ := s.drain(access, "", 500)
	if len(whole) == 0 || len(recent) == 0 || len(recent)+len(older) != len(whole) {
		t.Fatalf("%d recent, %d older, %d in all", len(recent), len(older), len(whole))
	}
	if diff := cmp.Diff(append(recent, older...), whole); diff != "" {
		t.Error(diff)
	}
	ids, accounts, last := map[any]bool{}, map[any]bool{}, "9"
	for _, r := range whole {
		ids[r["transaction_id"]], accounts[r["account_id"]] = true, true
		if date := r["date"].(string); date > last {
			t.Errorf("%s after %s", date, last)
		} else {
			last = date
		}
	}
	if len(ids) != len(whole) || len(accounts) < 2 {
		t.Errorf("%d ids of %d rows, %d accounts", len(ids), len(whole), len(accounts))
	}
	one := whole[0]["account_id"]
	got := s.ok("/transactions/sync", object{"access_token": access, "count": 500, "options": object{"account_id": one}})
	for _, r := range each(got["added"]) {
		if r["account_id"] != one {
			t.Error("a row of another account")
		}
	}
}

func TestBulkUserNames(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	for _, user := range []string{"user_bulk_", "user_bulk_0", "user_bulk_-1", "user_bulk_007", "user_bulk_1000001", "user_bulk_9e9"} {
		status, _ := s.post("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"},
			"options": object{"override_username": user}})
		if status == http.StatusOK {
			t.Errorf("%s was let in", user)
		}
	}
}
