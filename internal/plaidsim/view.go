package plaidsim

import (
	"embed"
	"html/template"
	"slices"
	"sync"
)

//go:embed pages
var pageFiles embed.FS

var pages = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(pageFiles, "pages/*.html"))
})

var pageStyle = sync.OnceValue(func() template.CSS {
	b, err := pageFiles.ReadFile("pages/style.css")
	if err != nil {
		panic(err)
	}
	return template.CSS(b)
})

// view is the data of a pane's template.
type view struct {
	Pane, Title string
	Nonce       string
	Style       template.CSS
	BankStyle   template.CSS // the bank's colour, on its own page
	Username    string
	Client      string
	Completion  string
	Problem     string // the error, in words
	Steps       []step
	Scopes      []string
	Query       string
	Banks       []bankView
	More        bool // more banks match than are shown
	Bank        *bankView
	Update      bool
	Manual      bool // the user can type numbers instead
	Typing      bool // the Item will consist of typed numbers
	Single      bool
	Accounts    []accountView
	Questions   []mfaQuestion
	MFA         string
	Hint        hint
	Final       bool // the last pane: no button leads on
	Lost        bool // the pane has no session
	Linked      []linkAccount
}

type step struct {
	Name          string
	Current, Done bool
}

type bankView struct {
	ID, Name, Initials string
	Color              string
	OAuth              bool
}

type accountView struct {
	ID, Name, Official, Mask, Kind string
	Checked                        bool
}

// hint lists the sandbox values that a pane accepts.
type hint struct{ Lines []string }

var paneTitles = map[string]string{
	"CONSENT": "Connect your account", "SUBMIT_PHONE": "Use your phone to log in faster", "VERIFY_PHONE": "Verify your phone",
	"SELECT_AUTH_TYPE": "How do you want to connect?", "SELECT_INSTITUTION": "Choose your bank",
	"CREDENTIAL": "Sign in", "OAUTH": "Continue at your bank", "OAUTH_LOGIN": "Sign in to share your accounts", "MFA": "One more check",
	"RECAPTCHA": "Are you a person?", "SELECT_ACCOUNT": "Choose accounts", "NUMBERS": "Enter your account numbers",
	"SAME_DAY_MICRODEPOSIT_AUTHORIZED": "Authorize a small deposit", "INSTANT_MICRODEPOSIT_AUTHORIZED": "Enter the deposit code",
	"VERIFY_CODE": "Verify your account", "CONNECTED": "Your account is connected", "EXIT": "You left without connecting", "ERROR": "Something is wrong",
}

var stepNames = []string{"Consent", "Bank", "Sign in", "Accounts", "Done"}

var paneStep = map[string]int{"CONSENT": 0, "SUBMIT_PHONE": 0, "VERIFY_PHONE": 0, "SELECT_AUTH_TYPE": 1, "SELECT_INSTITUTION": 1, "CREDENTIAL": 2, "OAUTH": 2, "OAUTH_LOGIN": 2,
	"MFA": 2, "RECAPTCHA": 2, "SELECT_ACCOUNT": 3, "NUMBERS": 3, "SAME_DAY_MICRODEPOSIT_AUTHORIZED": 3,
	"INSTANT_MICRODEPOSIT_AUTHORIZED": 3, "VERIFY_CODE": 3, "CONNECTED": 4}

func lostView() view {
	return view{Pane: "ERROR", Title: paneTitles["ERROR"], Style: pageStyle(), Client: "this app", Problem: problemText("INVALID_LINK_TOKEN"), Final: true, Lost: true}
}

