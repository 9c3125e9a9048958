package employee

// text is what a support person reads: what is the matter, and what to do now. None quotes a number.
type text struct{ message, next string }

const (
	freshLink = "Send the employee a new link for this same account; do not add the account again."
	fixOrPick = "Send a new link and ask the employee to choose the account they entered. If what they entered is wrong, delete this account and add the right one."
	nothingTo = "Nothing to do."
)

var texts = map[Reason]text{
	NotStarted: {"The employee has not linked a bank yet.",
		"Send the employee a link to verify this account."},
	LinkNotSaved: {"The employee has finished signing in at the bank, and the result was not saved.",
		"Save the finished link once more; if that fails, send the employee a new link for this same account."},
	Exited: {"The employee left Plaid before finishing.",
		"Ask what stopped them, then send a new link for this same account."},
	RelinkRequired: {"The bank no longer lets Plaid in: the sign-in or the permission has lapsed.",
		"Send a new link and ask the employee to sign in at the bank again."},
	AccountMissing: {"The account the employee chose is no longer shared by the bank.",
		"Send a new link and ask the employee to tick this account at the bank, or to check that it is still open."},
	DepositFailed: {"The bank's proof of this account failed.",
		"Check the numbers with the employee, then send a new link; signing in at the bank works best."},
	DepositExpired: {"The small test deposit was not seen in time.",
		"Check with the employee that the account is open, then send a new link to start again."},
	DepositPending: {"The bank's proof of this account is not through yet.",
		"Wait: it is checked again by itself. A test deposit takes one or two working days."},
	NotEligible: {"The bank does not offer this account for direct deposit.",
		"Send a new link and ask the employee to choose a checking or savings account."},
	InstitutionDown: {"The bank does not answer Plaid at the moment.",
		"Nothing is wrong with the account. Try again in a few hours."},
	PlaidUnavailable: {"Plaid could not be asked, so nothing could be compared.",
		"Nothing is wrong with the account. Try again in a few minutes."},
	TokenizedStrict: {"This bank hands out aliases instead of account numbers, and the company accepts only equal numbers.",
		"Verify it from a bank letter or a voided check, then have an administrator attest it."},
	TokenizedMaskMismatch: {"This bank hands out aliases, and the last digits it shows are not those entered.", fixOrPick},
	NumberMismatch:        {"The account the employee chose in Plaid is not the one entered.", fixOrPick},
	RoutingReview: {"The account number is right, but the bank gives another routing number than the one entered; a bank may have several.",
		"Check with the bank that the routing number entered takes direct deposits for this account, then have an administrator attest it, or delete the account and add it with the bank's routing number."},
	RoutingMismatch: {"The routing number entered does not belong to the bank the employee chose.",
		"Ask the employee for the routing number on a check or in the bank's app, then delete this account and add the right one."},
	NameUnavailable: {"This bank hands out aliases and gave no owner's name, so the account could not be tied to the employee.",
		"Send a new link and ask the employee to share contact details with Plaid; otherwise have an administrator attest it from a bank letter."},
	NameMismatch: {"This bank hands out aliases, and the owner's name it gives is not the holder's name entered.",
		"Check the holder's name with the employee. If it is right, have an administrator attest the account from a bank letter; else delete it and add the right one."},
	Attested: {"An administrator vouched for this account by hand.", nothingTo},
}

// byStatus are the words where Plaid's status says more than the reason.
var byStatus = map[string]text{
	"pending_manual_verification": {"A test deposit is on its way with a code that the employee must enter.",
		"When the deposit has arrived, send a new link and ask the employee to enter the code beside it."},
	"unsent": {"The test deposit has not been sent yet.",
		"Wait: it is checked again by itself."},
	"database_insights_pass_with_caution": {"Plaid knows nothing against the account, but cannot confirm it either.",
		"Send a new link and ask the employee to sign in at the bank instead of typing the numbers."},
	"database_insights_fail": {"Plaid's records say that this account does not exist or is closed.",
		"Check the numbers with the employee, then send a new link; signing in at the bank works best."},
	"verification_failed": {"Wrong codes were entered too often, and the bank's proof is locked.",
		"Send a new link to start again; signing in at the bank works best."},
}

// verified are the words of a verified account, by what was compared.
var verified = map[string]text{
	ComparedNumbers: {"The routing and account numbers entered are the bank's own.", nothingTo},
	ComparedMask:    {"This bank hands out aliases; the last four digits, the routing number and the owner's name agree.", nothingTo},
	AdoptedNumbers:  {"This bank hands out aliases; the alias it gave is paid to instead of the number entered, as the company decided.", nothingTo},
	AttestedByHand:  {"An administrator vouched for this account by hand.", nothingTo},
}

// words gives the message and the next step of a reason; none is a verified account.
func words(r Reason, e Evidence) (message, next string) {
	t := texts[r]
	switch {
	case r == "" && e.Strength == Moderate:
		t = text{"The numbers entered are the bank's own and known to Plaid's records; the employee did not sign in at the bank.", nothingTo}
	case r == "":
		t = verified[e.Comparison]
	case e.OtherMatches && r == NumberMismatch:
		t.message = "The employee chose another of their accounts in Plaid; one of them is the account entered."
		t.next = "Send a new link and ask the employee to choose the account they entered."
	case r == DepositPending || r == DepositFailed:
		if special, ok := byStatus[e.PlaidStatus]; ok && heldUp(e.PlaidStatus) == r {
			t = special
		}
	}
	return t.message, t.next
}

// manualText is an account that was never meant to be verified through Plaid (R155).
var manualText = text{"This account was added without verification.",
	"Check it from a bank letter or a voided check, then have an administrator attest it."}

// Explain gives a reason's plain words: what is the matter, and what to do now.
func Explain(r Reason) (message, next string) {
	return words(r, Evidence{Comparison: ComparedNumbers, Strength: Strong})
}

// explained fills in an account's words from its state.
func (a BankAccount) explained() BankAccount {
	var e Evidence
	if a.Evidence != nil {
		e = *a.Evidence
	}
	a.VerificationMessage, a.NextStep = words(a.VerificationReason, e)
	if a.VerificationType == Manual && a.VerificationReason == NotStarted {
		a.VerificationMessage, a.NextStep = manualText.message, manualText.next
	}
	return a
}
