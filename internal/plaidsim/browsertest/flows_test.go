package browsertest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

type object = map[string]any

func (s *simulator) post(path string, body object) object {
	s.t.Helper()
	body["client_id"], body["secret"] = "client", "secret"
	raw, err := json.Marshal(body)
	if err != nil {
		s.t.Fatal(err)
	}
	resp, err := http.Post(s.url+path, "application/json", bytes.NewReader(raw))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	var out object
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: status %d, code %v, %v", path, resp.StatusCode, out["error_code"], err)
	}
	return out
}

func (s *simulator) link(extra object) (token, hosted string) {
	s.t.Helper()
	body := object{"client_name": "Bank Control", "language": "en", "country_codes": []string{"US"}, "products": []string{"auth"},
		"additional_consented_products": []string{"identity", "transactions"}, "user": object{"client_user_id": "employee-1"}, "hosted_link": object{}}
	for k, v := range extra {
		body[k] = v
		if v == nil {
			delete(body, k)
		}
	}
	got := s.post("/link/token/create", body)
	return got["link_token"].(string), got["hosted_link_url"].(string)
}

func (s *simulator) session(token string) object {
	s.t.Helper()
	sessions, _ := s.post("/link/token/get", object{"link_token": token})["link_sessions"].([]any)
	if len(sessions) != 1 {
		s.t.Fatalf("%d sessions", len(sessions))
	}
	return sessions[0].(object)
}

// exchange checks that the session has one Item and returns its token.
func (s *simulator) exchange(token string) string {
	s.t.Helper()
	results, _ := s.session(token)["results"].(object)
	added, _ := results["item_add_results"].([]any)
	if len(added) != 1 {
		s.t.Fatalf("%d items were added", len(added))
	}
	return s.post("/item/public_token/exchange", object{"public_token": added[0].(object)["public_token"]})["access_token"].(string)
}

func (b *tab) toBank(id string) *tab {
	b.t.Helper()
	return b.want("CONSENT").press("continue", "1").want("SELECT_INSTITUTION").press("institution_id", id)
}

func (b *tab) signIn(password string) *tab {
	b.t.Helper()
	return b.fill("username", "user_good").fill("password", password)
}

func TestSuccess(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	token, hosted := s.link(nil)
	b := openTab(t, s, hosted, 1024, 800)
	b.want("CONSENT").press("continue", "1").want("SELECT_INSTITUTION")
	b.fill("q", "gingham").press("search", "1").run(chromedp.WaitVisible(`ul[aria-label="Banks found"]`, chromedp.ByQuery))
	b.inspect("SEARCH")
	b.press("institution_id", "ins_109509")
	b.want("CREDENTIAL").signIn("pass_good").press("submit", "1").want("SELECT_ACCOUNT").pick("0000").pick("9002").press("submit", "1").want("CONNECTED")
	s.exchange(token)
}

// TestKeyboard links an account without the mouse; Enter in a field submits
// and never leaves.
func TestKeyboard(t *testing.T) { // alone, for the keyboard has one focus
	s := startSim(t)
	token, hosted := s.link(nil)
	b := openTab(t, s, hosted, 1024, 800)
	b.want("CONSENT").run(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Enter))
	b.want("SELECT_INSTITUTION").fill("q", "tartan"+kb.Enter)
	b.run(chromedp.WaitVisible(`ul[aria-label="Banks found"]`, chromedp.ByQuery))
	b.run(chromedp.Focus(`button[name=institution_id]`, chromedp.ByQuery), chromedp.KeyEvent(kb.Enter))
	b.want("CREDENTIAL").fill("username", "user_good").fill("password", "pass_good"+kb.Enter)
	b.want("SELECT_ACCOUNT").run(chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(" "), chromedp.KeyEvent(kb.Enter))
	b.want("CONNECTED")
	s.exchange(token)
}