// viewOf builds the view of a session's pane. Callers hold s.mu.
func (s *Server) viewOf(lt *linkToken, ss *session) view {
	w := &formPost{s: s, lt: lt, ss: ss, now: s.now()}
	r := lt.Request
	v := view{Pane: ss.Pane, Title: paneTitles[ss.Pane], Style: pageStyle(), Client: clientName(r), Completion: r.Completion,
		Problem: ss.Notice, Update: r.update(), Manual: r.manual(), Query: ss.Query, Single: w.single(), MFA: ss.mfaType(), Hint: paneHint(ss), Username: ss.User}
	if ss.Problem != "" {
		v.Problem = problemText(ss.Problem)
	}
	if b := findBank(ss.Bank); b != nil {
		bv := viewBank(b)
		v.BankStyle = template.CSS(":root{--bank:" + b.color + "}")
		v.Bank = &bv
	}
	v.Steps = stepsOf(ss.Pane)
	switch ss.Pane {
	case "CONSENT":
		v.Scopes = scopesOf(r)
	case "SELECT_INSTITUTION":
		v.Banks, v.More = banksFor(r, ss.Query)
	case "MFA":
		v.Questions = ss.questions()
	case "SELECT_ACCOUNT":
		v.Accounts = w.accountViews()
	case "NUMBERS":
		v.Typing = ss.Method == "same_day"
	case "CONNECTED", "EXIT":
		v.Linked, v.Final = ss.Accounts, r.Completion == ""
	case "ERROR":
		v.Final = slices.Contains([]string{"INVALID_LINK_TOKEN", "TOO_MANY_VERIFICATION_ATTEMPTS", "VERIFICATION_EXPIRED"}, ss.LastErr)
	}
	return v
}

func clientName(r linkRequest) string {
	if len([]rune(r.ClientName)) > maxClientName {
		return genericName
	}
	return r.ClientName
}

func stepsOf(pane string) []step {
	at, ok := paneStep[pane]
	if !ok {
		return nil
	}
	var out []step
	for i, name := range stepNames {
		out = append(out, step{Name: name, Current: i == at, Done: i < at})
	}
	return out
}

func viewBank(b *bank) bankView {
	return bankView{ID: b.id, Name: b.name, Initials: b.initials(), Color: b.color, OAuth: b.oauth}
}

const banksShown = 12

func banksFor(r linkRequest, query string) ([]bankView, bool) {
	var out []bankView
	for _, b := range banks() {
		wanted := query != "" && b.matches(query) || query == "" && b.listed
		if !wanted || !b.in(r.Countries) || !b.supports(r.Products) {
			continue
		}
		if len(out) == banksShown {
			return out, true
		}
		out = append(out, viewBank(b))
	}
	return out, false
}

var scopeText = []struct{ product, text string }{
	{"", "Account name, type and balance"}, {"auth", "Account and routing numbers"}, {"identity", "Name, address, phone and email"},
	{"transactions", "Transactions"}, {"liabilities", "Credit and loans"}, {"investments", "Investments"},
}

func scopesOf(r linkRequest) []string {
	var out []string
	for _, row := range scopeText {
		if row.product == "" || slices.Contains(r.consented(), row.product) {
			out = append(out, row.text)
		}
	}
	return out
}

func (w *formPost) accountViews() []accountView {
	var out []accountView
	for _, a := range w.offered() {
		out = append(out, accountView{ID: a.id, Name: a.name, Official: a.official, Mask: a.mask, Kind: a.subtype,
			Checked: slices.Contains(w.ss.Chosen, a.mask)})
	}
	return out
}

func paneHint(ss *session) hint {
	switch ss.Pane {
	case "CREDENTIAL", "OAUTH_LOGIN":
		if b := findBank(ss.Bank); b != nil && b.flow == "match" {
			return hint{[]string{"User name user_good", "Password pass_good (numbers are matched) or microdeposits_good (a deposit is sent)"}}
		}
		return hint{[]string{"User name user_good", "Password pass_good, or mfa_device, mfa_selections, error_ITEM_LOCKED …"}}
	case "MFA":
		return hint{[]string{map[string]string{"device": "Either choice works", "code": "The code is 1234", "questions": "The answers are answer_<round>_<question>, both from 0",
			"selections": "Yes, or the choice that ends in 0"}[ss.mfaType()]}}
	case "NUMBERS":
		switch ss.Method {
		case "match":
			return hint{[]string{"Choose Plaid Saving 1111, routing 021000021, account 1111222233331111"}}
		case "automated":
			return hint{[]string{"Choose Plaid Checking 0000, routing 021000021, account 1111222233330000"}}
		}
		return hint{[]string{"Routing 110000000, account 1111222233330000", "For an instant deposit: routing 333333334"}}
	case "SUBMIT_PHONE":
		return hint{[]string{"Any US phone number, such as 415-555-0010; nothing is sent"}}
	case "VERIFY_PHONE":
		return hint{[]string{"The code is 123456"}}
	case "INSTANT_MICRODEPOSIT_AUTHORIZED", "VERIFY_CODE":
		return hint{[]string{"The code is ABC"}}
	}
	return hint{}
}
