package plaidsim_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/google/go-cmp/cmp"
)

func eventNames(session object) []string {
	var out []string
	for _, e := range slices.Backward(each(session["events"])) {
		name := e["event_name"].(string)
		if name == "TRANSITION_VIEW" {
			name = "TV " + at(e, "event_metadata", "view_name").(string)
		}
		out = append(out, name)
	}
	return out
}

func TestLinkEvents(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, hosted := s.link(nil)
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
	p.post("account_ids", p.account("0000")).want("CONNECTED")
	want := []string{"OPEN", "TV SELECT_INSTITUTION", "SELECT_INSTITUTION", "TV CREDENTIAL", "SUBMIT_CREDENTIALS", "TV LOADING",
		"TV SELECT_ACCOUNT", "TV LOADING", "TV CONNECTED", "HANDOFF"}
	if diff := cmp.Diff(want, eventNames(s.session(token, 0))); diff != "" {
		t.Error(diff)
	}
}

func TestLinkDegradedBank(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, hosted := s.link(nil)
	s.signIn(hosted, "ins_132363").want("CREDENTIAL")
	if names := eventNames(s.session(token, 0)); !slices.Contains(names, "SELECT_DEGRADED_INSTITUTION") {
		t.Errorf("events are %v", names)
	}
}

func TestLinkMFA(t *testing.T) {
	t.Parallel()
	tests := []struct {
		password, mfa string
		wrong, right  [][]string
	}{
		{"mfa_device", "device", [][]string{{"mfa_device", "Text message to xxx-xxx-5309"}, {"mfa_code", "9999"}}, [][]string{{"mfa_code", "1234"}}},
		{"mfa_questions_2_2", "questions", [][]string{{"mfa_answer_0", "x", "mfa_answer_1", "y"}},
			[][]string{{"mfa_answer_0", "answer_0_0", "mfa_answer_1", "answer_0_1"}, {"mfa_answer_0", "answer_1_0", "mfa_answer_1", "answer_1_1"}}},
		{"mfa_selections", "selections", [][]string{{"mfa_answer_0", "No"}}, [][]string{{"mfa_answer_0", "Yes"}}},
		{"mfa_selections_1_2_3", "selections", [][]string{{"mfa_answer_0", "answer_0_0_1", "mfa_answer_1", "answer_0_1_0"}},
			[][]string{{"mfa_answer_0", "answer_0_0_0", "mfa_answer_1", "answer_0_1_0"}}},
	}
	s := start(t, plaidsim.Options{})
	for _, tt := range tests {
		t.Run(tt.password, func(t *testing.T) {
			s := s.with(t)
			_, hosted := s.link(nil)
			p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", tt.password).want("MFA")
			if p.mfa != tt.mfa {
				t.Errorf("mfa is %s, want %s", p.mfa, tt.mfa)
			}
			for _, answer := range tt.wrong {
				p = p.post(answer...).want("MFA")
			}
			p.complains()
			for _, answer := range tt.right {
				p = p.want("MFA").post(answer...)
			}
			p.want("SELECT_ACCOUNT")
		})
	}
}

func TestLinkWrongPassword(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, hosted := s.link(nil)
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "nope").want("CREDENTIAL").complains()
	if strings.Contains(p.html, "nope") {
		t.Error("the page repeats the password")
	}
	p = p.post("username", "user_good", "password", "pass_good").want("SELECT_ACCOUNT")
	p.post("account_ids", p.account("1111")).want("CONNECTED")
	if ss := s.session(token, 0); ss["exit"] != nil {
		t.Error("a session that succeeded has an exit")
	}
}

func TestLinkErrorPasswords(t *testing.T) {
	t.Parallel()
	codes := []string{"COUNTRY_NOT_SUPPORTED", "INSTITUTION_DOWN", "INSTITUTION_NOT_RESPONDING", "INSTITUTION_NO_LONGER_SUPPORTED",
		"INSUFFICIENT_CREDENTIALS", "INTERNAL_SERVER_ERROR", "INVALID_MFA", "INVALID_SEND_METHOD", "ITEM_LOCKED", "ITEM_NOT_SUPPORTED",
		"MFA_NOT_SUPPORTED", "NO_ACCOUNTS", "PAYMENT_INVALID_RECIPIENT", "USER_INPUT_TIMEOUT", "USER_SETUP_REQUIRED"}
	s := start(t, plaidsim.Options{})
	for _, code := range codes {
		t.Run(code, func(t *testing.T) {
			s := s.with(t)
			token, hosted := s.link(nil)
			p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "error_"+code).want("ERROR").complains()
			p.post("exit", "1").want("EXIT")
			if got := at(s.session(token, 0), "exit", "error", "error_code"); got != code {
				t.Errorf("exit carries %v", got)
			}
		})
	}
}