func TestMFA(t *testing.T) {
	t.Parallel()
	for password, answers := range map[string][][2]string{
		"mfa_device":           {{"mfa_device", "Text message to xxx-xxx-5309"}, {"mfa_code", "1234"}},
		"mfa_questions_1_2":    {{"mfa_answer_0", "answer_0_0"}, {"mfa_answer_1", "answer_0_1"}},
		"mfa_selections_1_1_3": {{"mfa_answer_0", "answer_0_0_0"}},
	} {
		t.Run(password, func(t *testing.T) {
			s := startSim(t)
			token, hosted := s.link(nil)
			b := openTab(t, s, hosted, 1024, 800)
			b.toBank("ins_109508").want("CREDENTIAL").signIn(password).press("submit", "1").want("MFA")
			b.press("submit", "1").complains("MFA")
			for _, a := range answers {
				if strings.HasPrefix(password, "mfa_questions") || a[0] == "mfa_code" {
					b.fill(a[0], a[1])
				} else {
					b.choose(a[0], a[1])
				}
				if a[0] == "mfa_device" {
					b.press("submit", "1").run(chromedp.WaitVisible(`[name=mfa_code]`, chromedp.ByQuery))
				}
			}
			b.press("submit", "1").want("SELECT_ACCOUNT").pick("0000").press("submit", "1").want("CONNECTED")
			s.exchange(token)
		})
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	token, hosted := s.link(nil)
	b := openTab(t, s, hosted, 1024, 800)
	b.toBank("ins_109508").want("CREDENTIAL").signIn("wrong").press("submit", "1").complains("CREDENTIAL")
	b.signIn("error_ITEM_LOCKED").press("submit", "1").want("ERROR").press("retry", "1").want("SELECT_INSTITUTION").press("institution_id", "ins_109508")
	b.want("CREDENTIAL").signIn("pass_good").press("submit", "1").want("SELECT_ACCOUNT").press("submit", "1").complains("SELECT_ACCOUNT")
	b.pick("1111").press("submit", "1").want("CONNECTED")
	s.exchange(token)
}

func TestOAuth(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	token, hosted := s.link(nil)
	b := openTab(t, s, hosted, 1024, 800)
	b.toBank("ins_127287").want("OAUTH").press("continue", "1").want("OAUTH_LOGIN").signIn("pass_good").press("allow", "1")
	b.want("SELECT_ACCOUNT").pick("0000").press("submit", "1").want("CONNECTED")
	s.exchange(token)
}

// TestPhone goes through the phone step, once mistaken and once skipped.
func TestPhone(t *testing.T) {
	t.Parallel()
	s := startSimAs(t, plaidsim.Switches{PhoneStep: true, JunkSession: true})
	for _, skip := range []bool{false, true} {
		token, hosted := s.link(nil)
		b := openTab(t, s, hosted, 320, 640)
		b.want("CONSENT").press("continue", "1").want("SUBMIT_PHONE")
		if skip {
			b.press("skip", "1")
		} else {
			b.fill("phone_number", "12").press("submit", "1").complains("SUBMIT_PHONE").fill("phone_number", "415-555-0010").press("submit", "1")
			b.want("VERIFY_PHONE").fill("otp", "1").press("submit", "1").complains("VERIFY_PHONE").fill("otp", "123456").press("submit", "1")
		}
		b.want("SELECT_INSTITUTION").press("institution_id", "ins_109508").want("CREDENTIAL").signIn("pass_good").press("submit", "1")
		b.want("SELECT_ACCOUNT").pick("0000").press("submit", "1").want("CONNECTED")
		sessions, _ := s.post("/link/token/get", object{"link_token": token})["link_sessions"].([]any)
		if len(sessions) != 2 || sessions[0].(object)["results"] == nil {
			t.Errorf("%d sessions, want the one that was finished and a junk one", len(sessions))
		}
	}
}

func (b *tab) typeNumbers(routing string) *tab {
	b.t.Helper()
	return b.want("NUMBERS").fill("account_holder_name", "John Smith").choose("account_type", "checking").fill("routing_number", routing).
		fill("account_number", "1111222233330000").fill("account_number_confirm", "1111222233330000").press("submit", "1")
}

func TestSameDayMicroDeposit(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	token, hosted := s.link(object{"auth": object{"same_day_microdeposits_enabled": true, "auth_type_select_enabled": true}, "additional_consented_products": nil})
	b := openTab(t, s, hosted, 1024, 800)
	b.want("CONSENT").press("continue", "1").want("SELECT_AUTH_TYPE").press("auth_type", "manual")
	b.want("NUMBERS").press("submit", "1").complains("NUMBERS").typeNumbers("110000000")
	b.want("SAME_DAY_MICRODEPOSIT_AUTHORIZED").press("continue", "1").want("CONNECTED")
	access := s.exchange(token)
	_, hosted = s.link(object{"access_token": access, "products": nil, "additional_consented_products": nil})
	b = openTab(t, s, hosted, 1024, 800)
	b.want("VERIFY_CODE").fill("code", "xyz").press("submit", "1").complains("VERIFY_CODE").fill("code", "abc").press("submit", "1").want("CONNECTED")
}

func TestInstantMicroDeposit(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	token, hosted := s.link(object{"auth": object{"instant_microdeposits_enabled": true}})
	b := openTab(t, s, hosted, 1024, 800)
	b.toBank("ins_135858").typeNumbers("333333334").want("INSTANT_MICRODEPOSIT_AUTHORIZED").fill("code", "abc").press("submit", "1").want("CONNECTED")
	s.exchange(token)
}

func TestInstantMatch(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	token, hosted := s.link(nil)
	b := openTab(t, s, hosted, 1024, 800)
	b.toBank("ins_109512").want("CREDENTIAL").signIn("pass_good").press("submit", "1").want("SELECT_ACCOUNT").pick("1111").press("submit", "1")
	b.want("NUMBERS").fill("routing_number", "021000021").fill("account_number", "1111222233331111").fill("account_number_confirm", "1111222233331111").
		press("submit", "1").want("CONNECTED")
	s.exchange(token)
}

func TestExit(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	token, hosted := s.link(nil)
	b := openTab(t, s, hosted, 1024, 800)
	b.want("CONSENT").press("continue", "1").want("SELECT_INSTITUTION").fill("q", "zzz").press("search", "1")
	b.run(chromedp.WaitVisible(`[role=status]`, chromedp.ByQuery))
	b.inspect("NO_BANK")
	b.press("exit", "1").want("EXIT")
	if s.session(token)["exit"] == nil {
		t.Error("the session has no exit")
	}
}

// TestCompletion leaves for the caller's own address at the end; the page's
// content security policy must let the form go there.
func TestCompletion(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	home := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = w.Write([]byte(`<!doctype html><title>home</title><p id="home">home</p>`))
	}))
	t.Cleanup(home.Close)
	for _, end := range []string{"success", "exit"} {
		t.Run(end, func(t *testing.T) {
			_, hosted := s.link(object{"hosted_link": object{"completion_redirect_uri": home.URL + "/done"}})
			b := openTab(t, s, hosted, 1024, 800)
			if end == "exit" {
				b.want("CONSENT").press("exit", "1")
			} else {
				b.toBank("ins_109508").want("CREDENTIAL").signIn("pass_good").press("submit", "1").want("SELECT_ACCOUNT").pick("0000").
					press("submit", "1").want("CONNECTED").press("finish", "1")
			}
			b.run(chromedp.WaitVisible("#home", chromedp.ByQuery))
		})
	}
}

