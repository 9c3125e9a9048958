package plaidsim

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// theAccount finds the account that an event names.
func (s *Server) theAccount(it *item, e Event) (account, error) {
	accounts := s.accounts(it)
	i := slices.IndexFunc(accounts, func(a account) bool { return a.mask == e.Mask })
	if i < 0 {
		return account{}, wrongField("mask", "must be that of an account which the Item shares")
	}
	return accounts[i], nil
}

// befall changes the fate of an account.
func (it *item) befall(mask string, change func(*fate)) {
	if it.Fates == nil {
		it.Fates = map[string]fate{}
	}
	f := it.Fates[mask]
	change(&f)
	it.Fates[mask] = f
}

// happenNewAccounts opens an account at the bank. It is the Item's only after
// an update that lets the user choose it.
func (s *Server) happenNewAccounts(it *item, e Event, _ time.Time) error {
	if err := signedIn(it, e.Kind); err != nil {
		return err
	}
	taken := func(mask string) bool {
		return slices.ContainsFunc(s.bankAccounts(it), func(f fixture) bool { return f.mask == mask })
	}
	mask := e.Mask
	for n := 6001; mask == "" || e.Mask == "" && taken(mask); n++ {
		mask = fmt.Sprint(n)
	}
	if len(mask) != 4 || digits(mask) != mask || taken(mask) {
		return wrongField("mask", "must be four digits that no account of the user has")
	}
	it.Opened = append(it.Opened, openedAccount{Mask: mask, Name: cmp.Or(e.Name, "Plaid New Checking")})
	s.sendItem(it, "ITEM", "NEW_ACCOUNTS_AVAILABLE", nil)
	return nil
}

func (s *Server) happenAccountRevoked(it *item, e Event, now time.Time) error {
	if err := signedIn(it, e.Kind); err != nil {
		return err
	}
	a, err := s.theAccount(it, e)
	if err != nil {
		return err
	}
	s.hideAccount(it, a.mask, now, func(f *fate) { f.Revoked = true })
	s.sendItem(it, "ITEM", "USER_ACCOUNT_REVOKED", obj{"account_id": a.id})
	return nil
}

func (s *Server) happenAccountClosed(it *item, e Event, now time.Time) error {
	a, err := s.theAccount(it, e)
	if err != nil {
		return err
	}
	s.hideAccount(it, a.mask, now, func(f *fate) { f.Closed = true })
	return nil
}

func (s *Server) hideAccount(it *item, mask string, now time.Time, change func(*fate)) {
	before := s.beforeSharing(it)
	it.befall(mask, change)
	s.afterSharing(it, before, now)
}

func (s *Server) happenAccountRenamed(it *item, e Event, _ time.Time) error {
	a, err := s.theAccount(it, e)
	if err != nil {
		return err
	}
	it.befall(a.mask, func(f *fate) { f.Name = e.Name })
	return nil
}

// happenAccountReissued is what Plaid calls account churn: the account is
// removed, and one with another account_id made. So are its transactions.
func (s *Server) happenAccountReissued(it *item, e Event, now time.Time) error {
	a, err := s.theAccount(it, e)
	if err != nil {
		return err
	}
	it.befall(a.mask, func(f *fate) { f.Reissued++ })
	if !it.Txns.Started.IsZero() {
		s.changeTxns(it, txnChange{Kind: changeReissued, Mask: a.mask}, now)
		s.tellTransactions(it, now)
	}
	return nil
}

// happenNumbersChanged is a merger of banks, or a new numbering.
func (s *Server) happenNumbersChanged(it *item, e Event, _ time.Time) error {
	a, err := s.theAccount(it, e)
	if err != nil {
		return err
	}
	if !a.debitable() {
		return wrongField("mask", "must be that of an account with numbers")
	}
	var told []string
	what := cmp.Or(e.What, "both")
	if what == "account" || what == "both" {
		told = append(told, "ACCOUNT_NUMBER")
		it.befall(a.mask, func(f *fate) { f.Numbers++ })
	}
	if what == "routing" || what == "both" {
		told = append(told, "ROUTING_NUMBER")
		it.befall(a.mask, func(f *fate) { f.Routings++ })
	}
	if told == nil {
		return wrongField("what", "must be account, routing or both")
	}
	if slices.Contains(it.Products, "auth") {
		s.sendItem(it, "AUTH", "DEFAULT_UPDATE", obj{"account_ids_with_new_auth": []string{}, "account_ids_with_updated_auth": obj{a.id: told}})
	}
	return nil
}

// verificationStatuses are all that an account can have, with what the page for codes
// by text message tells of them.
var verificationStatuses = map[string]string{
	"pending_automatic_verification": "", "automatically_verified": "", "verification_expired": "", "pending_manual_verification": "",
	"manually_verified": "MANUALLY_VERIFIED", "verification_failed": "VERIFICATION_FAILED", "unsent": "", "database_matched": "",
	"database_insights_pass": "", "database_insights_pass_with_caution": "", "database_insights_fail": "",
}

func (s *Server) happenVerification(it *item, e Event, now time.Time) error {
	a, err := s.theAccount(it, e)
	if err != nil {
		return err
	}
	told, known := verificationStatuses[e.Status]
	if !known {
		return wrongField("status", "must be one of %v", sortedKeys(verificationStatuses))
	}
	if e.Unseen && e.Status != "pending_automatic_verification" {
		return wrongField("unseen", "needs the status pending_automatic_verification")
	}
	s.setVerification(it, a.mask, e.Status, now)
	v := it.Verification[a.mask]
	v.Unseen, v.Tries = e.Unseen, 0
	it.Verification[a.mask] = v
	if told != "" {
		s.sendItem(it, "AUTH", "SMS_MICRODEPOSITS_VERIFICATION", obj{"account_id": a.id, "status": told})
	}
	return nil
}
