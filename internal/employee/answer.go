package employee

import (
	"slices"

	"github.com/bankctl/bankctl/internal/ach"
)

// Typed is the employee's input.
type Typed struct {
	ach.Numbers
	HolderName  string
	AccountType AccountType
}

// Answer is Plaid's data about an account, fetched by the daemon. Of the caller's input it has only the chosen account
// (A37). The zero Answer means that nothing was linked.
type Answer struct {
	Chosen      string         // Plaid's id of the chosen account; may be empty if the Item has only one
	Trouble     string         // Plaid's error_code; NoAnswer if Plaid did not reply
	Accounts    []PlaidAccount // the Item's shared accounts
	Institution Institution
	Owners      Owners // of the chosen account
}

// PlaidAccount is one account of an Item.
type PlaidAccount struct {
	ID            string
	Mask          string
	Type, Subtype string
	Status        string        // verification_status
	Numbers       *PlaidNumbers // nil if /auth/get gave none
}

// PlaidNumbers are numbers from Plaid. Tokenized is nil if Plaid does not say whether they are an alias.
type PlaidNumbers struct {
	ach.Numbers
	Tokenized *bool
}

// Institution is the bank, with the routing numbers that Plaid knows of it, if any.
type Institution struct {
	ID, Name string
	Routing  []ach.RoutingNumber
}

// Owners is Plaid's data about the account's owners: its own score of the holder's name, or at least the names; empty
// if there is neither.
type Owners struct {
	Score *int // legal_name.score of /identity/match
	Names []string
}

// score tells how well a holder's name fits, preferring Plaid's own score; ok is false if there is nothing to compare.
func (o Owners) score(holder string) (score int, source string, ok bool) {
	if o.Score != nil && *o.Score >= 0 && *o.Score <= 100 {
		return *o.Score, "plaid", true
	}
	if score, ok := OwnerScore(holder, o.Names); ok {
		return score, "names", true
	}
	return 0, "", false
}

// tokenBanks give out aliases. The list counts only if Plaid did not say (A39); the last one is the sandbox's.
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

// chosen finds the chosen account; without a choice it takes an only account.
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

// routing compares a typed routing number with the bank of an account.
func (i Institution) routing(typed, given ach.RoutingNumber) Reason {
	switch {
	case typed.Equal(given) || slices.ContainsFunc(i.Routing, typed.Equal):
		return ""
	case len(i.Routing) == 0:
		return RoutingReview
	}
	return RoutingMismatch
}

// ineligible returns NotEligible for an account that payroll cannot pay to: one that takes no deposits, or whose
// numbers from Plaid are incomplete, so that later comparisons have well-formed numbers.
func (p PlaidAccount) ineligible() Reason {
	if p.Type != "" && p.Type != "depository" || p.Numbers == nil ||
		p.Numbers.Account.Check() != nil || p.Numbers.Routing.Check() != nil {
		return NotEligible
	}
	return ""
}

// typeDiffers reports whether the bank has the account under the other type.
func (p PlaidAccount) typeDiffers(t AccountType) bool {
	return p.Subtype == "checking" && t == Savings || p.Subtype == "savings" && t == Checking
}

// shownMask is the mask for replies: never more than four characters.
func (p PlaidAccount) shownMask() string {
	if len(p.Mask) > 4 {
		return p.Mask[len(p.Mask)-4:]
	}
	return p.Mask
}
