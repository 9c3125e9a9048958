package plaidsim_test

import (
	"testing"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

func TestLinkUpdateMode(t *testing.T) {
	t.Parallel()
	for _, withToken := range []bool{false, true} {
		t.Run(map[bool]string{false: "empty", true: "publicToken"}[withToken], func(t *testing.T) {
			s := start(t, plaidsim.Options{Switches: plaidsim.Switches{UpdatePublicToken: withToken}})
			access, item := s.item("ins_109508", "user_good", "auth")
			s.ok("/sandbox/item/reset_login", object{"access_token": access})
			s.refused("/auth/get", object{"access_token": access}, 400, "ITEM_LOGIN_REQUIRED")
			if got := at(s.ok("/item/get", object{"access_token": access}), "item", "error", "error_code"); got != "ITEM_LOGIN_REQUIRED" {
				t.Errorf("item.error is %v", got)
			}
			token, hosted := s.link(object{"access_token": access, "products": nil, "additional_consented_products": []string{"identity"}})
			open(t, hosted).want("CREDENTIAL").post("username", "user_small_business", "password", "x").want("CREDENTIAL").complains().
				post("username", "user_good", "password", "pass_good").want("CONNECTED")
			s.ok("/auth/get", object{"access_token": access})
			s.ok("/identity/get", object{"access_token": access})
			results := each(at(s.session(token, 0), "results", "item_add_results"))
			if (len(results) == 1) != withToken {
				t.Fatalf("%d results", len(results))
			}
			if withToken {
				if again, id := s.exchange(s.session(token, 0)); again != access || id != item {
					t.Error("the update's public token leads to another Item")
				}
			}
		})
	}
}

func TestLinkUpdateAccountSelection(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, hosted := s.link(nil)
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
	p.post("account_ids", p.account("0000")).want("CONNECTED")
	access, _ := s.exchange(s.session(token, 0))
	before := at(s.ok("/accounts/get", object{"access_token": access}), "accounts", 0, "account_id")

	_, hosted = s.link(object{"access_token": access, "products": nil, "update": object{"account_selection_enabled": true}})
	p = open(t, hosted).post("username", "user_good", "password", "pass_good").want("SELECT_ACCOUNT")
	p.post("account_ids", p.account("1111")).want("CONNECTED")
	accounts := each(s.ok("/accounts/get", object{"access_token": access})["accounts"])
	if len(accounts) != 1 || accounts[0]["mask"] != "1111" {
		t.Errorf("accounts are %v", accounts)
	}
	s.refused("/accounts/get", object{"access_token": access, "options": object{"account_ids": []any{before}}}, 400, "INVALID_ACCOUNT_ID")
}
