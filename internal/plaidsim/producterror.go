package plaidsim

import (
	"fmt"
	"slices"
	"time"
)

// anyProduct is the key of Barred for every product call.
const anyProduct = ""

// productError is the error of any call about a product, or nil.
func (s *Server) productError(it *item, product string, now time.Time) *apiError {
	code := it.Barred[anyProduct]
	if code == "" {
		code = it.Barred[product]
	}
	switch {
	case it.Error != "":
		return brokenItem(it)
	case now.Before(it.DownUntil):
		return loginError("INSTITUTION_DOWN")
	case code != "":
		return exitError(code)
	case len(s.accounts(it)) == 0:
		return exitError("NO_ACCOUNTS")
	}
	return nil
}

// heal applies a finished update: it clears errors, and returns revoked accounts if the user could select them.
func (s *Server) heal(it *item, selected bool, now time.Time) {
	it.Error, it.Healed, it.Ends, it.Relinkable = "", now, time.Time{}, false
	for product, code := range it.Barred {
		if code == "ACCESS_NOT_GRANTED" || selected {
			delete(it.Barred, product)
		}
	}
	b := findBank(it.Institution)
	for mask, f := range it.AccountStates {
		if !f.Revoked || !it.shares(mask) {
			continue
		}
		f.Revoked = false
		if b != nil && b.tokenized {
			f.Numbers++
		}
		it.AccountStates[mask] = f
	}
	s.markChanged()
}

// openAccounts lists the accounts that the user can share in an update.
func (s *Server) openAccounts(it *item) []fixture {
	return slices.DeleteFunc(s.bankAccounts(it), func(f fixture) bool { return it.AccountStates[f.mask].Closed })
}

// current is the fixture with the account's changes applied.
func (it *item) current(f fixture) fixture {
	c := it.AccountStates[f.mask]
	if c.Name != "" {
		f.name = c.Name
	}
	if c.Numbers > 0 {
		f.number = fmt.Sprintf("%d%s", numberBase+c.Numbers, f.mask)
	}
	if c.Routings > 0 {
		f.routing = withChecksum(fmt.Sprintf("%08d", routingBase+c.Routings))
	}
	return f
}

// Changed numbers start after the published ones.
const (
	numberBase  = 1111_2222_3333
	routingBase = 1140153 // 011401533 without its check digit
)
