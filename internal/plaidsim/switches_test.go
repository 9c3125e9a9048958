package plaidsim_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
)

func TestSwitches(t *testing.T) {
	t.Parallel()
	t.Run("syncNotReady", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{SyncNotReadyError: true}})
		access, _ := s.item("ins_109508", "user_good", "transactions")
		s.refused("/transactions/sync", object{"access_token": access}, 400, "PRODUCT_NOT_READY")
	})
	t.Run("closeAbandoned", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{CloseAbandoned: true, LegacyOnSuccess: true}})
		token, hosted := s.link(nil)
		open(t, hosted).want("CONSENT")
		s.clock.add(time.Hour)
		if ss := s.session(token, 0); ss["finished_at"] == nil || ss["exit"] == nil || ss["on_exit"] == nil {
			t.Error("an abandoned session is still open")
		}
	})
	t.Run("fieldsFirst", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{FieldsFirst: true}})
		_, out := s.send("/item/get", `{"client_id":"c","secret":""}`, map[string]string{"Content-Type": "application/json"})
		if out["error_code"] != "MISSING_FIELDS" {
			t.Errorf("code is %v", out["error_code"])
		}
	})
	t.Run("keepSessions", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{KeepSessions: true}})
		token, hosted := s.link(nil)
		open(t, hosted).post("exit", "1").want("EXIT")
		s.clock.add(10 * time.Hour)
		s.session(token, 0)
	})
	t.Run("onSuccess", func(t *testing.T) {
		s := start(t, plaidsim.Options{Switches: plaidsim.Switches{LegacyOnSuccess: true}})
		token, hosted := s.link(nil)
		p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
		p.post("account_ids", p.account("0000")).want("CONNECTED")
		ss := s.session(token, 0)
		if at(ss, "on_success", "public_token") != at(ss, "results", "item_add_results", 0, "public_token") {
			t.Error("on_success and results differ")
		}
	})
	t.Run("production", func(t *testing.T) {
		s := start(t, plaidsim.Options{Limits: plaidsim.LimitsProduction, Switches: plaidsim.Switches{Production: true}})
		s.refused("/sandbox/public_token/create", object{"institution_id": "ins_109508", "initial_products": []string{"auth"}}, 400, "SANDBOX_ONLY")
		_, hosted := s.link(nil)
		p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
		p.post("account_ids", p.account("0000")).want("CONNECTED")
		if again := open(t, hosted); again.name != "ERROR" || again.status != http.StatusGone {
			t.Error("a production link token is good twice")
		}
	})
}
