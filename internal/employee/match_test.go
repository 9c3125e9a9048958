package employee_test

import (
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/employee"
	"pgregory.net/rapid"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// The table shows every reason that Match gives; the others come from events and from hand.
func TestTableShowsEveryReason(t *testing.T) {
	shown := []employee.Reason{employee.Exited, employee.Attested, employee.LinkNotSaved}
	for _, r := range table() {
		shown = append(shown, r.want)
	}
	for _, r := range employee.Reasons {
		if !slices.Contains(shown, r) {
			t.Errorf("%s is never shown", r)
		}
	}
	if len(table()) < 40 {
		t.Errorf("%d rows", len(table()))
	}
}

var (
	pickRouting = rapid.SampledFrom([]string{platypusRouting, otherRouting, "021200339", "", "12345", "000000000"})
	pickAccount = rapid.SampledFrom([]string{checking, savings, alias, "00012345", "12345", "", "1"})
	pickStatus  = rapid.OneOf(rapid.SampledFrom([]string{
		"", "automatically_verified", "manually_verified", "pending_automatic_verification", "pending_manual_verification", "unsent",
		"verification_expired", "verification_failed", "database_matched", "database_insights_pass", "database_insights_fail",
		"database_insights_pass_with_caution", "database_insights_pending",
	}), rapid.String())
	pickTrouble = rapid.OneOf(rapid.SampledFrom([]string{
		"", "", "ITEM_LOGIN_REQUIRED", "PRODUCT_NOT_READY", "INSTITUTION_DOWN", "NO_AUTH_ACCOUNTS", "INVALID_ACCOUNT_ID",
		"TOO_MANY_VERIFICATION_ATTEMPTS", "RATE_LIMIT", employee.NoAnswer,
	}), rapid.String())
	pickID     = rapid.SampledFrom([]string{"a", "b", "c", ""})
	pickPolicy = rapid.SampledFrom([]employee.Policy{"", "mask", "adopt", "strict", "whatever"})
	proven     = []string{"", "automatically_verified", "manually_verified", "database_matched", "database_insights_pass"}
)

func anyAnswer(t *rapid.T) employee.Answer {
	account := rapid.Custom(func(t *rapid.T) employee.PlaidAccount {
		a := employee.PlaidAccount{
			ID: pickID.Draw(t, "id"), Mask: rapid.SampledFrom([]string{"0000", "1111", "00", "", "1111222233330000"}).Draw(t, "mask"),
			Type:   rapid.SampledFrom([]string{"depository", "depository", "credit", ""}).Draw(t, "type"),
			Status: pickStatus.Draw(t, "status"),
		}
		if rapid.Bool().Draw(t, "has numbers") {
			a.Numbers = &employee.PlaidNumbers{Numbers: numbers(pickRouting.Draw(t, "routing"), pickAccount.Draw(t, "account")),
				Tokenized: rapid.Ptr(rapid.Bool(), true).Draw(t, "tokenized")}
		}
		return a
	})
	return employee.Answer{
		Chosen: pickID.Draw(t, "chosen"), Trouble: pickTrouble.Draw(t, "trouble"),
		Accounts: rapid.SliceOfN(account, 0, 3).Draw(t, "accounts"),
		Institution: employee.Institution{
			ID:      rapid.SampledFrom([]string{"", "ins_109508", "ins_56", "ins_13", "ins_127990"}).Draw(t, "institution"),
			Routing: routings(rapid.SliceOfN(pickRouting, 0, 2).Draw(t, "routings")...),
		},
		Owners: employee.Owners{
			Score: rapid.Ptr(rapid.IntRange(-5, 105), true).Draw(t, "score"),
			Names: rapid.SliceOfN(rapid.SampledFrom([]string{owner, "Jane Smith", ""}), 0, 2).Draw(t, "names"),
		},
	}
}

func anyTyped(t *rapid.T) employee.Typed {
	return employee.Typed{Numbers: numbers(pickRouting.Draw(t, "typed routing"), pickAccount.Draw(t, "typed account")),
		HolderName: owner, AccountType: employee.Checking}
}

// No input makes an account verified without equal numbers or a policy that says so, and none on an unproven status.
func TestNothingElseVerifies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		typed, said, policy := anyTyped(t), anyAnswer(t), pickPolicy.Draw(t, "policy")
		v := employee.Match(typed, said, policy)
		if v.Verified != (v.Reason == "") || !v.Verified && !v.Reason.Known() {
			t.Fatalf("verified %v with reason %q", v.Verified, v.Reason)
		}
		if v.Message == "" || v.NextStep == "" {
			t.Fatalf("%q has no words", v.Reason)
		}
		if !v.Verified {
			if v.Evidence.Strength != employee.NoProof || !v.Adopted.Account.Empty() {
				t.Fatal("a refusal holds proof")
			}
			return
		}
		i := slices.IndexFunc(said.Accounts, func(a employee.PlaidAccount) bool {
			return a.ID == said.Chosen || said.Chosen == "" && len(said.Accounts) == 1
		})
		if i < 0 || said.Trouble != "" {
			t.Fatal("verified with no account seen, or against an error")
		}
		a := said.Accounts[i]
		if !slices.Contains(proven, a.Status) || a.Type == "credit" || a.Numbers == nil {
			t.Fatalf("verified on status %q, type %q", a.Status, a.Type)
		}
		equal := typed.Account.Equal(a.Numbers.Account) && typed.Routing.Equal(a.Numbers.Routing) && !typed.Account.Empty()
		tokens := a.Numbers.Tokenized != nil && *a.Numbers.Tokenized ||
			a.Numbers.Tokenized == nil && slices.Contains([]string{"ins_56", "ins_13", "ins_127990"}, said.Institution.ID)
		masked := a.Mask == typed.Account.Last4() && a.Mask != "" && v.Evidence.NameScore != nil && *v.Evidence.NameScore >= 70
		switch {
		case equal && v.Evidence.Comparison == employee.ComparedNumbers:
		case tokens && policy == employee.PolicyAdopt && v.Evidence.Comparison == employee.AdoptedNumbers && v.Evidence.Strength == employee.Weak:
		case tokens && policy == employee.PolicyMask && masked && v.Evidence.Comparison == employee.ComparedMask && v.Evidence.Strength == employee.Weak:
		default:
			t.Fatalf("verified by %s under policy %q", v.Evidence.Comparison, policy)
		}
	})
}

