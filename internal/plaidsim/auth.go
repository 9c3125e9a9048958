package plaidsim

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
)

// authReady refuses numbers of an account whose verification status does not allow them yet.
func authReady(status string) *apiError {
	switch status {
	case "pending_automatic_verification", "pending_manual_verification", "unsent":
		return errNotReady()
	case "verification_expired", "verification_failed":
		return itemError("NO_AUTH_ACCOUNTS", "the verification of this account did not succeed; the user must link it again")
	}
	return nil
}

func (s *Server) authGet(c *call) (obj, *apiError) {
	if err := s.checkConsent(c.item, "auth"); err != nil {
		return nil, err
	}
	accounts, err := selectAccounts(s.accounts(c.item), c.strs("options.account_ids"))
	if err != nil {
		return nil, err
	}
	accounts = slices.DeleteFunc(slices.Clone(accounts), func(a account) bool { return !a.debitable() })
	if len(accounts) == 0 {
		return nil, itemError("NO_AUTH_ACCOUNTS", "there are no valid checking, savings or cash management accounts associated with this Item")
	}
	var ready []account
	var refusal *apiError
	for _, a := range accounts {
		if err := authReady(a.status); err != nil {
			refusal = err
			continue
		}
		ready = append(ready, a)
	}
	if len(ready) == 0 {
		return nil, refusal
	}
	s.recordUse(c.item, "auth")
	if c.item.AuthMethod == "" {
		c.item.AuthMethod = "INSTANT_AUTH"
		s.markChanged()
	}
	return obj{"accounts": s.accountObjects(c.item, ready), "numbers": s.numbersObject(c.item, ready), "item": s.itemObject(c.item)}, nil
}

func (s *Server) numbersObject(it *item, accounts []account) obj {
	ach, bacs, eft, international := []obj{}, []obj{}, []obj{}, []obj{}
	for _, a := range accounts {
		n := a.abroad
		if n.eft != "" || n.branch != "" {
			eft = append(eft, obj{"account_id": a.id, "account": a.accountNumber(), "institution": n.eft, "branch": n.branch})
		}
		if n.sort != "" {
			bacs = append(bacs, obj{"account_id": a.id, "account": a.accountNumber(), "sort_code": n.sort})
		}
		if n.iban != "" || n.bic != "" {
			international = append(international, obj{"account_id": a.id, "iban": n.iban, "bic": n.bic})
		}
		if n == (abroad{}) || a.routing != "" {
			ach = append(ach, s.achObject(it, a))
		}
	}
	return obj{"ach": ach, "bacs": bacs, "eft": eft, "international": international}
}

func (s *Server) achObject(it *item, a account) obj {
	b := findBank(it.Institution)
	tokenized := b != nil && b.tokenized
	out := obj{"account_id": a.id, "account": a.accountNumber(), "routing": a.routingNumber(),
		"wire_routing": a.wireNumber(), "is_tokenized_account_number": tokenized}
	if tokenized {
		out["account"], out["wire_routing"] = s.alias(it, a), nil
	}
	if it.Manual != nil {
		out["wire_routing"] = nil
	}
	return out
}

// alias is the number that a tokenizing bank gives out instead of the account's: stable for one caller, bank, user and
// account until the numbers change, and with other last digits than the real one.
func (s *Server) alias(it *item, a account) string {
	of := fmt.Appendf(nil, "%d|tan|%s|%s|%s|%s", s.opt.Seed, it.Client, it.Institution, it.User, a.mask)
	if n := it.AccountStates[a.mask].Numbers; n > 0 {
		of = fmt.Appendf(of, "|%d", n)
	}
	sum := sha256.Sum256(of)
	digits := fmt.Sprintf("9%015d", binary.BigEndian.Uint64(sum[:8])%1_000_000_000_000_000)
	if digits[len(digits)-4:] == a.mask {
		return digits[:len(digits)-1] + string('0'+(digits[len(digits)-1]-'0'+1)%10)
	}
	return digits
}
