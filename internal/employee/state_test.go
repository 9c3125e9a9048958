package employee_test

import (
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/employee"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var later = noon.Add(time.Hour)

func fresh() employee.BankAccount { return employee.New(good(), "a1", "c1", "e1", noon) }

func joined() employee.BankAccount {
	return fresh().Join("item", "a", connection.Institution{ID: "ins_109508", Name: "First Platypus Bank"}, noon)
}

func judged(policy employee.Policy, changes ...given) employee.BankAccount {
	return joined().Judged(employee.Match(typed(mine), answer(changes...), policy), noon)
}

func TestJudged(t *testing.T) {
	a := judged("")
	if !a.IsVerified || a.VerificationReason != "" || !a.VerifiedAt.Equal(noon) || a.Mask != "0000" || a.Evidence.Strength != employee.Strong {
		t.Errorf("%+v", a)
	}
	again := a.Judged(employee.Match(typed(mine), answer(), ""), later)
	if !again.VerifiedAt.Equal(noon) || !again.UpdatedAt.Equal(later) || !again.Evidence.At.Equal(later) {
		t.Error("since when it is verified moved, or the new evidence was not taken")
	}
}

// A42, A41: a verified account changes state when a later look finds other facts.
func TestVerifiedStaysUnlessContradicted(t *testing.T) {
	for r, stays := range map[employee.Reason]bool{
		employee.NumberMismatch: false, employee.RoutingMismatch: false, employee.NameMismatch: false,
		employee.TokenizedMaskMismatch: false, employee.DepositFailed: false,
		employee.DepositPending: true, employee.DepositExpired: true, employee.Exited: true, employee.RelinkRequired: true,
		employee.InstitutionDown: true, employee.PlaidUnavailable: true, employee.NotEligible: true, employee.AccountMissing: true,
		employee.NameUnavailable: true, employee.TokenizedStrict: true, employee.RoutingReview: true, employee.NotStarted: true,
	} {
		a := judged("").Judged(employee.Refused(r), later)
		if a.IsVerified != stays {
			t.Errorf("%s: verified %v", r, a.IsVerified)
		}
		if stays && (a.VerificationReason != "" || a.LastCheck == nil || a.LastCheck.Reason != r || a.Evidence.Strength != employee.Strong) {
			t.Errorf("%s: what was found is not beside what holds: %+v", r, a)
		}
		if !stays && (a.VerificationReason != r || a.VerifiedAt != nil || a.LastCheck != nil) {
			t.Errorf("%s: %+v", r, a)
		}
		if !a.Moved(judged("")) {
			t.Errorf("%s leaves no audit line", r)
		}
	}
}

func TestAfter(t *testing.T) {
	pending := judged("", status("pending_automatic_verification"))
	mismatch := joined().Judged(employee.Refused(employee.NumberMismatch), noon)
	adopted := judged(employee.PolicyAdopt, aliased)
	for name, c := range map[string]struct {
		from     employee.BankAccount
		event    employee.Event
		verified bool
		reason   employee.Reason
		ask      bool
	}{
		"deposit_arrived":        {pending, employee.EventVerified, false, employee.DepositPending, true},
		"deposit_lapsed":         {pending, employee.EventExpired, false, employee.DepositExpired, false},
		"deposit_failed":         {pending, employee.EventFailed, false, employee.DepositFailed, false},
		"exit_of_a_new_one":      {fresh(), employee.EventExited, false, employee.Exited, false}, // R159, R160
		"exit_of_a_retry":        {mismatch, employee.EventExited, false, employee.Exited, false},
		"exit_while_pending":     {pending, employee.EventExited, false, employee.DepositPending, false},
		"exit_of_a_verified":     {judged(""), employee.EventExited, true, "", false},
		"login_of_a_mismatch":    {mismatch, employee.EventRelink, false, employee.RelinkRequired, false},
		"login_of_a_verified":    {judged(""), employee.EventRelink, true, "", false},
		"revoked_and_verified":   {judged(""), employee.EventRevoked, true, "", false},
		"revoked_alias":          {adopted, employee.EventRevoked, false, employee.RelinkRequired, false},
		"login_of_an_alias":      {adopted, employee.EventRelink, true, "", false},
		"alias_gone":             {adopted, employee.EventGone, false, employee.AccountMissing, false},
		"verified_and_gone":      {judged(""), employee.EventGone, true, "", false},
		"repaired":               {mismatch, employee.EventRepaired, false, employee.NumberMismatch, true},
		"new_numbers":            {judged(""), employee.EventNumbers, true, "", true},
		"new_numbers_not_joined": {fresh(), employee.EventNumbers, false, employee.NotStarted, false},
		"unknown":                {mismatch, "stars", false, employee.NumberMismatch, false},
	} {
		next, ask := c.from.After(c.event, later)
		if next.IsVerified != c.verified || next.VerificationReason != c.reason || ask != c.ask {
			t.Errorf("%s: verified %v, %q, ask %v", name, next.IsVerified, next.VerificationReason, ask)
		}
	}
}

func TestEventOf(t *testing.T) {
	for _, c := range []struct {
		status, code string
		want         employee.Event
	}{
		{"automatically_verified", "", employee.EventVerified}, {"manually_verified", "", employee.EventVerified},
		{"verification_expired", "", employee.EventExpired}, {"verification_failed", "", employee.EventFailed},
		{"pending_automatic_verification", "", ""}, {"", "", ""}, {"stars", "INTERNAL_SERVER_ERROR", ""}, {"", "INSTITUTION_DOWN", ""},
		{"", "ITEM_LOGIN_REQUIRED", employee.EventRelink}, {"automatically_verified", "USER_PERMISSION_REVOKED", employee.EventRevoked},
		{"", "USER_ACCOUNT_REVOKED", employee.EventRevoked}, {"", "ITEM_NOT_FOUND", employee.EventRevoked},
	} {
		if got, ok := employee.EventOf(c.status, c.code); got != c.want || ok != (c.want != "") {
			t.Errorf("%q, %q: %q", c.status, c.code, got)
		}
	}
}

func TestAttest(t *testing.T) { // A7
	a := fresh().Attest(later)
	if !a.IsVerified || a.VerificationReason != employee.Attested || a.Evidence.Strength != employee.ByHand || !a.VerifiedAt.Equal(later) {
		t.Errorf("%+v", a)
	}
	if a = a.Judged(employee.Refused(employee.PlaidUnavailable), later); !a.IsVerified || a.VerificationReason != employee.Attested {
		t.Error("an outage undoes an attestation")
	}
	if a = a.Judged(employee.Match(typed(platypusRouting+" "+savings), answer(), ""), later); a.IsVerified {
		t.Error("the bank's other numbers do not")
	}
	if a = fresh().Attest(noon).Judged(employee.Match(typed(mine), answer(), ""), later); a.VerificationReason != "" || !a.VerifiedAt.Equal(noon) {
		t.Error("the bank's numbers are better evidence")
	}
}

var events = []employee.Event{
	employee.EventVerified, employee.EventExpired, employee.EventFailed, employee.EventRelink, employee.EventRevoked,
	employee.EventRepaired, employee.EventNumbers, employee.EventGone, employee.EventExited,
}

// The state stays consistent after events in any order, and only a verdict or an attestation verifies.
func TestEveryPathHoldsTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, at := joined(), noon
		for range rapid.IntRange(1, 12).Draw(t, "steps") {
			before := a
			at = at.Add(time.Minute)
			may := before.IsVerified
			switch rapid.IntRange(0, 3).Draw(t, "kind") {
			case 0:
				v := employee.Match(anyTyped(t), anyAnswer(t), pickPolicy.Draw(t, "policy"))
				a, may = a.Judged(v, at), may || v.Verified
			case 1:
				a, may = a.Attest(at), true
			default:
				a, _ = a.After(rapid.SampledFrom(events).Draw(t, "event"), at)
			}
			if a.IsVerified && !may {
				t.Fatal("verified by an event")
			}
			if a.IsVerified != (a.VerificationReason == "" || a.VerificationReason == employee.Attested) || a.IsVerified != (a.VerifiedAt != nil) {
				t.Fatalf("verified %v, reason %q, since %v", a.IsVerified, a.VerificationReason, a.VerifiedAt)
			}
			if a.VerificationReason != "" && !a.VerificationReason.Known() || a.VerificationMessage == "" || a.NextStep == "" {
				t.Fatalf("reason %q has no words", a.VerificationReason)
			}
			if a.IsVerified && a.Evidence.Strength == employee.NoProof || !a.IsVerified && a.Evidence != nil && a.Evidence.Strength != employee.NoProof {
				t.Fatalf("verified %v on %s", a.IsVerified, a.Evidence.Strength)
			}
			if a.AccountID != before.AccountID || a.AccountLast4 != before.AccountLast4 || !a.CreatedAt.Equal(noon) {
				t.Fatal("who it is has changed")
			}
		}
	})
}