func TestLinkExit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, status string
		walk         func(*sim, string) *pane
	}{
		{"consent", "requires_credentials", func(s *sim, u string) *pane { return open(s.t, u).want("CONSENT") }},
		{"credentials", "requires_credentials", func(s *sim, u string) *pane { return s.signIn(u, "ins_109508").want("CREDENTIAL") }},
		{"oauth", "requires_oauth", func(s *sim, u string) *pane { return s.signIn(u, "ins_127287").want("OAUTH") }},
		{"device", "choose_device", func(s *sim, u string) *pane {
			return s.signIn(u, "ins_109508").post("username", "user_good", "password", "mfa_device").want("MFA")
		}},
		{"questions", "requires_questions", func(s *sim, u string) *pane {
			return s.signIn(u, "ins_109508").post("username", "user_good", "password", "mfa_questions_1_1").want("MFA")
		}},
		{"selections", "requires_selections", func(s *sim, u string) *pane {
			return s.signIn(u, "ins_109508").post("username", "user_good", "password", "mfa_selections").want("MFA")
		}},
		{"accounts", "requires_account_selection", func(s *sim, u string) *pane {
			return s.signIn(u, "ins_109508").post("username", "user_good", "password", "pass_good").want("SELECT_ACCOUNT")
		}},
		{"notfound", "institution_not_found", func(s *sim, u string) *pane {
			return open(s.t, u).post("continue", "1").post("q", "no such bank", "search", "1").want("SELECT_INSTITUTION")
		}},
		{"unsupported", "institution_not_supported", func(s *sim, u string) *pane { return s.signIn(u, "ins_133402").want("ERROR") }},
	}
	s := start(t, plaidsim.Options{})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := s.with(t)
			token, hosted := s.link(nil)
			tt.walk(s, hosted).post("exit", "1").want("EXIT")
			ss := s.session(token, 0)
			if got := at(ss, "exit", "metadata", "status"); got != tt.status {
				t.Errorf("status is %v, want %s", got, tt.status)
			}
			if ss["finished_at"] == nil || ss["results"] != nil {
				t.Errorf("finished_at %v, results %v", ss["finished_at"], ss["results"])
			}
			open(t, hosted).want("CONSENT")
			if got := s.session(token, 1)["finished_at"]; got != nil {
				t.Error("opening the URL again did not start a new session")
			}
		})
	}
}

func TestLinkCompletionRedirect(t *testing.T) {
	t.Parallel()
	const back = "http://127.0.0.1:9/done?x=1"
	s := start(t, plaidsim.Options{})
	extra := object{"hosted_link": object{"completion_redirect_uri": back}}
	_, hosted := s.link(extra)
	if _, away := open(t, hosted).submit("exit", "1"); away != back {
		t.Errorf("an exit goes to %q", away)
	}
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
	p = p.post("account_ids", p.account("0000")).want("CONNECTED")
	if _, away := p.submit("finish", "1"); away != back {
		t.Errorf("success goes to %q", away)
	}
}

func TestLinkOAuth(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, hosted := s.link(nil)
	p := s.signIn(hosted, "ins_127287").want("OAUTH").post("continue", "1").want("OAUTH_LOGIN")
	p = p.post("deny", "1").want("ERROR").post("retry", "1").want("SELECT_INSTITUTION").post("institution_id", "ins_127287")
	p = p.post("continue", "1").post("username", "user_good", "password", "pass_good", "allow", "1").want("SELECT_ACCOUNT")
	p.post("account_ids", p.account("0000")).want("CONNECTED")
	ss := s.session(token, 0)
	names := eventNames(ss)
	if !slices.Contains(names, "FAIL_OAUTH") || !slices.Contains(names, "CLOSE_OAUTH") {
		t.Errorf("events are %v", names)
	}
	access, _ := s.exchange(ss)
	auth := s.ok("/auth/get", object{"access_token": access})
	ach := at(auth, "numbers", "ach", 0).(object)
	number := ach["account"].(string)
	if ach["is_tokenized_account_number"] != true || strings.HasSuffix(number, "0000") || len(number) != 16 {
		t.Error("a tokenizing bank shows the real number")
	}
	if at(auth, "accounts", 0, "mask") != "0000" || at(auth, "accounts", 0, "persistent_account_id") == nil {
		t.Error("the mask or the persistent id of a tokenized account is wrong")
	}
}

func TestLinkFilters(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	_, hosted := s.link(object{"products": []string{"transactions"}, "account_filters": object{"credit": object{"account_subtypes": []string{"all"}},
		"depository": object{"account_subtypes": []string{"hsa"}}}})
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good")
	if diff := cmp.Diff([]string{"3333", "9001", "9999"}, p.masks()); diff != "" {
		t.Error(diff)
	}
	p.post().want("SELECT_ACCOUNT").complains()
}

