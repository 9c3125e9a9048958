package plaidsim

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// formPost is one posted form and the session that it changes.
type formPost struct {
	s    *Server
	lt   *linkToken
	ss   *session
	form url.Values
	now  time.Time
}

func (w *formPost) pressed(name string) bool { return w.form.Get(name) != "" }

// formHandlers has each pane's handler of a posted form.
var formHandlers = map[string]func(*formPost){
	"CONSENT":                          (*formPost).consent,
	"SUBMIT_PHONE":                     (*formPost).submitPhone,
	"VERIFY_PHONE":                     (*formPost).verifyPhone,
	"SELECT_AUTH_TYPE":                 (*formPost).selectAuthType,
	"SELECT_INSTITUTION":               (*formPost).selectInstitution,
	"CREDENTIAL":                       (*formPost).credential,
	"OAUTH":                            (*formPost).oauth,
	"OAUTH_LOGIN":                      (*formPost).oauthLogin,
	"RECAPTCHA":                        (*formPost).recaptcha,
	"MFA":                              (*formPost).mfa,
	"SELECT_ACCOUNT":                   (*formPost).selectAccount,
	"NUMBERS":                          (*formPost).numbers,
	"SAME_DAY_MICRODEPOSIT_AUTHORIZED": (*formPost).authorizeDeposit,
	"INSTANT_MICRODEPOSIT_AUTHORIZED":  (*formPost).instantCode,
	"VERIFY_CODE":                      (*formPost).verifyCode,
	"ERROR":                            (*formPost).retry,
}

// openSession opens a session: at the consent pane, or in update mode at the pane where the update begins.
func (s *Server) openSession(lt *linkToken, now time.Time) *session {
	ss := &session{ID: s.ids.uuid("session"), Started: now}
	lt.Sessions = append(lt.Sessions, ss)
	if s.opt.Switches.JunkSession {
		junk := &session{ID: s.ids.uuid("session"), Started: now, Pane: "CONSENT", Junk: true}
		s.emit(junk, now, "OPEN", "view_name", "CONSENT")
		lt.Sessions = append(lt.Sessions, junk)
	}
	w := &formPost{s: s, lt: lt, ss: ss, now: now}
	if lt.Request.update() {
		s.emit(ss, now, "OPEN")
		w.openUpdate()
		return ss
	}
	ss.Pane = "CONSENT"
	s.emit(ss, now, "OPEN", "view_name", "CONSENT")
	return ss
}

// openUpdate begins at the login of the Item's bank, or at the code of a micro-deposit that waits for one.
func (w *formPost) openUpdate() {
	it := w.s.st.Items[w.lt.Request.Item]
	if it == nil || it.Removed {
		w.s.fail(w.ss, w.now, exitError("INVALID_LINK_TOKEN"), false)
		return
	}
	w.ss.Item, w.ss.Bank, w.ss.Chosen = it.ID, it.Institution, slices.Clone(it.Chosen)
	if it.Manual == nil {
		w.toSignIn()
		return
	}
	switch it.Verification[it.Manual.Mask].Status {
	case "pending_manual_verification":
		w.s.show(w.ss, w.now, "VERIFY_CODE")
	case "verification_failed":
		w.s.fail(w.ss, w.now, exitError("TOO_MANY_VERIFICATION_ATTEMPTS"), false)
	case "verification_expired":
		w.s.fail(w.ss, w.now, exitError("VERIFICATION_EXPIRED"), false)
	default:
		w.s.finish(w.lt, w.ss, it, w.now)
	}
}

func (w *formPost) consent() {
	if w.s.opt.Switches.PhoneStep {
		w.s.show(w.ss, w.now, "SUBMIT_PHONE")
		return
	}
	w.toBanks()
}

// toBanks goes on to the choice of a bank, or of a way to verify.
func (w *formPost) toBanks() {
	if w.lt.Request.manual() && w.lt.Request.Auth.SelectType {
		w.s.show(w.ss, w.now, "SELECT_AUTH_TYPE")
		return
	}
	w.s.show(w.ss, w.now, "SELECT_INSTITUTION")
}

func (w *formPost) selectAuthType() {
	manual := w.form.Get("auth_type") == "manual"
	selection := "flow_type_instant"
	if manual {
		selection = "flow_type_manual"
	}
	w.s.emit(w.ss, w.now, "SELECT_AUTH_TYPE", "selection", selection)
	if manual {
		w.toManual()
		return
	}
	w.s.show(w.ss, w.now, "SELECT_INSTITUTION")
}

func (w *formPost) selectInstitution() {
	w.ss.Query = strings.TrimSpace(clip(w.form.Get("q"), 100))
	id := w.form.Get("institution_id")
	switch {
	case w.pressed("manual") && w.lt.Request.manual():
		w.toManual()
	case id != "":
		w.choose(findBank(id))
	default:
		w.ss.Problem, w.ss.Notice = "", ""
		w.s.emit(w.ss, w.now, "SEARCH_INSTITUTION", "institution_search_query", w.ss.Query)
	}
}

func clip(text string, max int) string {
	if len(text) > max {
		return strings.ToValidUTF8(text[:max], "")
	}
	return text
}