func TestNarrow(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"light", "dark"} {
		t.Run(mode, func(t *testing.T) {
			s := startSim(t)
			token, hosted := s.link(object{"auth": object{"same_day_microdeposits_enabled": true}})
			b := openTab(t, s, hosted, 320, 640)
			b.run(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode}}), chromedp.Reload())
			b.want("CONSENT").press("continue", "1").want("SELECT_INSTITUTION").press("manual", "1").want("NUMBERS").press("back", "1")
			b.want("SELECT_INSTITUTION").press("institution_id", "ins_127287").want("OAUTH").press("continue", "1").want("OAUTH_LOGIN")
			b.press("deny", "1").want("ERROR").press("retry", "1").want("SELECT_INSTITUTION").press("institution_id", "ins_109508")
			b.want("CREDENTIAL").signIn("nope").press("submit", "1").complains("CREDENTIAL")
			b.signIn("mfa_selections").press("submit", "1").want("MFA").choose("mfa_answer_0", "Yes").press("submit", "1")
			b.want("SELECT_ACCOUNT").pick("0000").press("submit", "1").want("CONNECTED")
			s.exchange(token)
		})
	}
}

func TestLostLink(t *testing.T) {
	t.Parallel()
	s := startSim(t)
	b := openTab(t, s, s.url+"/hl/", 320, 640)
	b.run(chromedp.WaitVisible(`form[data-pane="ERROR"]`, chromedp.ByQuery))
	b.picture("LOST")
}