// A state is a value: its successor does not change it.
func TestStatesAreValues(t *testing.T) {
	a := judged(employee.PolicyMask, aliased, names(owner))
	before := a
	copied := *a.Evidence
	a.Judged(employee.Refused(employee.NumberMismatch), later)
	a.Attest(later)
	for _, e := range events {
		a.After(e, later)
	}
	if d := cmp.Diff(before, a); d != "" || cmp.Diff(copied, *a.Evidence) != "" {
		t.Error(d)
	}
}

func TestSessionOf(t *testing.T) {
	end := noon.Add(time.Minute)
	got := employee.SessionOf(connection.Session{ID: "s", Mode: "new", State: connection.Exited, PublicToken: "public-sandbox-1", FinishedAt: &end,
		Exit: &connection.Exit{Status: "requires_credentials", ErrorCode: "INVALID_CREDENTIALS"}}, later)
	want := &employee.Session{SessionID: "s", Mode: "new", Outcome: "exited", ExitStatus: "requires_credentials", ErrorCode: "INVALID_CREDENTIALS", At: end}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := employee.SessionOf(connection.Session{State: connection.Pending}, later); !got.At.Equal(later) {
		t.Error("a running session is as of now")
	}
}

func TestWatched(t *testing.T) {
	if !judged("", status("unsent")).Watched() || judged("").Watched() || fresh().Judged(employee.Refused(employee.DepositPending), noon).Watched() {
		t.Error("what waits on the bank is watched, what is settled or not joined is not")
	}
}

// Every reason in the table of Plaid's codes is on the closed list.
func TestCodesGiveKnownReasons(t *testing.T) {
	t.Parallel()
	for _, code := range connection.AllCodes() {
		if r := employee.ReasonOf(code); !r.Known() {
			t.Errorf("%s gives %q", code, r)
		}
	}
}
