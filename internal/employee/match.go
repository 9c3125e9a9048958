package employee

import "github.com/bankctl/bankctl/internal/ach"

// NamePass is the least score at which an owner's name counts as the holder's: Plaid's own "possible match" (A39).
const NamePass = 70

// Verdict is what Match decides.
type Verdict struct {
	Verified bool
	Reason   Reason // empty where verified
	Message  string
	NextStep string
	Evidence Evidence

	PlaidAccountID string      // the account that was judged; empty where none was found
	Mask           string      // its mask
	OtherAccountID string      // another account of the Item that has the numbers typed
	Adopted        ach.Numbers // the alias to pay to instead of what was typed; empty unless the policy adopts
}

// Match decides whether what was typed is the account that Plaid vouches for (A38). Plaid's own numbers decide: an
// account is verified only if routing and account number both equal Plaid's and Plaid's status allows it (A6), or, at a
// bank that hands out aliases, if the company's policy says so in words (A39). Everything else is not verified, with
// one reason of the closed list, the first that applies in the order of Reasons. The name is not needed where
// numbers are equal; its score is recorded.
func Match(typed Typed, said Answer, policy Policy) Verdict {
	m := match{typed: typed, said: said, policy: policy}
	m.Evidence = Evidence{
		Comparison: ComparedNothing, Strength: NoProof, Access: "none", PlaidError: said.Trouble,
		InstitutionID: said.Institution.ID, InstitutionName: said.Institution.Name,
	}
	if score, source, ok := said.Owners.score(typed.HolderName); ok {
		m.Evidence.NameScore, m.Evidence.NameSource = &score, source
	}
	m.Reason = m.decide()
	m.Verified = m.Reason == ""
	m.Message, m.NextStep = words(m.Reason, m.Evidence)
	return m.Verdict
}

// Refused is the verdict where there was nothing to compare, for a reason known beforehand.
func Refused(r Reason) Verdict {
	v := Verdict{Reason: r, Evidence: Evidence{Comparison: ComparedNothing, Strength: NoProof, Access: "none"}}
	v.Message, v.NextStep = words(r, v.Evidence)
	return v
}

type match struct {
	Verdict
	typed  Typed
	said   Answer
	policy Policy
}

// decide walks the reasons in their order; none is left where the account is verified.
func (m *match) decide() Reason {
	if m.said.silent() {
		return NotStarted
	}
	trouble := ReasonOf(m.said.Trouble)
	chosen, found := m.said.chosen()
	switch {
	case !found && len(m.said.Accounts) == 0 && trouble != "":
		return trouble
	case !found:
		m.lookElsewhere("")
		return first(trouble, AccountMissing)
	}
	m.see(chosen)
	if r := first(trouble, heldUp(chosen.Status), chosen.unfit()); r != "" {
		return r
	}
	return m.compare(chosen)
}

func (m *match) see(chosen PlaidAccount) {
	m.PlaidAccountID, m.Mask = chosen.ID, chosen.shownMask()
	_, m.Evidence.Access = proof(chosen.Status)
	m.Evidence.PlaidStatus = chosen.Status
	m.Evidence.TypeDiffers = chosen.typeDiffers(m.typed.AccountType)
}

// compare holds the typed numbers against Plaid's.
func (m *match) compare(chosen PlaidAccount) Reason {
	sameAccount := m.typed.Account.Equal(chosen.Numbers.Account)
	if sameAccount && m.typed.Routing.Equal(chosen.Numbers.Routing) {
		m.Evidence.Comparison, m.Evidence.Strength = ComparedNumbers, strengthOf(m.Evidence.Access)
		return ""
	}
	// Where Plaid did not say that it is an alias, a number equal to the one typed shows that it is none.
	said := chosen.Numbers.Tokenized != nil
	if chosen.Numbers.tokenized(m.said.Institution.ID) && (said || !sameAccount) {
		return m.byPolicy(chosen)
	}
	m.Evidence.Comparison = ComparedNumbers
	if !sameAccount {
		m.lookElsewhere(chosen.ID)
		return NumberMismatch
	}
	if r := m.said.Institution.routing(m.typed.Routing, chosen.Numbers.Routing); r != "" {
		return r
	}
	return RoutingReview // another routing number of the same bank
}

// byPolicy decides on an alias, which can never equal what was typed (A39). No policy is the strict one.
func (m *match) byPolicy(chosen PlaidAccount) Reason {
	agrees := m.typed.sound() && chosen.Mask == m.typed.Account.Last4()
	m.Evidence.Tokenized, m.Evidence.Policy, m.Evidence.MaskAgrees = true, m.policy, &agrees
	switch m.policy {
	case PolicyAdopt:
		m.Adopted = chosen.Numbers.Numbers
		m.Evidence.Comparison, m.Evidence.Strength = AdoptedNumbers, Weak
		return ""
	case PolicyMask:
		m.Evidence.Comparison = ComparedMask
		return m.byMask(chosen, agrees)
	}
	m.Evidence.Policy = PolicyStrict
	return TokenizedStrict
}

func (m *match) byMask(chosen PlaidAccount, agrees bool) Reason {
	if !agrees {
		return TokenizedMaskMismatch
	}
	if r := m.said.Institution.routing(m.typed.Routing, chosen.Numbers.Routing); r != "" {
		return r
	}
	switch score := m.Evidence.NameScore; {
	case score == nil:
		return NameUnavailable
	case *score < NamePass:
		return NameMismatch
	}
	m.Evidence.Strength = Weak
	return ""
}

// lookElsewhere notes another account of the same sign-in that has the numbers typed: the employee chose the wrong one,
// or Plaid gave the account a new id. It is told, never taken.
func (m *match) lookElsewhere(chosen string) {
	for _, a := range m.said.Accounts {
		if a.ID == chosen || a.unfit() != "" || heldUp(a.Status) != "" {
			continue
		}
		if m.typed.Account.Equal(a.Numbers.Account) && m.typed.Routing.Equal(a.Numbers.Routing) {
			m.OtherAccountID, m.Evidence.OtherMatches = a.ID, true
			return
		}
	}
}

// sound reports whether the numbers typed have the form of numbers, so that an empty mask agrees with nothing.
func (t Typed) sound() bool { return t.Account.Check() == nil && t.Routing.Check() == nil }
