package employee

import (
	"time"

	"github.com/bankctl/bankctl/internal/connection"
)

// Event is a change of an account after it was linked, or instead of a link.
type Event string

// The events.
const (
	EventVerified Event = "micro_deposit_verified"
	EventExpired  Event = "micro_deposit_expired"
	EventFailed   Event = "micro_deposit_failed"
	EventRelink   Event = "relink_required" // the sign-in has expired
	EventRevoked  Event = "revoked"         // the employee withdrew the permission
	EventRepaired Event = "repaired"        // the sign-in works again
	EventNumbers  Event = "new_numbers"     // the bank gave the account new numbers
	EventGone     Event = "account_gone"    // the account is no longer shared
	EventExited   Event = "exited"          // a link session ended without success
)

// EventOf reads the result of polling an Item: the verification_status of the joined account, and the Item's
// error_code. ok is false if they show no event.
func EventOf(status, code string) (e Event, ok bool) {
	if connection.CodeOf(code).Revoked {
		return EventRevoked, true
	}
	if ReasonOf(code) == RelinkRequired {
		return EventRelink, true
	}
	switch status {
	case "automatically_verified", "manually_verified":
		return EventVerified, true
	case "verification_expired":
		return EventExpired, true
	case "verification_failed":
		return EventFailed, true
	}
	return "", false
}

// After returns the state after an event. No event verifies an account: if ask is true, fetch the numbers from Plaid
// and let Match and Judged decide.
func (a BankAccount) After(e Event, at time.Time) (next BankAccount, ask bool) {
	switch e {
	case EventVerified, EventRepaired, EventNumbers:
		return a, a.PlaidItemID != ""
	case EventExpired:
		return a.Judged(Refused(DepositExpired), at), false
	case EventFailed:
		return a.Judged(Refused(DepositFailed), at), false
	case EventRelink, EventRevoked:
		return a.loseAccess(RelinkRequired, e == EventRevoked, at), false
	case EventGone:
		return a.loseAccess(AccountMissing, true, at), false
	case EventExited:
		return a.exit(at), false
	}
	return a, false
}

// exit records that the employee left Link (R159, R160). A deposit on its way goes on in any case.
func (a BankAccount) exit(at time.Time) BankAccount {
	if a.IsVerified || a.VerificationReason == DepositPending {
		return a
	}
	return a.Judged(Refused(Exited), at)
}

// Unsaved notes, for an account without a verdict, that Link was finished and its result was not saved.
func (a BankAccount) Unsaved(at time.Time) BankAccount {
	switch a.VerificationReason {
	case NotStarted, Exited:
		if !a.IsVerified {
			return a.Judged(Refused(LinkNotSaved), at)
		}
	}
	return a
}

// Open reports whether a background check may change the verdict: the account is verified, or a link call has begun a
// verdict. Other accounts wait for a link call.
func (a BankAccount) Open() bool { return a.IsVerified || a.Watched() }

// IsAttested reports whether an account is verified by an administrator's word.
func (a BankAccount) IsAttested() bool {
	return a.IsVerified && a.Evidence != nil && a.Evidence.Comparison == AttestedByHand
}

// TurnToPlaid makes Plaid verify an account that was added without verification.
func (a BankAccount) TurnToPlaid(at time.Time) BankAccount {
	a.VerificationType, a.UpdatedAt = ByPlaid, at
	return a.explained()
}

// loseAccess takes access away. Equal numbers stay equal, but a bank's alias ends with its permission.
func (a BankAccount) loseAccess(r Reason, aliasDies bool, at time.Time) BankAccount {
	if aliasDies && a.IsVerified && a.Evidence != nil && a.Evidence.Comparison == AdoptedNumbers {
		return a.unverified(Refused(r), at)
	}
	return a.Judged(Refused(r), at)
}

// Judged returns the state after a verdict. A verified account stays verified unless the verdict contradicts its proof
// (A42); the verdict is recorded beside it.
func (a BankAccount) Judged(v Verdict, at time.Time) BankAccount {
	switch {
	case v.Verified:
		return a.verified(v, at)
	case a.IsVerified && !v.Reason.contradicts():
		a.LastCheck = &Check{Reason: v.Reason, Message: v.Message, At: at}
		a.UpdatedAt = at
		return a
	}
	return a.unverified(v, at)
}

func (a BankAccount) verified(v Verdict, at time.Time) BankAccount {
	if !a.IsVerified {
		a.VerifiedAt = &at
	}
	a.IsVerified = true
	return a.settle(v, at)
}

func (a BankAccount) unverified(v Verdict, at time.Time) BankAccount {
	a.IsVerified, a.VerifiedAt = false, nil
	return a.settle(v, at)
}

func (a BankAccount) settle(v Verdict, at time.Time) BankAccount {
	e := v.Evidence
	e.At = at
	if v.PlaidAccountID != "" {
		a.PlaidAccountID, a.Mask = v.PlaidAccountID, v.Mask
	}
	if e.InstitutionID != "" {
		a.InstitutionID, a.InstitutionName = e.InstitutionID, e.InstitutionName
	}
	a.VerificationReason, a.Evidence, a.LastCheck, a.UpdatedAt = v.Reason, &e, nil, at
	return a.explained()
}

// Attest marks an account as verified by an administrator.
func (a BankAccount) Attest(at time.Time) BankAccount {
	return a.verified(Verdict{Reason: Attested, Evidence: Evidence{Comparison: AttestedByHand, Strength: ByHand, Access: "none"}}, at)
}

// Join ties an account to the one chosen in Link (R146); it does not change whether the account is verified.
func (a BankAccount) Join(itemID, plaidAccountID string, bank connection.Institution, at time.Time) BankAccount {
	a.PlaidItemID, a.PlaidAccountID = itemID, plaidAccountID
	a.InstitutionID, a.InstitutionName, a.UpdatedAt = bank.ID, bank.Name, at
	return a
}

// Watched reports whether an account may still change by itself, so that polling is worth it.
func (a BankAccount) Watched() bool {
	switch a.VerificationReason {
	case DepositPending, InstitutionDown, PlaidUnavailable:
		return a.PlaidItemID != ""
	}
	return false
}

// Moved reports whether the state changed in a way that needs an audit event.
func (a BankAccount) Moved(from BankAccount) bool {
	found := func(c *Check) Reason {
		if c == nil {
			return ""
		}
		return c.Reason
	}
	return a.IsVerified != from.IsVerified || a.VerificationReason != from.VerificationReason || found(a.LastCheck) != found(from.LastCheck)
}
