package employee

import "github.com/bankctl/bankctl/internal/ach"

// NamePass is the lowest score at which an owner's name counts as the holder's: Plaid's own "possible match" (A39).
const NamePass = 70

// Verdict is the result of Match.
type Verdict struct {
	Verified bool
	Reason   Reason // empty if verified
	Message  string
	NextStep string
	Evidence Evidence

	PlaidAccountID string      // the judged account; empty if none was found
	Mask           string      // its mask
	OtherAccountID string      // another account of the Item with the typed numbers
	Adopted        ach.Numbers // the alias to pay to instead of the typed number; empty unless the policy adopts
}

// Match decides whether the typed account is one that Plaid vouches for (A38). Plaid's own numbers decide: an account
// is verified only if routing and account number both equal Plaid's and Plaid's status allows it (A6), or, at a bank
// that gives out aliases, if the company's policy allows it (A39). Every other account is not verified, for the first
// reason that applies in the order of Reasons. Equal numbers need no matching name; its score is recorded.
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

// Refused is a verdict without a comparison, for a reason known beforehand.
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

// decide returns the first reason that applies, in their order; none if the account is verified.
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
		m.findOtherAccount("")
		return firstReason(trouble, AccountMissing)
	}
	m.see(chosen)
	if r := firstReason(trouble, statusReason(chosen.Status), chosen.ineligible()); r != "" {
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

// compare compares the typed numbers with Plaid's.
func (m *match) compare(chosen PlaidAccount) Reason {
	sameAccount := m.typed.Account.Equal(chosen.Numbers.Account)
	if sameAccount && m.typed.Routing.Equal(chosen.Numbers.Routing) {
		m.Evidence.Comparison, m.Evidence.Strength = ComparedNumbers, strengthOf(m.Evidence.Access)
		return ""
	}
	// If Plaid did not say that the number is an alias, being equal to the typed one shows that it is none.
	said := chosen.Numbers.Tokenized != nil
	if chosen.Numbers.tokenized(m.said.Institution.ID) && (said || !sameAccount) {
		return m.byPolicy(chosen)
	}
	m.Evidence.Comparison = ComparedNumbers
	if !sameAccount {
		m.findOtherAccount(chosen.ID)
		return NumberMismatch
	}
	if r := m.said.Institution.routing(m.typed.Routing, chosen.Numbers.Routing); r != "" {
		return r
	}
	return RoutingReview // another of the same bank's
}

// byPolicy decides about an alias, which cannot equal the typed number (A39). Without a policy it is strict.
func (m *match) byPolicy(chosen PlaidAccount) Reason {
	agrees := m.typed.wellFormed() && chosen.Mask == m.typed.Account.Last4()
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

// findOtherAccount looks for another account of the same sign-in with the typed numbers: the employee chose the wrong
// one, or Plaid gave the account a new id. The verdict mentions it but does not use it.
func (m *match) findOtherAccount(chosen string) {
	for _, a := range m.said.Accounts {
		if a.ID == chosen || a.ineligible() != "" || statusReason(a.Status) != "" {
			continue
		}
		if m.typed.Account.Equal(a.Numbers.Account) && m.typed.Routing.Equal(a.Numbers.Routing) {
			m.OtherAccountID, m.Evidence.OtherMatches = a.ID, true
			return
		}
	}
}

// wellFormed reports whether the typed numbers are well-formed, so that an empty mask matches nothing.
func (t Typed) wellFormed() bool { return t.Account.Check() == nil && t.Routing.Check() == nil }
