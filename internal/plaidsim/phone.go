package plaidsim

import "strings"

// phoneCode is the code that Plaid's sandbox sends to every phone.
const phoneCode = "123456"

// submitPhone takes a phone number, under which Plaid may know the user, or goes on without one.
func (w *formPost) submitPhone() {
	if w.pressed("skip") {
		w.s.emit(w.ss, w.now, "SKIP_SUBMIT_PHONE")
		w.toBanks()
		return
	}
	if !phonePattern.MatchString(strings.TrimSpace(clip(w.form.Get("phone_number"), 40))) {
		w.ss.Problem, w.ss.Notice = "", "Enter a phone number of ten digits, or continue without one."
		return
	}
	w.s.emit(w.ss, w.now, "SUBMIT_PHONE")
	w.s.show(w.ss, w.now, "VERIFY_PHONE")
}

// verifyPhone takes the code that was sent. No phone is known in the simulator, so the choice of a bank follows.
func (w *formPost) verifyPhone() {
	if w.pressed("skip") {
		w.s.emit(w.ss, w.now, "SKIP_SUBMIT_PHONE")
		w.toBanks()
		return
	}
	w.s.emit(w.ss, w.now, "SUBMIT_OTP")
	if strings.TrimSpace(w.form.Get("otp")) != phoneCode {
		w.ss.Problem, w.ss.Notice = "", "The code is not right. Try again."
		return
	}
	w.s.emit(w.ss, w.now, "VERIFY_PHONE")
	w.toBanks()
}
