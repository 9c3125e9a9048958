package plaidsim

import (
	"net/url"
	"slices"
	"strings"
	"time"
)

// walk is one posted form on its way through the session.
type walk struct {
	s    *Server
	lt   *linkToken
	ss   *session
	form url.Values
	now  time.Time
}

func (w *walk) pressed(name string) bool { return w.form.Get(name) != "" }

// steps say what a form posted on a pane does.
var steps = map[string]func(*walk){
	"CONSENT":                          (*walk).consent,
	"SELECT_AUTH_TYPE":                 (*walk).selectAuthType,
	"SELECT_INSTITUTION":               (*walk).selectInstitution,
	"CREDENTIAL":                       (*walk).credential,
	"OAUTH":                            (*walk).oauth,
	"OAUTH_LOGIN":                      (*walk).oauthLogin,
	"RECAPTCHA":                        (*walk).recaptcha,
	"MFA":                              (*walk).mfa,
	"SELECT_ACCOUNT":                   (*walk).selectAccount,
	"NUMBERS":                          (*walk).numbers,
	"SAME_DAY_MICRODEPOSIT_AUTHORIZED": (*walk).authorizeDeposit,
	"INSTANT_MICRODEPOSIT_AUTHORIZED":  (*walk).instantCode,
	"VERIFY_CODE":                      (*walk).verifyCode,
	"ERROR":                            (*walk).retry,
}

// start opens a session: consent first, or where an update begins.
func (s *Server) openSession(lt *linkToken, now time.Time) *session {
	ss := &session{ID: s.ids.uuid("session"), Started: now}
	lt.Sessions = append(lt.Sessions, ss)
	w := &walk{s: s, lt: lt, ss: ss, now: now}
	if lt.Request.update() {
		s.emit(ss, now, "OPEN")
		w.openUpdate()
		return ss
	}
	ss.Pane = "CONSENT"
	s.emit(ss, now, "OPEN", "view_name", "CONSENT")
	return ss
}

// openUpdate begins at the credentials of the Item's own bank, or at the code
// of a micro-deposit that waits for it.
func (w *walk) openUpdate() {
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

func (w *walk) consent() {
	if w.lt.Request.manual() && w.lt.Request.Auth.SelectType {
		w.s.show(w.ss, w.now, "SELECT_AUTH_TYPE")
		return
	}
	w.s.show(w.ss, w.now, "SELECT_INSTITUTION")
}

func (w *walk) selectAuthType() {
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

func (w *walk) selectInstitution() {
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

func (w *walk) choose(b *bank) {
	if b == nil || !b.in(w.lt.Request.Countries) {
		w.ss.Notice = "Choose a bank from the list."
		return
	}
	w.ss.Bank, w.ss.LastErr = b.id, ""
	if b.trouble != "" {
		w.s.emit(w.ss, w.now, "SELECT_DOWN_INSTITUTION")
		w.s.fail(w.ss, w.now, loginError(b.trouble), false)
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

// toSignIn goes to the bank's own page for OAuth banks, else asks for
// credentials.
func (w *walk) toSignIn() {
	pane := "CREDENTIAL"
	if b := findBank(w.ss.Bank); b != nil && b.oauth {
		pane = "OAUTH"
	}
	w.s.show(w.ss, w.now, pane)
}

func (w *walk) toManual() {
	w.ss.Method = "same_day"
	w.s.show(w.ss, w.now, "NUMBERS")
}

func (w *walk) credential() {
	if w.pressed("back") {
		w.back()
		return
	}
	w.s.emit(w.ss, w.now, "SUBMIT_CREDENTIALS")
	w.signIn()
}

func (w *walk) back() {
	if w.lt.Request.update() {
		return
	}
	w.ss.Bank, w.ss.Method = "", ""
	w.s.show(w.ss, w.now, "SELECT_INSTITUTION")
}

func (w *walk) oauth() {
	if w.pressed("back") {
		w.back()
		return
	}
	w.s.emit(w.ss, w.now, "OPEN_OAUTH")
	w.s.show(w.ss, w.now, "OAUTH_LOGIN")
}

func (w *walk) oauthLogin() {
	if w.pressed("deny") {
		w.s.emit(w.ss, w.now, "FAIL_OAUTH")
		w.s.fail(w.ss, w.now, exitError("ACCESS_NOT_GRANTED"), false)
		return
	}
	w.s.emit(w.ss, w.now, "CLOSE_OAUTH")
	w.signIn()
}

const maxBadLogins = 10

// signIn tries the posted user name and password.
func (w *walk) signIn() {
	given := login{strings.TrimSpace(clip(w.form.Get("username"), 200)), clip(w.form.Get("password"), maxCustom+1)}
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

// numbersMethod is the numbers flow that follows the account choice.
func numbersMethod(b *bank, l login) string {
	switch {
	case b.flow != "match":
		return ""
	case l.password == "microdeposits_good":
		return "automated"
	}
	return "match"
}

func (w *walk) recaptcha() {
	good := w.ss.Device
	w.ss.Device = false
	if !good || !w.pressed("not_a_robot") {
		w.s.fail(w.ss, w.now, exitError("RECAPTCHA_BAD"), false)
		return
	}
	w.afterLogin()
}

func (w *walk) afterLogin() {
	if w.ss.MFA.Kind != "" {
		w.s.show(w.ss, w.now, "MFA")
		return
	}
	w.loggedIn()
}

func (w *walk) retry() {
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
