package employee_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/employee"
)

const (
	platypusRouting = "011401533"
	otherRouting    = "021000021"
	checking        = "1111222233330000"
	savings         = "1111222233331111"
	alias           = "1111222233333333"
	owner           = "Alberta Bobbeth Charleson"
)

// given changes one row's Plaid answer from the default: one linked checking account whose numbers are real.
type given func(*employee.Answer)

func answer(changes ...given) employee.Answer {
	no := false
	a := employee.Answer{
		Chosen: "a", Institution: employee.Institution{ID: "ins_109508", Name: "First Platypus Bank", Routing: routings(platypusRouting)},
		Accounts: []employee.PlaidAccount{{
			ID: "a", Mask: "0000", Type: "depository", Subtype: "checking",
			Numbers: &employee.PlaidNumbers{Numbers: numbers(platypusRouting, checking), Tokenized: &no},
		}},
	}
	for _, change := range changes {
		change(&a)
	}
	return a
}

func numbers(routing, account string) ach.Numbers {
	return ach.Numbers{Routing: ach.NewRoutingNumber(routing), Account: ach.NewAccountNumber(account)}
}

func routings(all ...string) []ach.RoutingNumber {
	var out []ach.RoutingNumber
	for _, r := range all {
		out = append(out, ach.NewRoutingNumber(r))
	}
	return out
}

func status(s string) given   { return func(a *employee.Answer) { a.Accounts[0].Status = s } }
func trouble(c string) given  { return func(a *employee.Answer) { a.Trouble = c } }
func chose(id string) given   { return func(a *employee.Answer) { a.Chosen = id } }
func names(n ...string) given { return func(a *employee.Answer) { a.Owners.Names = n } }
func score(n int) given       { return func(a *employee.Answer) { a.Owners.Score = &n } }
func mask(m string) given     { return func(a *employee.Answer) { a.Accounts[0].Mask = m } }
func kind(typ, sub string) given {
	return func(a *employee.Answer) { a.Accounts[0].Type, a.Accounts[0].Subtype = typ, sub }
}
func gave(routing, account string) given {
	return func(a *employee.Answer) { a.Accounts[0].Numbers.Numbers = numbers(routing, account) }
}
func bankRoutings(all ...string) given {
	return func(a *employee.Answer) { a.Institution.Routing = routings(all...) }
}
func unnumbered(a *employee.Answer) { a.Accounts[0].Numbers = nil }
func noAccounts(a *employee.Answer) { a.Accounts = nil }
func aliased(a *employee.Answer) {
	yes := true
	a.Accounts[0].Numbers = &employee.PlaidNumbers{Numbers: numbers(platypusRouting, alias), Tokenized: &yes}
}
func unflagged(institution string) given {
	return func(a *employee.Answer) { a.Institution.ID, a.Accounts[0].Numbers.Tokenized = institution, nil }
}
func second(routing, account string) given {
	return func(a *employee.Answer) {
		a.Accounts = append(a.Accounts, employee.PlaidAccount{ID: "b", Mask: account[len(account)-4:], Type: "depository", Subtype: "savings",
			Numbers: &employee.PlaidNumbers{Numbers: numbers(routing, account)}})
	}
}

type row struct {
	typed  string // routing account, as the employee typed them
	plaid  string // Plaid's data, for the reader
	said   employee.Answer
	policy employee.Policy
	want   employee.Reason // empty: verified
	how    string          // comparison/strength if verified
}

const (
	mine     = platypusRouting + " " + checking
	strong   = "numbers/strong"
	moderate = "numbers/moderate"
)

