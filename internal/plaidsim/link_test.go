package plaidsim_test

import (
	"testing"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/google/go-cmp/cmp"
)

func TestLinkSuccess(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{Seed: 1})
	token, hosted := s.link(object{"additional_consented_products": []string{"identity"}})
	if got := s.ok("/link/token/get", object{"link_token": token}); got["link_sessions"] != nil {
		t.Fatal("sessions show before the URL was opened")
	}
	p := s.signIn(hosted, "ins_109508").want("CREDENTIAL")
	if finished := s.session(token, 0)["finished_at"]; finished != nil {
		t.Fatalf("an open session is finished at %v", finished)
	}
	p = p.post("username", "user_good", "password", "pass_good").want("SELECT_ACCOUNT")
	if diff := cmp.Diff([]string{"0000", "1111", "9002"}, p.masks()); diff != "" {
		t.Error(diff)
	}
	p.post("account_ids", p.account("0000"), "account_ids", p.account("9002")).want("CONNECTED")

	ss := s.session(token, 0)
	if ss["finished_at"] == nil || ss["exit"] != nil {
		t.Errorf("finished_at %v, exit %v", ss["finished_at"], ss["exit"])
	}
	access, item := s.exchange(ss)
	s.refused("/item/public_token/exchange", object{"public_token": at(ss, "results", "item_add_results", 0, "public_token")}, 400, "INVALID_PUBLIC_TOKEN")
	auth := s.ok("/auth/get", object{"access_token": access})
	want := []any{
		object{"account_id": at(ss, "results", "item_add_results", 0, "accounts", 0, "id"), "account": "1111222233330000", "routing": "011401533", "wire_routing": "021000021", "is_tokenized_account_number": false},
		object{"account_id": at(ss, "results", "item_add_results", 0, "accounts", 1, "id"), "account": "1111222233339002", "routing": "011401533", "wire_routing": "021000021", "is_tokenized_account_number": false},
	}
	if diff := cmp.Diff(want, at(auth, "numbers", "ach")); diff != "" {
		t.Error(diff)
	}
	if got := at(auth, "item", "item_id"); got != item {
		t.Errorf("item is %v, want %s", got, item)
	}
	s.ok("/identity/get", object{"access_token": access})
	s.refused("/transactions/sync", object{"access_token": access}, 400, "ADDITIONAL_CONSENT_REQUIRED")
}
