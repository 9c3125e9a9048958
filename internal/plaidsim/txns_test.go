package plaidsim_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/google/go-cmp/cmp"
)

// drain syncs until has_more is false.
func (s *sim) drain(access, cursor string, count int) (added, modified, removed []object, next string) {
	s.t.Helper()
	for range 1000 {
		got := s.ok("/transactions/sync", object{"access_token": access, "cursor": cursor, "count": count})
		added = append(added, each(got["added"])...)
		modified = append(modified, each(got["modified"])...)
		removed = append(removed, each(got["removed"])...)
		cursor = got["next_cursor"].(string)
		if got["has_more"] == false {
			return added, modified, removed, cursor
		}
	}
	s.t.Fatal("sync never ends")
	return
}

func TestSyncBecomesReady(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{Ready: plaidsim.Ready{Initial: 10 * time.Second, History: time.Minute}})
	access, _ := s.item("ins_109508", "user_good", "transactions")
	steps := []struct {
		wait   time.Duration
		status string
		rows   int
	}{{0, "NOT_READY", 0}, {11 * time.Second, "INITIAL_UPDATE_COMPLETE", 16}, {time.Minute, "HISTORICAL_UPDATE_COMPLETE", 48}}
	for _, step := range steps {
		s.clock.add(step.wait)
		got := s.ok("/transactions/sync", object{"access_token": access})
		if got["transactions_update_status"] != step.status || len(each(got["added"])) != step.rows {
			t.Errorf("status %v with %d rows, want %s with %d", got["transactions_update_status"], len(each(got["added"])), step.status, step.rows)
		}
		if empty := got["next_cursor"] == ""; empty != (step.rows == 0) {
			t.Errorf("next_cursor is %q at %s", got["next_cursor"], step.status)
		}
	}
}

func TestSyncPagesAreTheWhole(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_good", "transactions")
	s.clock.add(5 * time.Second)
	whole, _, _, cursor := s.drain(access, "", 500)
	if len(whole) != 48 {
		t.Fatalf("%d rows", len(whole))
	}
	for _, count := range []int{1, 7, 48} {
		paged, _, _, _ := s.drain(access, "", count)
		if diff := cmp.Diff(whole, paged); diff != "" {
			t.Errorf("pages of %d: %s", count, diff)
		}
	}
	if added, _, _, again := s.drain(access, cursor, 100); len(added) != 0 || again != cursor {
		t.Error("a sync from the end brings something")
	}
}

func TestSyncDaysRequested(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	made := s.ok("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"transactions"},
		"options": object{"transactions": object{"days_requested": 730}}})
	access := s.ok("/item/public_token/exchange", object{"public_token": made["public_token"]})["access_token"].(string)
	s.clock.add(5 * time.Second)
	added, _, _, _ := s.drain(access, "", 500)
	if len(added) != 384 {
		t.Errorf("%d rows in two years, want 384", len(added))
	}
	got := s.ok("/transactions/get", object{"access_token": access, "start_date": "2026-04-20", "end_date": "2026-05-04"})
	if got["total_transactions"] != 10.0 {
		t.Errorf("%v rows in two weeks, want 10", got["total_transactions"])
	}
}

func TestSyncMutationDuringPagination(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{Ready: plaidsim.Ready{Initial: time.Second, History: time.Minute}})
	access, _ := s.item("ins_109508", "user_good", "transactions")
	s.clock.add(2 * time.Second)
	first := s.ok("/transactions/sync", object{"access_token": access, "count": 5})
	s.clock.add(time.Minute)
	s.refused("/transactions/sync", object{"access_token": access, "count": 5, "cursor": first["next_cursor"]}, 400, "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION")
	s.server.SetFaults([]plaidsim.Fault{{Route: "/transactions/sync", Kind: "mutation", Count: 1}})
	added, _, _, _ := s.drain(access, "", 20)
	if len(added) != 48 {
		t.Errorf("%d rows", len(added))
	}
	first = s.ok("/transactions/sync", object{"access_token": access, "count": 5})
	s.server.SetFaults([]plaidsim.Fault{{Route: "/transactions/sync", Kind: "mutation", Count: 1}})
	s.refused("/transactions/sync", object{"access_token": access, "count": 5, "cursor": first["next_cursor"]}, 400, "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION")
}