func table() []row {
	silent := employee.Answer{}
	m, ad, st := employee.PolicyMask, employee.PolicyAdopt, employee.PolicyStrict
	return []row{
		// Equal numbers (A38) and the status that allows them (A6).
		{mine, "same numbers, signed in", answer(), m, "", strong},
		{mine, "same, policy strict", answer(), st, "", strong},
		{mine, "same, policy adopt", answer(), ad, "", strong},
		{mine, "same, no policy known", answer(), "", "", strong},
		{platypusRouting + " 1111-2222-3333-0000", "same; typed with dashes", answer(), m, "", strong},
		{"0114-0153-3 1111\u00a02222\u20133333\u20140000", "same; typed with wide spaces and long dashes", answer(), m, "", strong},
		{mine, "same, automatically_verified", answer(status("automatically_verified")), m, "", strong},
		{mine, "same, manually_verified", answer(status("manually_verified")), m, "", strong},
		{mine, "same, database_matched", answer(status("database_matched")), m, "", moderate},
		{mine, "same, database_insights_pass", answer(status("database_insights_pass")), m, "", moderate},
		{mine, "same, owner has another name", answer(names("Jane Smith")), m, "", strong},
		{mine, "same, Plaid's name score 12", answer(score(12)), m, "", strong},
		{mine, "same, the bank calls it savings", answer(kind("depository", "savings")), m, "", strong},
		{mine, "same, cash management", answer(kind("depository", "cash management")), m, "", strong},
		{mine, "same, flagged an alias and yet equal", answer(aliased, gave(platypusRouting, checking)), st, "", strong},
		{mine, "same, Chase, flag not told", answer(unflagged("ins_56")), st, "", strong},
		{mine, "same, only account, choice not told", answer(chose("")), m, "", strong},
		{otherRouting + " 00012345", "00012345", answer(gave(otherRouting, "00012345")), m, "", strong},

		// A status that does not allow it.
		{mine, "same, pending_automatic_verification", answer(status("pending_automatic_verification")), m, employee.DepositPending, ""},
		{mine, "pending_manual_verification, no numbers yet", answer(status("pending_manual_verification"), unnumbered, trouble("PRODUCT_NOT_READY")), m, employee.DepositPending, ""},
		{mine, "same, unsent", answer(status("unsent")), m, employee.DepositPending, ""},
		{mine, "same, database_insights_pending", answer(status("database_insights_pending")), m, employee.DepositPending, ""},
		{mine, "same, database_insights_pass_with_caution", answer(status("database_insights_pass_with_caution")), m, employee.DepositPending, ""},
		{mine, "same, a status nobody knows", answer(status("verified_by_stars")), m, employee.DepositPending, ""},
		{mine, "same, verification_expired", answer(status("verification_expired")), m, employee.DepositExpired, ""},
		{mine, "same, verification_failed", answer(status("verification_failed")), m, employee.DepositFailed, ""},
		{mine, "same, database_insights_fail", answer(status("database_insights_fail")), ad, employee.DepositFailed, ""},

		// Other numbers.
		{platypusRouting + " " + savings, "the checking account instead (A40)", answer(), m, employee.NumberMismatch, ""},
		{platypusRouting + " " + savings, "checking chosen, the typed savings beside it", answer(second(platypusRouting, savings)), m, employee.NumberMismatch, ""},
		{otherRouting + " " + savings, "both numbers differ", answer(), m, employee.NumberMismatch, ""},
		{otherRouting + " 12345", "00012345: leading zeros count", answer(gave(otherRouting, "00012345")), m, employee.NumberMismatch, ""},
		{mine, "differs, Bank of America, flag not told", answer(unflagged("ins_127989"), gave(platypusRouting, alias)), m, employee.NumberMismatch, ""},
		{mine, "differs, Chase, flag says no alias", answer(gave(platypusRouting, alias), func(a *employee.Answer) { a.Institution.ID = "ins_56" }), ad, employee.NumberMismatch, ""},
		{"052001633 " + checking, "same account; typed routing is the bank's second", answer(gave("021200339", checking), bankRoutings("021200339", "052001633")), m, employee.RoutingReview, ""},
		{otherRouting + " " + checking, "same account; the bank's routing numbers are not known", answer(bankRoutings()), m, employee.RoutingReview, ""},
		{otherRouting + " " + checking, "same account; typed routing is another bank's", answer(), m, employee.RoutingMismatch, ""},
		{otherRouting + " " + checking, "same account, Chase, flag not told, another bank's routing", answer(unflagged("ins_56")), ad, employee.RoutingMismatch, ""},

		// Aliases (A39).
		{mine, "alias, mask 0000, owner's name fits", answer(aliased, names(owner)), m, "", "mask/weak"},
		{mine, "alias, mask 0000, Plaid's score 70", answer(aliased, score(70)), m, "", "mask/weak"},
		{mine, "alias, Plaid's score 91 though names differ", answer(aliased, score(91), names("J Doe")), m, "", "mask/weak"},
		{mine, "alias, joint owners", answer(aliased, names("Robert Smith & Alberta Charleson")), m, "", "mask/weak"},
		{mine, "alias, Chase, flag not told", answer(aliased, unflagged("ins_56"), names(owner)), m, "", "mask/weak"},
		{mine, "alias, PNC, flag not told", answer(aliased, unflagged("ins_13"), names(owner)), m, "", "mask/weak"},
		{mine, "alias, U.S. Bank, flag not told", answer(aliased, unflagged("ins_127990"), names(owner)), m, "", "mask/weak"},
		{mine, "alias with its own routing, typed one is the bank's", answer(aliased, gave("043000096", alias), names(owner)), m, "", "mask/weak"},
		{mine, "alias, Plaid's score 69", answer(aliased, score(69), names(owner)), m, employee.NameMismatch, ""},
		{mine, "alias, a score that is none (101)", answer(aliased, score(101)), m, employee.NameUnavailable, ""},
		{mine, "alias, owner has another name", answer(aliased, names("Jane Smith")), m, employee.NameMismatch, ""},
		{mine, "alias, no name to be had", answer(aliased), m, employee.NameUnavailable, ""},
		{mine, "alias, owner's name is blank", answer(aliased, names(" ", "-")), m, employee.NameUnavailable, ""},
		{mine, "alias, mask 1111", answer(aliased, mask("1111"), names(owner)), m, employee.TokenizedMaskMismatch, ""},
		{mine, "alias, no mask", answer(aliased, mask(""), names(owner)), m, employee.TokenizedMaskMismatch, ""},
		{platypusRouting + " ", "alias, no mask, and no account number typed", answer(aliased, mask(""), names(owner)), m, employee.TokenizedMaskMismatch, ""},
		{mine, "alias, mask of two digits", answer(aliased, mask("00"), names(owner)), m, employee.TokenizedMaskMismatch, ""},
		{otherRouting + " " + checking, "alias, typed routing is another bank's", answer(aliased, names(owner)), m, employee.RoutingMismatch, ""},
		{otherRouting + " " + checking, "alias, the bank's routing numbers are not known", answer(aliased, names(owner), bankRoutings()), m, employee.RoutingReview, ""},
		{mine, "alias", answer(aliased, names(owner)), ad, "", "adopted/weak"},
		{mine, "alias, mask 1111, no name", answer(aliased, mask("1111")), ad, "", "adopted/weak"},
		{mine, "alias, all agrees", answer(aliased, names(owner)), st, employee.TokenizedStrict, ""},
		{mine, "alias, no policy known", answer(aliased, names(owner)), "", employee.TokenizedStrict, ""},
		{mine, "alias, pending_automatic_verification", answer(aliased, status("pending_automatic_verification")), ad, employee.DepositPending, ""},
		{mine, "alias that is no number", answer(aliased, gave(platypusRouting, "")), ad, employee.NotEligible, ""},

		// No numbers to compare.
		{mine, "nothing linked", silent, m, employee.NotStarted, ""},
		{mine, "ITEM_LOGIN_REQUIRED, numbers seen before", answer(trouble("ITEM_LOGIN_REQUIRED")), m, employee.RelinkRequired, ""},
		{mine, "USER_PERMISSION_REVOKED", answer(trouble("USER_PERMISSION_REVOKED"), noAccounts), m, employee.RelinkRequired, ""},
		{mine, "ITEM_NOT_FOUND", answer(trouble("ITEM_NOT_FOUND"), noAccounts), m, employee.RelinkRequired, ""},
		{mine, "INSTITUTION_DOWN", answer(trouble("INSTITUTION_DOWN"), noAccounts), m, employee.InstitutionDown, ""},
		{mine, "INSTITUTION_NOT_RESPONDING after the accounts", answer(trouble("INSTITUTION_NOT_RESPONDING"), unnumbered), m, employee.InstitutionDown, ""},
		{mine, "PRODUCT_NOT_READY, no status told", answer(trouble("PRODUCT_NOT_READY"), unnumbered), m, employee.DepositPending, ""},
		{mine, "AUTH_LIMIT", answer(trouble("AUTH_LIMIT"), noAccounts), m, employee.PlaidUnavailable, ""},
		{mine, "an error nobody knows", answer(trouble("STARS_WRONG"), noAccounts), m, employee.PlaidUnavailable, ""},
		{mine, "no answer at all", answer(trouble(employee.NoAnswer), noAccounts), m, employee.PlaidUnavailable, ""},
		{mine, "NO_AUTH_ACCOUNTS", answer(trouble("NO_AUTH_ACCOUNTS"), noAccounts), m, employee.NotEligible, ""},
		{mine, "account without numbers", answer(unnumbered), m, employee.NotEligible, ""},
		{mine, "a credit card with equal numbers", answer(kind("credit", "credit card")), ad, employee.NotEligible, ""},
		{mine, "the account chosen is not there", answer(chose("gone")), m, employee.AccountMissing, ""},
		{mine, "two accounts, choice not told", answer(chose(""), second(platypusRouting, savings)), m, employee.AccountMissing, ""},
		{mine, "no accounts, no error", answer(noAccounts), m, employee.AccountMissing, ""},

		// Several at once: the first of Reasons is given.
		{otherRouting + " " + savings, "ITEM_LOGIN_REQUIRED and other numbers", answer(trouble("ITEM_LOGIN_REQUIRED")), m, employee.RelinkRequired, ""},
		{mine, "ITEM_LOGIN_REQUIRED and the account gone", answer(trouble("ITEM_LOGIN_REQUIRED"), chose("gone")), m, employee.RelinkRequired, ""},
		{mine, "INSTITUTION_DOWN and verification_failed", answer(trouble("INSTITUTION_DOWN"), status("verification_failed")), m, employee.DepositFailed, ""},
		{mine, "INSTITUTION_DOWN and the account gone", answer(trouble("INSTITUTION_DOWN"), chose("gone")), m, employee.AccountMissing, ""},
		{mine, "TOO_MANY_VERIFICATION_ATTEMPTS and verification_expired", answer(trouble("TOO_MANY_VERIFICATION_ATTEMPTS"), status("verification_expired")), m, employee.DepositFailed, ""},
		{mine, "INVALID_ACCOUNT_ID and verification_failed", answer(trouble("INVALID_ACCOUNT_ID"), status("verification_failed")), m, employee.AccountMissing, ""},
		{mine, "INSTITUTION_DOWN and a credit card", answer(trouble("INSTITUTION_DOWN"), kind("credit", "credit card")), m, employee.InstitutionDown, ""},
		{mine, "verification_expired and a credit card", answer(status("verification_expired"), kind("credit", "")), m, employee.DepositExpired, ""},
		{mine, "alias, mask, routing and name all wrong", answer(aliased, mask("1111"), gave("043000096", alias), bankRoutings("043000096"), names("Jane Smith")), m, employee.TokenizedMaskMismatch, ""},
		{mine, "alias, routing and name wrong", answer(aliased, gave("043000096", alias), bankRoutings("043000096"), names("Jane Smith")), m, employee.RoutingMismatch, ""},
		{mine, "alias, strict, mask wrong", answer(aliased, mask("1111")), st, employee.TokenizedStrict, ""},
		{"000000000 00000", "zeros at both ends of the wire", answer(gave("000000000", "00000")), ad, employee.NotEligible, ""},
	}
}

