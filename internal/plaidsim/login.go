package plaidsim

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

type login struct{ user, password string }

// loginOutcome is a bank's answer to a user name and password: an error, questions to ask first, or neither.
type loginOutcome struct {
	err       *apiError
	mfa       mfaPlan
	recaptcha string
	custom    string // configuration of user_custom
}

// mfaPlan is the second factor that a password of the sandbox asks for.
type mfaPlan struct {
	Kind   string // device, questions, selections; empty for none
	Rounds int
	Each   int // questions a round
	Of     int // choices a selection
}

var sandboxUsers = []string{"user_good", "user_custom", "user_transactions_dynamic", "user_ewa_user", "user_yuppie", "user_small_business"}

// loginErrors are the codes of passwords error_CODE.
var loginErrors = map[string]string{
	"COUNTRY_NOT_SUPPORTED": "INSTITUTION_ERROR", "INSTITUTION_DOWN": "INSTITUTION_ERROR", "INSTITUTION_NOT_RESPONDING": "INSTITUTION_ERROR",
	"INSTITUTION_NO_LONGER_SUPPORTED": "INSTITUTION_ERROR", "INTERNAL_SERVER_ERROR": "API_ERROR", "PAYMENT_INVALID_RECIPIENT": "PAYMENT_ERROR",
	"INSUFFICIENT_CREDENTIALS": "ITEM_ERROR", "INVALID_CREDENTIALS": "ITEM_ERROR", "INVALID_MFA": "ITEM_ERROR", "INVALID_SEND_METHOD": "ITEM_ERROR",
	"ITEM_LOCKED": "ITEM_ERROR", "ITEM_NOT_SUPPORTED": "ITEM_ERROR", "MFA_NOT_SUPPORTED": "ITEM_ERROR", "NO_ACCOUNTS": "ITEM_ERROR",
	"USER_INPUT_TIMEOUT": "ITEM_ERROR", "USER_SETUP_REQUIRED": "ITEM_ERROR",
}

var loginMessages = map[string]string{
	"INVALID_CREDENTIALS":             "The user name or the password is not right. Check them and try again.",
	"INVALID_MFA":                     "The answer is not right. Try again.",
	"INVALID_SEND_METHOD":             "A code cannot be sent that way.",
	"INSUFFICIENT_CREDENTIALS":        "The bank needs more than these credentials.",
	"ITEM_LOCKED":                     "The bank has locked this account. Unlock it with the bank first.",
	"ITEM_NOT_SUPPORTED":              "This kind of account is not supported.",
	"MFA_NOT_SUPPORTED":               "The bank asks for a second factor that is not supported.",
	"NO_ACCOUNTS":                     "No open account was found.",
	"USER_INPUT_TIMEOUT":              "The bank gave up waiting for an answer.",
	"USER_SETUP_REQUIRED":             "The bank wants something done on its own site first.",
	"INSTITUTION_DOWN":                "The bank cannot be reached at the moment.",
	"INSTITUTION_NOT_RESPONDING":      "The bank does not answer at the moment.",
	"INSTITUTION_NO_LONGER_SUPPORTED": "The bank is no longer supported.",
	"COUNTRY_NOT_SUPPORTED":           "The bank is not supported in this country.",
	"PAYMENT_INVALID_RECIPIENT":       "The recipient of the payment is not valid.",
	"INTERNAL_SERVER_ERROR":           "Something went wrong.",
}

func loginError(code string) *apiError {
	e := bad(loginErrors[code], code, strings.ToLower(strings.ReplaceAll(code, "_", " ")))
	e.display = loginMessages[code]
	if code == "INTERNAL_SERVER_ERROR" {
		e.status = 500
	}
	return e
}

// tryLogin checks sandbox credentials.
func tryLogin(b *bank, l login) loginOutcome {
	if b.loginErrorCode != "" {
		return loginOutcome{err: loginError(b.loginErrorCode)}
	}
	code, forced := strings.CutPrefix(l.password, "error_")
	switch {
	case forced && loginErrors[code] != "":
		return loginOutcome{err: loginError(code)}
	case l.user == "user_custom":
		return customLogin(l.password)
	case !slices.Contains(sandboxUsers, l.user) && bulkRows(l.user) == 0:
		return loginOutcome{err: loginError("INVALID_CREDENTIALS")}
	case l.user != "user_good":
		if strings.TrimSpace(l.password) == "" || b.oauth {
			return loginOutcome{err: loginError("INVALID_CREDENTIALS")}
		}
		return loginOutcome{}
	case l.password == "pass_good", l.password == "microdeposits_good" && b.flow == "match":
		return loginOutcome{}
	}
	if plan, ok := parseMFA(l.password); ok {
		return loginOutcome{mfa: plan}
	}
	var recaptcha struct{ Recaptcha string }
	if json.Unmarshal([]byte(l.password), &recaptcha) == nil && recaptcha.Recaptcha != "" {
		return loginOutcome{recaptcha: recaptcha.Recaptcha}
	}
	return loginOutcome{err: loginError("INVALID_CREDENTIALS")}
}

func customLogin(password string) loginOutcome {
	cfg, err := parseCustom(password)
	switch {
	case err != nil:
		return loginOutcome{err: loginError("INVALID_CREDENTIALS")}
	case loginErrors[cfg.ForceError] != "":
		return loginOutcome{err: loginError(cfg.ForceError)}
	}
	compact, err := compactCustom(password)
	if err != nil {
		return loginOutcome{err: loginError("INVALID_CREDENTIALS")}
	}
	out := loginOutcome{custom: compact, recaptcha: cfg.Recaptcha}
	switch cfg.MFA.Type {
	case "device":
		out.mfa = mfaPlan{Kind: "device", Rounds: 1, Each: 1}
	case "questions":
		out.mfa = mfaPlan{Kind: "questions", Rounds: few(cfg.MFA.QuestionRounds), Each: few(cfg.MFA.QuestionsPer)}
	case "selections":
		out.mfa = mfaPlan{Kind: "selections", Rounds: few(cfg.MFA.SelectionRound), Each: 1, Of: max(few(cfg.MFA.SelectionsPer), 2)}
	}
	return out
}

// few keeps a number of questions between 1 and 9, as passwords like mfa_questions_9_9 have it.
func few(n int) int { return min(max(n, 1), 9) }

// parseMFA reads mfa_device, mfa_questions_<n>_<m>, mfa_selections and
// mfa_selections_<n>_<m>_<o>.
func parseMFA(password string) (mfaPlan, bool) {
	words := strings.Split(password, "_")
	if len(words) < 2 || words[0] != "mfa" {
		return mfaPlan{}, false
	}
	var n []int
	for _, w := range words[2:] {
		v, err := strconv.Atoi(w)
		if err != nil || v < 1 || v > 9 {
			return mfaPlan{}, false
		}
		n = append(n, v)
	}
	switch {
	case words[1] == "device" && len(n) == 0:
		return mfaPlan{Kind: "device", Rounds: 1, Each: 1}, true
	case words[1] == "questions" && len(n) == 2:
		return mfaPlan{Kind: "questions", Rounds: n[0], Each: n[1]}, true
	case words[1] == "selections" && len(n) == 0:
		return mfaPlan{Kind: "selections", Rounds: 1, Each: 1}, true
	case words[1] == "selections" && len(n) == 3:
		return mfaPlan{Kind: "selections", Rounds: n[0], Each: n[1], Of: n[2]}, true
	}
	return mfaPlan{}, false
}