func TestLinkSingleAccount(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	_, hosted := s.link(object{"link_customization_name": "single"})
	p := s.signIn(hosted, "ins_109508").post("username", "user_good", "password", "pass_good").want("SELECT_ACCOUNT")
	if !strings.Contains(p.html, `type="radio"`) {
		t.Error("a single choice is not a radio")
	}
	p.post("account_ids", p.account("0000"), "account_ids", p.account("1111")).want("SELECT_ACCOUNT").complains()
}

func TestLinkExpires(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	token, hosted := s.link(object{"hosted_link": object{"url_lifetime_seconds": 60}})
	p := open(t, hosted).want("CONSENT")
	s.clock.add(61 * time.Second)
	if late := open(t, hosted); late.name != "ERROR" || late.status != http.StatusGone {
		t.Errorf("an expired URL shows %s with status %d", late.name, late.status)
	}
	if late := p.post("continue", "1"); late.name != "ERROR" || late.status != http.StatusGone {
		t.Errorf("an expired session shows %s with status %d", late.name, late.status)
	}
	if unknown := open(t, s.url+"/hl/nothing"); unknown.name != "ERROR" || unknown.status != http.StatusNotFound {
		t.Errorf("an unknown URL shows %s with status %d", unknown.name, unknown.status)
	}
	if got := s.session(token, 0)["finished_at"]; got != nil {
		t.Error("an abandoned session is finished")
	}
	s.clock.add(7 * time.Hour)
	if got := s.ok("/link/token/get", object{"link_token": token}); got["link_sessions"] != nil {
		t.Error("sessions are kept beyond six hours")
	}
}

func TestLinkCustomUser(t *testing.T) {
	t.Parallel()
	const config = `{"version":"2","override_accounts":[{"type":"depository","subtype":"checking","starting_balance":1250.5,
		"meta":{"name":"Household","mask":"4321"},"numbers":{"account":"000123456789","ach_routing":"021000021"},
		"transactions":[{"date_transacted":"2026-05-01","date_posted":"2026-05-02","amount":-900,"description":"ACME PAYROLL","currency":"USD"}],
		"identity":{"names":["Dana Example"],"phone_numbers":[],"emails":[],"addresses":[]}}]}`
	s := start(t, plaidsim.Options{Ready: plaidsim.Ready{Initial: time.Second, History: time.Second}})
	token, hosted := s.link(object{"products": []string{"auth", "transactions", "identity"}})
	p := s.signIn(hosted, "ins_109508").post("username", "user_custom", "password", config).want("SELECT_ACCOUNT")
	p.post("account_ids", p.account("4321")).want("CONNECTED")
	access, _ := s.exchange(s.session(token, 0))
	auth := s.ok("/auth/get", object{"access_token": access})
	if at(auth, "numbers", "ach", 0, "account") != "000123456789" || at(auth, "accounts", 0, "mask") != "4321" {
		t.Error("the custom numbers are not shown")
	}
	if got := at(s.ok("/identity/get", object{"access_token": access}), "accounts", 0, "owners", 0, "names", 0); got != "Dana Example" {
		t.Error("the custom owner is not shown")
	}
	s.clock.add(2 * time.Second)
	sync := s.ok("/transactions/sync", object{"access_token": access})
	if rows := each(sync["added"]); len(rows) != 1 || rows[0]["amount"] != -900.0 {
		t.Errorf("rows are %v", rows)
	}
}

func TestLinkNoEligibleAccount(t *testing.T) {
	t.Parallel()
	const config = `{"override_accounts":[{"type":"credit","subtype":"credit card","starting_balance":10,"meta":{"name":"Card","mask":"1212"}}]}`
	s := start(t, plaidsim.Options{})
	_, hosted := s.link(nil)
	s.signIn(hosted, "ins_109508").post("username", "user_custom", "password", config).want("ERROR").complains().post("retry", "1").want("SELECT_INSTITUTION")
}

func TestLinkRecaptcha(t *testing.T) {
	t.Parallel()
	s := start(t, plaidsim.Options{})
	_, hosted := s.link(nil)
	s.signIn(hosted, "ins_109508").post("username", "user_good", "password", `{"recaptcha":"good"}`).want("RECAPTCHA").
		post("not_a_robot", "1").want("SELECT_ACCOUNT")
	s.signIn(hosted, "ins_109508").post("username", "user_good", "password", `{"recaptcha":"bad"}`).want("RECAPTCHA").
		post("not_a_robot", "1").want("ERROR")
}