// Equal numbers on a proven account verify under every policy, name and set of other accounts.
func TestEqualNumbersVerify(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		said := anyAnswer(t)
		said.Chosen, said.Trouble = "it", ""
		said.Accounts = append(said.Accounts, employee.PlaidAccount{ID: "it", Type: "depository", Status: rapid.SampledFrom(proven).Draw(t, "status"),
			Numbers: &employee.PlaidNumbers{Numbers: numbers(platypusRouting, checking), Tokenized: rapid.Ptr(rapid.Bool(), true).Draw(t, "tokenized")}})
		if v := employee.Match(typed(mine), said, pickPolicy.Draw(t, "policy")); !v.Verified {
			t.Fatalf("refused: %s", v.Reason)
		}
	})
}

func TestOtherAccountIsToldNotTaken(t *testing.T) { // A40
	v := employee.Match(typed(platypusRouting+" "+savings), answer(second(platypusRouting, savings)), employee.PolicyMask)
	if v.Verified || v.OtherAccountID != "b" || !v.Evidence.OtherMatches || v.PlaidAccountID != "a" {
		t.Errorf("%+v", v)
	}
	if plain, _ := employee.Explain(employee.NumberMismatch); v.Message == plain {
		t.Error("the words do not tell that another account fits")
	}
}

// After an update the bank may give an account a new id.
func TestAccountUnderANewIDIsTold(t *testing.T) {
	v := employee.Match(typed(mine), answer(chose("old")), employee.PolicyMask)
	if v.Reason != employee.AccountMissing || v.OtherAccountID != "a" || v.PlaidAccountID != "" {
		t.Errorf("%+v", v)
	}
	for _, change := range []given{status("unsent"), kind("credit", ""), unnumbered, gave(otherRouting, checking), gave(platypusRouting, savings)} {
		if v := employee.Match(typed(mine), answer(chose("old"), change), employee.PolicyAdopt); v.OtherAccountID != "" {
			t.Error("an account that would not be verified is told")
		}
	}
}