func typed(s string) employee.Typed {
	routing, account, _ := strings.Cut(s, " ")
	n := employee.AddParams{RoutingNumber: ach.NewRoutingNumber(routing), AccountNumber: ach.NewAccountNumber(account)}.Numbers()
	return employee.Typed{Numbers: n, HolderName: owner, AccountType: employee.Checking}
}

// TestTable holds every row; with -v it prints the table for a reader.
func TestTable(t *testing.T) {
	var out strings.Builder
	out.WriteString("| # | typed (routing account) | Plaid says | policy | verified | reason | evidence |\n|---|---|---|---|---|---|---|\n")
	for i, r := range table() {
		v := employee.Match(typed(r.typed), r.said, r.policy)
		how := v.Evidence.Comparison + "/" + v.Evidence.Strength
		if v.Reason != r.want || v.Verified != (r.want == "") || v.Verified && how != r.how {
			t.Errorf("row %d, %s: verified %v, reason %q, %s; want %q, %s", i+1, r.plaid, v.Verified, v.Reason, how, r.want, r.how)
		}
		verified := "no"
		if v.Verified {
			verified = "**yes**"
		}
		fmt.Fprintf(&out, "| %d | %s | %s | %s | %s | %s | %s |\n", i+1, r.typed, r.plaid, orNone(r.policy), verified, orNone(v.Reason), how)
	}
	if testing.Verbose() {
		fmt.Print(out.String())
	}
}

func orNone[T ~string](s T) string {
	if s == "" {
		return "–"
	}
	return string(s)
}
