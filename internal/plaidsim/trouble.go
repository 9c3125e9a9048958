package plaidsim

import (
	"fmt"
	"slices"
	"time"
)

// anyProduct is the key of Barred for every product call.
const anyProduct = ""

// trouble is why a call about a product is refused, whoever asks.
func (s *Server) trouble(it *item, product string, now time.Time) *apiError {
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

// heal is what a finished update puts right. Accounts come back only where the
// user was asked for them.
func (s *Server) heal(it *item, selected bool, now time.Time) {
	it.Error, it.Healed, it.Ends, it.Relinkable = "", now, time.Time{}, false
	for product, code := range it.Barred {
		if code == "ACCESS_NOT_GRANTED" || selected {
			delete(it.Barred, product)
		}
	}
	b := findBank(it.Institution)
	for mask, f := range it.Fates {
		if !f.Revoked || !it.shares(mask) {
			continue
		}
		f.Revoked = false
		if b != nil && b.tokenized {
			f.Numbers++
		}
		it.Fates[mask] = f
	}
	s.touch()
}

// openAccounts are those that the user can share in an update.
func (s *Server) openAccounts(it *item) []fixture {
	return slices.DeleteFunc(s.bankAccounts(it), func(f fixture) bool { return it.Fates[f.mask].Closed })
}

// changed is a fixture as it is by now.
func (it *item) changed(f fixture) fixture {
	c := it.Fates[f.mask]
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

// Changed numbers follow the published ones.
const (
	numberBase  = 1111_2222_3333
	routingBase = 1140153 // 011401533 without its check digit
)