func TestEvidenceTellsWhatItRestsOn(t *testing.T) {
	v := employee.Match(typed(mine), answer(kind("depository", "savings"), status("manually_verified"), score(12)), employee.PolicyMask)
	e := v.Evidence
	if !e.TypeDiffers || e.Access != "micro_deposit" || e.PlaidStatus != "manually_verified" || *e.NameScore != 12 || e.NameSource != "plaid" ||
		e.InstitutionID != "ins_109508" || e.Tokenized {
		t.Errorf("%+v", e)
	}
	e = employee.Match(typed(mine), answer(aliased, names("Jane Smith"), trouble("AUTH_LIMIT")), employee.PolicyMask).Evidence
	if e.PlaidError != "AUTH_LIMIT" || e.NameSource != "names" || e.TypeDiffers {
		t.Errorf("%+v", e)
	}
	e = employee.Match(typed(mine), answer(aliased, mask("1111")), "lax").Evidence
	if !e.Tokenized || *e.MaskAgrees || e.Policy != employee.PolicyStrict {
		t.Errorf("%+v", e)
	}
}

func TestWordsFollowPlaidsStatus(t *testing.T) {
	said := map[string]bool{}
	for _, s := range []string{"pending_automatic_verification", "pending_manual_verification", "unsent", "database_insights_pass_with_caution",
		"database_insights_fail", "verification_failed"} {
		v := employee.Match(typed(mine), answer(status(s)), employee.PolicyMask)
		if said[v.Message] {
			t.Errorf("%s says what another says", s)
		}
		said[v.Message] = true
	}
	// Words of a status are told only where it gave the reason.
	plain, _ := employee.Explain(employee.DepositFailed)
	if v := employee.Match(typed(mine), answer(status("unsent"), trouble("TOO_MANY_VERIFICATION_ATTEMPTS")), ""); v.Message != plain {
		t.Errorf("%q", v.Message)
	}
}

func TestAdoptedNumbersAreHandedOver(t *testing.T) {
	v := employee.Match(typed(mine), answer(aliased), employee.PolicyAdopt)
	if want := numbers(platypusRouting, alias); !v.Adopted.Account.Equal(want.Account) || !v.Adopted.Routing.Equal(want.Routing) {
		t.Error("other numbers than the bank's are adopted")
	}
	if v := employee.Match(typed(mine), answer(aliased, names(owner)), employee.PolicyMask); !v.Adopted.Account.Empty() {
		t.Error("policy mask adopts")
	}
}

func TestMaskNeverShowsMoreThanFour(t *testing.T) { // A45
	if v := employee.Match(typed(mine), answer(mask(checking)), employee.PolicyMask); v.Mask != "0000" {
		t.Errorf("mask has %d characters", len(v.Mask))
	}
}

func TestReasonOf(t *testing.T) {
	if employee.ReasonOf("") != "" || employee.ReasonOf("INTERNAL_SERVER_ERROR") != employee.PlaidUnavailable {
		t.Error("no trouble, and trouble of Plaid's own")
	}
	rapid.Check(t, func(t *rapid.T) {
		if code := rapid.StringN(1, -1, -1).Draw(t, "code"); !employee.ReasonOf(code).Known() {
			t.Fatalf("%q", code)
		}
	})
}

func TestEveryReasonHasWords(t *testing.T) {
	digit := regexp.MustCompile(`[0-9]`)
	seen := map[string]employee.Reason{}
	for _, r := range employee.Reasons {
		message, next := employee.Explain(r)
		if message == "" || next == "" || digit.MatchString(message+next) {
			t.Errorf("%s: %q, %q", r, message, next)
		}
		if other, twice := seen[message]; twice {
			t.Errorf("%s and %s say the same", r, other)
		}
		seen[message] = r
	}
	for _, r := range table() {
		if v := employee.Match(typed(r.typed), r.said, r.policy); v.Message == "" || digit.MatchString(v.Message+v.NextStep) {
			t.Errorf("%s: %q, %q", r.plaid, v.Message, v.NextStep)
		}
	}
}
