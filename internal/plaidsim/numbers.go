package plaidsim

import (
	"strconv"
	"strings"
)

// validRouting checks the ABA checksum.
func validRouting(text string) bool {
	if len(text) != 9 || digits(text) != text || text == "000000000" {
		return false
	}
	sum := 0
	for i, weight := range []int{3, 7, 1, 3, 7, 1, 3, 7, 1} {
		sum += weight * int(text[i]-'0')
	}
	return sum%10 == 0
}

// withChecksum completes eight digits to a routing number.
func withChecksum(eight string) string {
	for digit := range 10 {
		if text := eight + strconv.Itoa(digit); validRouting(text) {
			return text
		}
	}
	return eight + "0"
}

// numbers handles the typed routing and account number.
func (w *formPost) numbers() {
	if w.pressed("back") {
		w.back()
		return
	}
	m := &manualAccount{Holder: strings.TrimSpace(clip(w.form.Get("account_holder_name"), 100)),
		Routing: strings.TrimSpace(w.form.Get("routing_number")), Account: strings.TrimSpace(w.form.Get("account_number")),
		Subtype: w.form.Get("account_type")}
	if notice := w.checkNumbers(m); notice != "" {
		w.ss.Problem, w.ss.Notice = "", notice
		return
	}
	m.Mask = m.Account[len(m.Account)-4:]
	w.s.emit(w.ss, w.now, "SUBMIT_ROUTING_NUMBER", "routing_number", m.Routing)
	w.s.emit(w.ss, w.now, "SUBMIT_ACCOUNT_NUMBER", "account_number_mask", m.Mask)
	switch w.ss.Method {
	case "match", "automated":
		w.matchNumbers(m)
	default:
		w.manualNumbers(m)
	}
}

func (w *formPost) checkNumbers(m *manualAccount) string {
	switch {
	case !validRouting(m.Routing):
		return "The routing number has 9 digits; check them."
	case len(m.Account) < 4 || len(m.Account) > 17 || digits(m.Account) != m.Account:
		return "The account number has 4 to 17 digits; check them."
	case m.Account != strings.TrimSpace(w.form.Get("account_number_confirm")):
		return "The two account numbers are not the same."
	}
	if w.ss.Method == "same_day" && (m.Holder == "" || m.Subtype != "checking" && m.Subtype != "savings") {
		return "Enter the name of the account holder and choose the kind of account."
	}
	return ""
}

// matchNumbers compares the typed numbers with the account chosen before.
func (w *formPost) matchNumbers(m *manualAccount) {
	if m.Mask != w.ss.Chosen[0] {
		w.s.fail(w.ss, w.now, exitError("INVALID_ACCOUNT_NUMBER"), true)
		return
	}
	flows := w.lt.Request.Auth
	it := w.newItem()
	it.Typed = m
	switch {
	case w.ss.Method == "match" && flows.Match:
		it.AuthMethod = "INSTANT_MATCH"
	case w.ss.Method == "automated" && flows.Automated:
		it.AuthMethod = "AUTOMATED_MICRODEPOSITS"
		it.Verification[m.Mask] = verification{Status: "pending_automatic_verification", Since: w.now}
	default:
		w.s.fail(w.ss, w.now, exitError("INSTANT_MATCH_FAILED"), false)
		return
	}
	w.connect(it)
}

// instantRouting is the routing number of a bank that takes instant micro-deposits.
const instantRouting = "333333334"

func (w *formPost) manualNumbers(m *manualAccount) {
	w.ss.Typed, w.ss.Tries = m, 0
	flows := w.lt.Request.Auth
	switch {
	case flows.Database:
		w.manualItem(databaseStatus(m.Account), "DATABASE_INSIGHTS")
	case flows.Instant && m.Routing == instantRouting:
		w.s.show(w.ss, w.now, "INSTANT_MICRODEPOSIT_AUTHORIZED")
	case flows.SameDay:
		w.s.show(w.ss, w.now, "SAME_DAY_MICRODEPOSIT_AUTHORIZED")
	default:
		w.s.fail(w.ss, w.now, exitError("INVALID_ACCOUNT_NUMBER"), true)
	}
}

func databaseStatus(number string) string {
	switch number {
	case "1111222233331111":
		return "database_insights_pass"
	case "1111222233333333":
		return "database_insights_pass_with_caution"
	}
	return "database_insights_fail"
}

func (w *formPost) authorizeDeposit() {
	w.manualItem("pending_manual_verification", "SAME_DAY_MICRODEPOSITS")
}

// manualItem makes an Item of typed numbers; it has no institution.
func (w *formPost) manualItem(status, method string) {
	w.ss.Bank, w.ss.Chosen = "", nil
	it := w.newItem()
	it.Institution, it.User, it.Manual, it.AuthMethod = "", "", w.ss.Typed, method
	it.Products, it.Consented = []string{"auth"}, []string{"auth"}
	it.Verification[it.Manual.Mask] = verification{Status: status, Since: w.now}
	w.connect(it)
}

const (
	depositCode  = "ABC"
	maxCodeTries = 3
)

func (w *formPost) codeRight() bool {
	return strings.EqualFold(strings.TrimSpace(w.form.Get("code")), depositCode)
}

func (w *formPost) instantCode() {
	if w.codeRight() {
		w.manualItem("manually_verified", "INSTANT_MICRODEPOSITS")
		return
	}
	w.ss.Tries++
	w.wrongCode(w.ss.Tries)
}

func (w *formPost) wrongCode(tries int) {
	if tries >= maxCodeTries {
		w.s.fail(w.ss, w.now, exitError("TOO_MANY_VERIFICATION_ATTEMPTS"), false)
		return
	}
	w.s.fail(w.ss, w.now, exitError("INCORRECT_DEPOSIT_VERIFICATION"), true)
}

// verifyCode checks the code of a same-day micro-deposit in update mode. The third wrong code locks the Item
// permanently.
func (w *formPost) verifyCode() {
	it := w.s.st.Items[w.lt.Request.Item]
	if it == nil || it.Manual == nil || it.Verification[it.Manual.Mask].Status != "pending_manual_verification" {
		w.openUpdate()
		return
	}
	mask := it.Manual.Mask
	if w.codeRight() {
		w.s.setVerification(it, mask, "manually_verified", w.now)
		w.s.finish(w.lt, w.ss, it, w.now)
		return
	}
	v := it.Verification[mask]
	v.Tries++
	it.Verification[mask] = v
	if v.Tries >= maxCodeTries {
		w.s.setVerification(it, mask, "verification_failed", w.now)
	}
	w.wrongCode(v.Tries)
}
