package plaidsim

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// eventAccount finds the account that an event names.
func (s *Server) eventAccount(it *item, e Event) (account, error) {
	accounts := s.accounts(it)
	i := slices.IndexFunc(accounts, func(a account) bool { return a.mask == e.Mask })
	if i < 0 {
		return account{}, wrongField("mask", "must be that of an account which the Item shares")
	}
	return accounts[i], nil
}

// updateAccount changes the stored state of an account.
func (it *item) updateAccount(mask string, change func(*accountState)) {
	if it.AccountStates == nil {
		it.AccountStates = map[string]accountState{}
	}
	f := it.AccountStates[mask]
	change(&f)
	it.AccountStates[mask] = f
}

// newAccounts opens an account at the bank. The Item gets it only through an update in which the user chooses it.
func (s *Server) newAccounts(it *item, e Event, _ time.Time) error {
	if err := requireLogin(it, e.Kind); err != nil {
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

func (s *Server) accountRevoked(it *item, e Event, now time.Time) error {
	if err := requireLogin(it, e.Kind); err != nil {
		return err
	}
	a, err := s.eventAccount(it, e)
	if err != nil {
		return err
	}
	s.hideAccount(it, a.mask, now, func(f *accountState) { f.Revoked = true })
	s.sendItem(it, "ITEM", "USER_ACCOUNT_REVOKED", obj{"account_id": a.id})
	return nil
}

func (s *Server) accountClosed(it *item, e Event, now time.Time) error {
	a, err := s.eventAccount(it, e)
	if err != nil {
		return err
	}
	s.hideAccount(it, a.mask, now, func(f *accountState) { f.Closed = true })
	return nil
}

func (s *Server) hideAccount(it *item, mask string, now time.Time, change func(*accountState)) {
	before := s.beforeSharing(it)
	it.updateAccount(mask, change)
	s.afterSharing(it, before, now)
}

func (s *Server) accountRenamed(it *item, e Event, _ time.Time) error {
	a, err := s.eventAccount(it, e)
	if err != nil {
		return err
	}
	it.updateAccount(a.mask, func(f *accountState) { f.Name = e.Name })
	return nil
}

// accountReissued is Plaid's account churn: the account comes back with another account_id, and so do its transactions.
func (s *Server) accountReissued(it *item, e Event, now time.Time) error {
	a, err := s.eventAccount(it, e)
	if err != nil {
		return err
	}
	it.updateAccount(a.mask, func(f *accountState) { f.Reissued++ })
	if !it.Txns.Started.IsZero() {
		s.changeTxns(it, txnChange{Kind: changeReissued, Mask: a.mask}, now)
		s.announceTransactions(it, now)
	}
	return nil
}

// numbersChanged acts as after a merger of banks.
func (s *Server) numbersChanged(it *item, e Event, _ time.Time) error {
	a, err := s.eventAccount(it, e)
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
		it.updateAccount(a.mask, func(f *accountState) { f.Numbers++ })
	}
	if what == "routing" || what == "both" {
		told = append(told, "ROUTING_NUMBER")
		it.updateAccount(a.mask, func(f *accountState) { f.Routings++ })
	}
	if told == nil {
		return wrongField("what", "must be account, routing or both")
	}
	if slices.Contains(it.Products, "auth") {
		s.sendItem(it, "AUTH", "DEFAULT_UPDATE", obj{"account_ids_with_new_auth": []string{}, "account_ids_with_updated_auth": obj{a.id: told}})
	}
	return nil
}

// verificationStatuses has every status of an account, with the text that the page for text-message codes shows for it.
var verificationStatuses = map[string]string{
	"pending_automatic_verification": "", "automatically_verified": "", "verification_expired": "", "pending_manual_verification": "",
	"manually_verified": "MANUALLY_VERIFIED", "verification_failed": "VERIFICATION_FAILED", "unsent": "", "database_matched": "",
	"database_insights_pass": "", "database_insights_pass_with_caution": "", "database_insights_fail": "",
}

func (s *Server) verificationChanged(it *item, e Event, now time.Time) error {
	a, err := s.eventAccount(it, e)
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