func TestSyncPendingToPosted(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_transactions_dynamic", "transactions")
	s.clock.add(5 * time.Second)
	rows, _, _, cursor := s.drain(access, "", 500)
	pending := map[any]bool{}
	for _, r := range rows {
		if r["pending"] == true {
			pending[r["transaction_id"]] = true
		}
	}
	if len(rows) != 50 || len(pending) == 0 {
		t.Fatalf("%d rows, %d pending", len(rows), len(pending))
	}
	s.ok("/transactions/refresh", object{"access_token": access})
	added, modified, removed, _ := s.drain(access, cursor, 3)
	posted := 0
	for _, r := range added {
		if r["pending"] == false && pending[r["pending_transaction_id"]] {
			posted++
		}
	}
	if posted != len(pending) || len(removed) != len(pending) || len(modified) != 1 {
		t.Errorf("posted %d, removed %d, modified %d of %d pending", posted, len(removed), len(modified), len(pending))
	}
	all, _, gone, _ := s.drain(access, "", 500)
	if len(all) != 54 || len(gone) != 0 {
		t.Errorf("from the beginning: %d rows, %d removed", len(all), len(gone))
	}
}

func TestSandboxTransactionsCreate(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_transactions_dynamic", "transactions")
	s.clock.add(5 * time.Second)
	_, _, _, cursor := s.drain(access, "", 500)
	row := object{"date_transacted": "2026-05-03", "date_posted": "2026-05-04", "amount": -123.45, "description": "ACME PAYROLL"}
	s.ok("/sandbox/transactions/create", object{"access_token": access, "transactions": []object{row}})
	added, _, _, _ := s.drain(access, cursor, 500)
	found := false
	for _, r := range added {
		found = found || r["name"] == "ACME PAYROLL" && r["amount"] == -123.45 && r["date"] == "2026-05-04"
	}
	if !found {
		t.Error("the created row does not come")
	}
	row["date_posted"] = "2026-01-01"
	s.refused("/sandbox/transactions/create", object{"access_token": access, "transactions": []object{row}}, 400, "INVALID_FIELD")
}

func TestRecurring(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_good", "transactions")
	s.clock.add(5 * time.Second)
	got := s.ok("/transactions/recurring/get", object{"access_token": access})
	if len(each(got["outflow_streams"])) == 0 || len(each(got["inflow_streams"])) != 2 {
		t.Errorf("%d outflow and %d inflow streams", len(each(got["outflow_streams"])), len(each(got["inflow_streams"])))
	}
}

func TestInstitutions(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	all := object{"include_optional_metadata": true, "include_auth_metadata": true, "include_payment_initiation_metadata": true}
	for _, country := range []string{"US", "GB"} {
		got := s.ok("/institutions/search", object{"query": "platypus", "country_codes": []string{country}, "options": all})
		found := each(got["institutions"])
		if len(found) == 0 || len(found) > 10 {
			t.Errorf("%d banks found in %s", len(found), country)
		}
		for _, b := range found {
			if b["url"] == nil || b["logo"] == nil || !strings.HasPrefix(b["primary_color"].(string), "#") {
				t.Errorf("%v lacks its metadata", b["name"])
			}
		}
	}
	boa := s.ok("/institutions/get", object{"count": 10, "offset": 0, "country_codes": []string{"US"}, "options": object{"routing_numbers": []string{"021200339"}}})
	if found := each(boa["institutions"]); len(found) != 1 || found[0]["name"] != "Bank of America" {
		t.Errorf("by routing number: %v", found)
	}
	seen := map[any]bool{}
	for offset := 0; ; offset += 50 {
		page := s.ok("/institutions/get", object{"count": 50, "offset": offset, "country_codes": []string{"US"}})
		for _, b := range each(page["institutions"]) {
			seen[b["institution_id"]] = true
		}
		if len(each(page["institutions"])) == 0 {
			if total := page["total"].(float64); int(total) != len(seen) {
				t.Errorf("total is %v, seen %d", total, len(seen))
			}
			break
		}
	}
	if got := s.ok("/institutions/get_by_id", object{"institution_id": "ins_117650", "country_codes": []string{"GB"}, "options": all}); at(got, "institution", "payment_initiation_metadata") == nil {
		t.Error("the bank with payment initiation has no metadata for it")
	}
}

