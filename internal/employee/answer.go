package employee

import (
	"slices"

	"github.com/bankctl/bankctl/internal/ach"
)

// Typed is what the employee entered.
type Typed struct {
	ach.Numbers
	HolderName  string
	AccountType AccountType
}

// Answer is what Plaid says on the daemon's own asking. Nothing that a caller posted belongs in it, save which account
// was chosen (A37). The zero one says that nothing was linked.
type Answer struct {
	Chosen      string         // Plaid's id of the account the employee chose; empty where the Item has only one
	Trouble     string         // Plaid's error_code where it refused, NoAnswer where it said nothing
	Accounts    []PlaidAccount // what the Item shares
	Institution Institution
	Owners      Owners // of the chosen account
}

// PlaidAccount is one account of an Item.
type PlaidAccount struct {
	ID            string
	Mask          string
	Type, Subtype string
	Status        string        // verification_status
	Numbers       *PlaidNumbers // nil where /auth/get gave none
}

// PlaidNumbers are the numbers Plaid gave. Tokenized is nil where it did not say whether they are an alias.
type PlaidNumbers struct {
	ach.Numbers
	Tokenized *bool
}

// Institution is the bank, with the routing numbers Plaid knows of it; none where they could not be had.
type Institution struct {
	ID, Name string
	Routing  []ach.RoutingNumber
}

// Owners are who Plaid says the account belongs to: its own score of the holder's name, or at least the names. Neither
// is there where they cannot be had.
type Owners struct {
	Score *int // legal_name.score of /identity/match
	Names []string
}

// Score says how well a name fits, preferring Plaid's own score; ok is false where nothing can be said.
func (o Owners) score(holder string) (score int, source string, ok bool) {
	if o.Score != nil && *o.Score >= 0 && *o.Score <= 100 {
		return *o.Score, "plaid", true
	}
	if score, ok := OwnerScore(holder, o.Names); ok {
		return score, "names", true
	}
	return 0, "", false
}

// tokenBanks hand out aliases; asked only where Plaid did not say (A39). The last one is the sandbox's.
var tokenBanks = []string{"ins_56", "ins_13", "ins_127990", "ins_127287"}

func (n PlaidNumbers) tokenized(institution string) bool {
	if n.Tokenized != nil {
		return *n.Tokenized
	}
	return slices.Contains(tokenBanks, institution)
}

func (a Answer) silent() bool {
	return a.Chosen == "" && a.Trouble == "" && len(a.Accounts) == 0
}

// chosen finds the account the employee chose; with no choice told, an only account is it.
func (a Answer) chosen() (PlaidAccount, bool) {
	if a.Chosen == "" && len(a.Accounts) == 1 {
		return a.Accounts[0], true
	}
	i := slices.IndexFunc(a.Accounts, func(p PlaidAccount) bool { return a.Chosen != "" && p.ID == a.Chosen })
	if i < 0 {
		return PlaidAccount{}, false
	}
	return a.Accounts[i], true
}

// routing says how a typed routing number stands to the bank of an account.
func (i Institution) routing(typed, given ach.RoutingNumber) Reason {
	switch {
	case typed.Equal(given) || slices.ContainsFunc(i.Routing, typed.Equal):
		return ""
	case len(i.Routing) == 0:
		return RoutingReview
	}
	return RoutingMismatch
}

// unfit says NotEligible of an account that payroll cannot pay to: one that holds no deposits, or whose numbers Plaid did
// not give whole, so that what is compared has the form of numbers.
func (p PlaidAccount) unfit() Reason {
	if p.Type != "" && p.Type != "depository" || p.Numbers == nil ||
		p.Numbers.Account.Check() != nil || p.Numbers.Routing.Check() != nil {
		return NotEligible
	}
	return ""
}

// typeDiffers reports whether the bank plainly calls the account by the other type.
func (p PlaidAccount) typeDiffers(t AccountType) bool {
	return p.Subtype == "checking" && t == Savings || p.Subtype == "savings" && t == Checking
}

// shownMask is the mask as a reply may show it: never more than four characters.
func (p PlaidAccount) shownMask() string {
	if len(p.Mask) > 4 {
		return p.Mask[len(p.Mask)-4:]
	}
	return p.Mask
}