func (w *formPost) choose(b *bank) {
	if b == nil || !b.in(w.lt.Request.Countries) {
		w.ss.Notice = "Choose a bank from the list."
		return
	}
	w.ss.Bank, w.ss.LastErr = b.id, ""
	if b.loginErrorCode != "" {
		w.s.emit(w.ss, w.now, "SELECT_DOWN_INSTITUTION")
		w.s.fail(w.ss, w.now, loginError(b.loginErrorCode), false)
		return
	}
	chosen := "SELECT_INSTITUTION"
	if b.degraded {
		chosen = "SELECT_DEGRADED_INSTITUTION"
	}
	w.s.emit(w.ss, w.now, chosen)
	switch {
	case !b.supports(w.lt.Request.Products):
		w.s.fail(w.ss, w.now, exitError("PRODUCTS_NOT_SUPPORTED"), false)
	case b.flow == "instant" && w.lt.Request.Auth.Instant && w.lt.Request.manual():
		w.toManual()
	default:
		w.toSignIn()
	}
}

// toSignIn shows the bank's own page for OAuth banks, else the pane for credentials.
func (w *formPost) toSignIn() {
	pane := "CREDENTIAL"
	if b := findBank(w.ss.Bank); b != nil && b.oauth {
		pane = "OAUTH"
	}
	w.s.show(w.ss, w.now, pane)
}

func (w *formPost) toManual() {
	w.ss.Method = "same_day"
	w.s.show(w.ss, w.now, "NUMBERS")
}

func (w *formPost) credential() {
	if w.pressed("back") {
		w.back()
		return
	}
	w.s.emit(w.ss, w.now, "SUBMIT_CREDENTIALS")
	w.signIn()
}

func (w *formPost) back() {
	if w.lt.Request.update() {
		return
	}
	w.ss.Bank, w.ss.Method = "", ""
	w.s.show(w.ss, w.now, "SELECT_INSTITUTION")
}

func (w *formPost) oauth() {
	if w.pressed("back") {
		w.back()
		return
	}
	w.s.emit(w.ss, w.now, "OPEN_OAUTH")
	w.s.show(w.ss, w.now, "OAUTH_LOGIN")
}

func (w *formPost) oauthLogin() {
	if w.pressed("deny") {
		w.s.emit(w.ss, w.now, "FAIL_OAUTH")
		w.s.fail(w.ss, w.now, exitError("ACCESS_NOT_GRANTED"), false)
		return
	}
	w.s.emit(w.ss, w.now, "CLOSE_OAUTH")
	w.signIn()
}

const maxBadLogins = 10

// signIn checks the posted user name and password.
func (w *formPost) signIn() {
	given := login{strings.TrimSpace(clip(w.form.Get("username"), 200)), clip(w.form.Get("password"), maxCustomText+1)}
	if given.user == "" || given.password == "" {
		w.ss.Problem, w.ss.Notice = "", "Enter the user name and the password."
		return
	}
	w.ss.User = given.user
	b := findBank(w.ss.Bank)
	outcome := tryLogin(b, given)
	if err := outcome.err; err != nil {
		w.ss.Notice = ""
		w.ss.Tries++
		if w.ss.Tries >= maxBadLogins {
			w.lt.Expires = w.now
		}
		w.s.fail(w.ss, w.now, err, err.code == "INVALID_CREDENTIALS")
		return
	}
	if it := w.s.st.Items[w.lt.Request.Item]; it != nil {
		switch {
		case it.User != given.user:
			w.s.fail(w.ss, w.now, exitError("INVALID_UPDATED_USERNAME"), true)
			return
		case w.now.Before(it.DownUntil):
			w.s.fail(w.ss, w.now, loginError("INSTITUTION_DOWN"), false)
			return
		}
	}
	w.ss.Custom, w.ss.MFA, w.ss.Round, w.ss.Device = outcome.custom, outcome.mfa, 0, false
	w.ss.Method = numbersMethod(b, given)
	w.s.emit(w.ss, w.now, "TRANSITION_VIEW", "view_name", "LOADING")
	if outcome.recaptcha != "" {
		w.s.show(w.ss, w.now, "RECAPTCHA")
		w.ss.Device = outcome.recaptcha == "good"
		return
	}
	w.afterLogin()
}

// numbersMethod is the numbers flow that follows the choice of accounts.
func numbersMethod(b *bank, l login) string {
	switch {
	case b.flow != "match":
		return ""
	case l.password == "microdeposits_good":
		return "automated"
	}
	return "match"
}

func (w *formPost) recaptcha() {
	good := w.ss.Device
	w.ss.Device = false
	if !good || !w.pressed("not_a_robot") {
		w.s.fail(w.ss, w.now, exitError("RECAPTCHA_BAD"), false)
		return
	}
	w.afterLogin()
}

func (w *formPost) afterLogin() {
	if w.ss.MFA.Kind != "" {
		w.s.show(w.ss, w.now, "MFA")
		return
	}
	w.loggedIn()
}

func (w *formPost) retry() {
	if w.ss.LastErr == "INVALID_LINK_TOKEN" || w.ss.LastErr == "TOO_MANY_VERIFICATION_ATTEMPTS" || w.ss.LastErr == "VERIFICATION_EXPIRED" {
		return
	}
	if w.lt.Request.update() {
		w.openUpdate()
		return
	}
	w.ss.Bank, w.ss.Method = "", ""
	w.s.show(w.ss, w.now, "SELECT_INSTITUTION")
}
