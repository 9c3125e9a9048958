package plaidsim_test

import (
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

func TestLinkNumbers(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	typed := func(routing, account string) []string {
		return []string{"routing_number", routing, "account_number", account, "account_number_confirm", account}
	}
	t.Run("instantMatch", func(t *testing.T) {
		s := s.with(t)
		token, hosted := s.link(nil)
		p := s.signIn(hosted, "ins_109512").post("username", "user_good", "password", "pass_good").want("SELECT_ACCOUNT")
		p = p.post("account_ids", p.account("1111")).want("NUMBERS")
		p = p.post(typed("021000022", "1111222233331111")...).want("NUMBERS").complains()
		p = p.post(typed("021000021", "1111222233339999")...).want("NUMBERS").complains()
		p.post(typed("021000021", "1111222233331111")...).want("CONNECTED")
		access, _ := s.exchange(s.session(token, 0))
		auth := s.ok("/auth/get", object{"access_token": access})
		if at(auth, "numbers", "ach", 0, "routing") != "021000021" || at(auth, "item", "auth_method") != "INSTANT_MATCH" {
			t.Errorf("auth method is %v", at(auth, "item", "auth_method"))
		}
	})
	t.Run("automated", func(t *testing.T) {
		s := s.with(t)
		token, hosted := s.link(object{"auth": object{"automated_microdeposits_enabled": true}})
		p := s.signIn(hosted, "ins_109512").post("username", "user_good", "password", "microdeposits_good").want("SELECT_ACCOUNT")
		p = p.post("account_ids", p.account("0000")).want("NUMBERS")
		p.post(typed("021000021", "1111222233330000")...).want("CONNECTED")
		ss := s.session(token, 0)
		if got := at(ss, "results", "item_add_results", 0, "accounts", 0, "verification_status"); got != "pending_automatic_verification" {
			t.Errorf("verification is %v", got)
		}
		access, _ := s.exchange(ss)
		s.refused("/auth/get", object{"access_token": access}, 400, "PRODUCT_NOT_READY")
		s.ok("/sandbox/item/set_verification_status", object{"access_token": access, "verification_status": "automatically_verified",
			"account_id": at(ss, "results", "item_add_results", 0, "accounts", 0, "id")})
		s.ok("/auth/get", object{"access_token": access})
	})
	t.Run("automatedByTime", func(t *testing.T) {
		s := s.with(t)
		token, hosted := s.link(object{"auth": object{"automated_microdeposits_enabled": true}})
		p := s.signIn(hosted, "ins_109512").post("username", "user_good", "password", "microdeposits_good")
		p = p.post("account_ids", p.account("0000"))
		p.post(typed("021000021", "1111222233330000")...).want("CONNECTED")
		access, _ := s.exchange(s.session(token, 0))
		s.clock.add(25 * time.Hour)
		auth := s.ok("/auth/get", object{"access_token": access})
		if got := at(auth, "accounts", 0, "verification_status"); got != "automatically_verified" {
			t.Errorf("verification is %v", got)
		}
	})
}

func manual(routing, account string) []string {
	return []string{"account_holder_name", "John Smith", "account_type", "savings", "routing_number", routing, "account_number", account,
		"account_number_confirm", account}
}

func TestLinkSameDayMicroDeposit(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	begin := func(s *sim) (string, object) {
		token, hosted := s.link(object{"auth": object{"same_day_microdeposits_enabled": true}})
		p := open(t, hosted).post("continue", "1").post("manual", "1").want("NUMBERS")
		p = p.post(manual("110000000", "1111222233330000")...).want("SAME_DAY_MICRODEPOSIT_AUTHORIZED")
		p.post("continue", "1").want("CONNECTED")
		ss := s.session(token, 0)
		access, _ := s.exchange(ss)
		return access, ss
	}
	update := func(s *sim, access string) (string, *pane) {
		token, hosted := s.link(object{"access_token": access, "products": nil})
		return token, open(s.t, hosted)
	}
	t.Run("code", func(t *testing.T) {
		s := s.with(t)
		access, ss := begin(s)
		if at(ss, "results", "item_add_results", 0, "institution") != nil {
			t.Error("a numbers-only Item has an institution")
		}
		s.refused("/auth/get", object{"access_token": access}, 400, "PRODUCT_NOT_READY")
		s.refused("/accounts/balance/get", object{"access_token": access}, 400, "PRODUCTS_NOT_SUPPORTED")
		token, p := update(s, access)
		p.want("VERIFY_CODE").post("code", "xyz").want("VERIFY_CODE").complains().post("code", "abc").want("CONNECTED")
		if ss := s.session(token, 0); ss["exit"] != nil || len(each(at(ss, "results", "item_add_results"))) != 0 {
			t.Error("an update session does not end with empty results")
		}
		auth := s.ok("/auth/get", object{"access_token": access})
		if at(auth, "accounts", 0, "verification_status") != "manually_verified" || at(auth, "numbers", "ach", 0, "account") != "1111222233330000" {
			t.Error("the verified account is not shown")
		}
		if _, p := update(s, access); p.name != "CONNECTED" {
			t.Errorf("an update of a verified Item shows %s", p.name)
		}
	})
	t.Run("locked", func(t *testing.T) {
		s := s.with(t)
		access, _ := begin(s)
		token, p := update(s, access)
		p.post("code", "aaa").post("code", "bbb").post("code", "ccc").want("ERROR").complains().post("exit", "1").want("EXIT")
		if got := at(s.session(token, 0), "exit", "error", "error_code"); got != "TOO_MANY_VERIFICATION_ATTEMPTS" {
			t.Errorf("exit carries %v", got)
		}
		if got := at(s.ok("/accounts/get", object{"access_token": access}), "accounts", 0, "verification_status"); got != "verification_failed" {
			t.Errorf("verification is %v", got)
		}
		s.refused("/auth/get", object{"access_token": access}, 400, "NO_AUTH_ACCOUNTS")
	})
}

func TestLinkInstantMicroDeposit(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, hosted := s.link(object{"auth": object{"instant_microdeposits_enabled": true}})
	p := s.signIn(hosted, "ins_135858").want("NUMBERS").post(manual("333333334", "1111222233330000")...)
	p.want("INSTANT_MICRODEPOSIT_AUTHORIZED").post("code", "ABD").complains().post("code", "ABC").want("CONNECTED")
	access, _ := s.exchange(s.session(token, 0))
	auth := s.ok("/auth/get", object{"access_token": access})
	if at(auth, "accounts", 0, "verification_status") != "manually_verified" || at(auth, "accounts", 0, "subtype") != "savings" {
		t.Errorf("account is %v", at(auth, "accounts", 0))
	}
}

// The user can give the deposit's code at once, has three tries across updates and restarts, and is then locked out.
func TestLinkSameDayTriesAreKept(t *testing.T) {
	t.Parallel()
	store := &memory{}
	s := start(t, plaidsim.Options{Store: store})
	token, hosted := s.link(object{"auth": object{"same_day_microdeposits_enabled": true}})
	p := open(t, hosted).post("continue", "1").post("manual", "1")
	p.post(manual("110000000", "1111222233330000")...).post("continue", "1").want("CONNECTED")
	access, item := s.exchange(s.session(token, 0))
	status := func(want string) {
		t.Helper()
		if got := at(s.ok("/accounts/get", object{"access_token": access}), "accounts", 0, "verification_status"); got != want {
			t.Fatalf("verification is %v, want %s", got, want)
		}
	}
	status("pending_manual_verification")
	s.clock.add(60 * 24 * time.Hour) // a code does not expire
	for i, pane := range []string{"VERIFY_CODE", "VERIFY_CODE", "ERROR"} {
		store = store.snapshot()
		again := start(t, plaidsim.Options{Store: store, Clock: s.clock.now})
		again.clock, s = s.clock, again
		_, hosted := s.link(object{"access_token": access, "products": nil})
		open(t, hosted).want("VERIFY_CODE").post("code", "XY"+string(rune('A'+i))).want(pane).complains()
	}
	status("verification_failed")
	_, hosted = s.link(object{"access_token": access, "products": nil})
	open(t, hosted).want("ERROR").complains()
	s.refused("/auth/get", object{"access_token": access}, 400, "NO_AUTH_ACCOUNTS")
	if err := s.server.ApplyEvent(plaidsim.Event{Kind: "login_required", Item: item}); err == nil {
		t.Error("an Item without a login needs one")
	}
	s.ok("/item/remove", object{"access_token": access})
}
