package account

// Owes reports whether balances of a type of account are debts: Plaid then counts what the holder owes as positive. This
// is the one rule for everything that shows, adds up or exports a balance.
func Owes(accountType string) bool { return accountType == "credit" || accountType == "loan" }

// KnowOwed notes whether the balance is a debt; one stored by an older version does not say so.
func (a *Account) KnowOwed() {
	if a.Balance != nil {
		a.Balance.Owed = Owes(a.Type)
	}
}

// Own gives the current balance as its holder's: money that is there is positive, a debt negative. ok is false where the
// bank gave none.
func (b *Balance) Own() (minor int64, ok bool) {
	if b == nil || b.Current == nil {
		return 0, false
	}
	if b.Owed {
		return -*b.Current, true
	}
	return *b.Current, true
}