func TestAccountsAsPublished(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		switches plaidsim.Switches
		n        int
	}{{"twelve", plaidsim.Switches{}, 12}, {"fourteen", plaidsim.Switches{FourteenAccounts: true}, 14}}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, plaidsim.Options{Switches: tt.switches})
			access, _ := s.item("ins_109508", "user_good", "auth")
			for _, path := range []string{"/accounts/get", "/accounts/balance/get"} {
				accounts := each(s.ok(path, object{"access_token": access})["accounts"])
				if len(accounts) != tt.n {
					t.Fatalf("%s: %d accounts", path, len(accounts))
				}
				want := object{"available": nil, "current": 23631.9805, "limit": nil, "iso_currency_code": "USD", "unofficial_currency_code": nil}
				if diff := cmp.Diff(want, accounts[6]["balances"]); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}

func TestIdentityMatch(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, _ := s.item("ins_109508", "user_good", "identity")
	tests := []struct {
		name     string
		low, top float64
	}{{"Alberta Bobbeth Charleson", 100, 100}, {"alberta charleson", 85, 99}, {"Bob Charleson", 50, 69}, {"Erika Mustermann", 0, 49}}
	for _, tt := range tests {
		got := s.ok("/identity/match", object{"access_token": access, "user": object{"legal_name": tt.name, "phone_number": "+1 111 222 3333",
			"email_address": "ACCOUNTHOLDER0@example.com", "address": object{"street": "2992 Cameron Road", "city": "Malakoff", "region": "NY", "postal_code": "14236", "country": "US"}}})
		score := at(got, "accounts", 0, "legal_name", "score").(float64)
		if score < tt.low || score > tt.top {
			t.Errorf("%s scores %v", tt.name, score)
		}
		if at(got, "accounts", 0, "phone_number", "score") != 100.0 || at(got, "accounts", 0, "address", "score") != 100.0 || at(got, "accounts", 0, "balances", "current") != nil {
			t.Error("phone, address or balances are wrong")
		}
	}
	if got := s.ok("/identity/match", object{"access_token": access}); at(got, "accounts", 0, "legal_name") != nil {
		t.Error("a score without a name")
	}
}

func TestLesserEndpoints(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	access, item := s.item("ins_109508", "user_good", "auth", "identity", "transactions")
	account := at(s.ok("/accounts/get", object{"access_token": access}), "accounts", 0, "account_id")
	s.ok("/identity/refresh", object{"access_token": access})
	s.ok("/processor/token/create", object{"access_token": access, "account_id": account, "processor": "dwolla"})
	s.ok("/sandbox/processor_token/create", object{"institution_id": "ins_109508"})
	s.ok("/categories/get", object{})
	public := s.ok("/item/public_token/create", object{"access_token": access})["public_token"]
	if got := s.ok("/item/public_token/exchange", object{"public_token": public}); got["access_token"] != access || got["item_id"] != item {
		t.Error("a public token of an Item leads elsewhere")
	}
	fresh := s.ok("/item/access_token/invalidate", object{"access_token": access})["new_access_token"]
	got := s.ok("/item/get", object{"access_token": fresh})
	if at(got, "item", "item_id") != item || at(got, "item", "error") != nil || at(got, "item", "institution_name") != "First Platypus Bank" {
		t.Error("the Item is another after a rotation")
	}
	s.refused("/item/get", object{"access_token": access}, http.StatusBadRequest, "INVALID_ACCESS_TOKEN")
	s.ok("/item/remove", object{"access_token": fresh})
	s.refused("/item/get", object{"access_token": fresh}, http.StatusBadRequest, "ITEM_NOT_FOUND")
}
