package connection

import (
	"slices"
	"strings"
	"time"
)

// Trouble is one thing that Plaid says against a connection, and what mends it.
type Trouble struct {
	Code  string     `json:"code" doc:"Plaid's error_code or webhook_code"`
	Hint  string     `json:"hint" doc:"What happened, and the command that mends it"`
	Step  string     `json:"step" enum:"reauth,choose_accounts,consent,relink,wait" doc:"What mends it: sign in again, choose accounts, agree to a product, link anew, or nothing but time"`
	At    time.Time  `json:"at" doc:"Since when"`
	Until *time.Time `json:"until,omitempty" doc:"When it stops working"`
}

// What mends a connection.
const (
	Reauth         = "reauth"
	ChooseAccounts = "choose_accounts"
	Consent        = "consent"
	Relink         = "relink"
	Wait           = "wait"
)

// Proof is what shows that a trouble is over.
type Proof int

// Proofs: each call shows that what would have stopped it is over.
const (
	ByTime     Proof = iota // /item/get names no end of the consent, or one that is far off
	ByItem                  // /item/get names no error
	ByAccounts              // the accounts were read
	ByNumbers               // their numbers were read
	ByUpdate                // an update session ended well
)

// signal is what a code of Plaid's means.
type signal struct {
	status string // empty: it works all the same
	rank   int    // which one of several gives the status: the greatest
	says   string
	step   string
	over   []Proof
}

// signals are the states of an Item that Plaid documents, with their remedies.
var signals = map[string]signal{
	"ITEM_NOT_FOUND":           {Failed, 9, "the connection is gone at Plaid", Relink, []Proof{ByItem, ByAccounts, ByNumbers}},
	"INVALID_ACCESS_TOKEN":     {Failed, 9, "Plaid does not take its token any more", Relink, []Proof{ByItem, ByAccounts, ByNumbers}},
	"TOKEN_LOST":               {Failed, 9, "its new token was lost before it could be stored", Relink, nil},
	"USER_PERMISSION_REVOKED":  {Revoked, 8, "the user took their consent back", Reauth, []Proof{ByItem, ByAccounts, ByNumbers}},
	"ITEM_LOGIN_REQUIRED":      {NeedsReauth, 7, "the bank asks the user to sign in again", Reauth, []Proof{ByItem, ByAccounts, ByNumbers}},
	"INVALID_CREDENTIALS":      reauth("the bank no longer takes the user's password"),
	"INVALID_MFA":              reauth("the bank wants a new code from the user"),
	"INSUFFICIENT_CREDENTIALS": reauth("the bank wants more from the user than Plaid has"),
	"PASSWORD_RESET_REQUIRED":  reauth("the user must reset their password at the bank first"),
	"USER_SETUP_REQUIRED":      reauth("the user must finish something at the bank's own site first"),
	"USER_INPUT_TIMEOUT":       reauth("the user did not answer the bank in time"),
	"ITEM_LOCKED":              reauth("the bank has locked the user's login: they unlock it there first"),

	"INSTITUTION_NO_LONGER_SUPPORTED": {Failed, 9, "Plaid no longer supports the bank", Relink, []Proof{ByItem, ByAccounts}},
	"ITEM_NOT_SUPPORTED":              {Failed, 9, "Plaid cannot serve this login", Relink, []Proof{ByItem, ByAccounts}},

	"VERIFICATION_EXPIRED": {Failed, 6, "the deposit was not confirmed in time, and Plaid has locked the account", Relink, nil},
	"VERIFICATION_FAILED":  {Failed, 6, "three wrong codes were entered, and Plaid has locked the account", Relink, nil},
	"NO_ACCOUNTS":          {Failed, 5, "the bank shows no account that may be used", ChooseAccounts, []Proof{ByAccounts}},
	"NO_AUTH_ACCOUNTS":     {Failed, 5, "none of its accounts can be debited", ChooseAccounts, []Proof{ByNumbers}},
	"ACCESS_NOT_GRANTED":   {NeedsReauth, 4, "the user did not grant what is asked for", Reauth, []Proof{ByNumbers, ByUpdate}},
	"PENDING_DISCONNECT":   {PendingDisconnect, 3, "the bank's access ends soon", Reauth, []Proof{ByTime}},
	"PENDING_EXPIRATION":   {PendingExpiration, 2, "the user's consent ends soon", Reauth, []Proof{ByTime}},

	"USER_ACCOUNT_REVOKED":        {"", 0, "the user took back the consent for one of its accounts", ChooseAccounts, []Proof{ByUpdate}},
	"NEW_ACCOUNTS_AVAILABLE":      {"", 0, "the bank has accounts that are not shared yet", ChooseAccounts, []Proof{ByUpdate}},
	"ADDITIONAL_CONSENT_REQUIRED": {"", 0, "a product was asked for that the user has not agreed to", Consent, []Proof{ByUpdate}},
	"INSTITUTION_DOWN":            {"", 0, "the bank is down", Wait, []Proof{ByAccounts, ByNumbers}},
	"INSTITUTION_NOT_RESPONDING":  {"", 0, "the bank does not answer", Wait, []Proof{ByAccounts, ByNumbers}},
	"INSTITUTION_NOT_AVAILABLE":   {"", 0, "the bank is not available", Wait, []Proof{ByAccounts, ByNumbers}},
}

func reauth(says string) signal {
	return signal{NeedsReauth, 7, says, Reauth, []Proof{ByItem, ByAccounts, ByNumbers}}
}

// signalOf falls back on what is true of any error that Plaid names for an Item.
func signalOf(code string) signal {
	if s, ok := signals[code]; ok {
		return s
	}
	return signal{Failed, 6, "Plaid says " + code, Reauth, []Proof{ByItem, ByAccounts}}
}

var commands = map[string]string{
	Reauth:         "run `bankctl connections reauth ID`",
	ChooseAccounts: "run `bankctl connections reauth ID --accounts`",
	Consent:        "run `bankctl connections reauth ID --product …`",
	Relink:         "run `bankctl connections remove ID`, then `bankctl link`",
	Wait:           "bankd tries again by itself",
}

// Known reports whether a code says something of the connection, rather than of the call it answers.
func Known(code string) bool { return signals[code].says != "" }

// Note takes up what Plaid says against the connection; until is when it stops working for that, nil where that is not
// known. It reports whether that is new.
func (c *Connection) Note(code string, now time.Time, until *time.Time) bool {
	s := signalOf(code)
	all := c.troubles()
	if i := slices.IndexFunc(all, func(t Trouble) bool { return t.Code == code }); i >= 0 {
		if until == nil || all[i].Until != nil && until.Equal(*all[i].Until) {
			return false
		}
		all[i].Until = until
		return c.settle(all, now)
	}
	return c.settle(append(all, Trouble{Code: code, Hint: hintOf(c.ID, code, s.step), Step: s.step, At: now, Until: until}), now)
}

// Heal drops what a proof shows to be over: what was noted before Plaid was asked for it, for an answer that was on its
// way knows of nothing later. It reports whether there was any.
func (c *Connection) Heal(proof Proof, asked, now time.Time) bool {
	all := c.troubles()
	left := slices.DeleteFunc(slices.Clone(all), func(t Trouble) bool {
		return slices.Contains(signalOf(t.Code).over, proof) && !t.At.After(asked)
	})
	return len(left) < len(all) && c.settle(left, now)
}

// Drop drops one code. It reports whether it was there.
func (c *Connection) Drop(code string, now time.Time) bool {
	all := c.troubles()
	left := slices.DeleteFunc(slices.Clone(all), func(t Trouble) bool { return t.Code == code })
	return len(left) < len(all) && c.settle(left, now)
}

// Escalate turns the step of a trouble into a new link: what was offered before has been refused.
func (c *Connection) Escalate(code string, now time.Time) bool {
	all := c.troubles()
	i := slices.IndexFunc(all, func(t Trouble) bool { return t.Code == code })
	if i < 0 || all[i].Step == Relink {
		return false
	}
	all[i].Step, all[i].Hint = Relink, hintOf(c.ID, code, Relink)
	return c.settle(all, now)
}

// Hint is what happened by a code, and the command that mends it.
func (c Connection) Hint(code string) string { return hintOf(c.ID, code, signalOf(code).step) }

func hintOf(id, code, step string) string {
	return signalOf(code).says + ": " + strings.ReplaceAll(commands[step], "ID", id)
}

// Has reports whether a code is noted.
func (c Connection) Has(code string) bool {
	return slices.ContainsFunc(c.troubles(), func(t Trouble) bool { return t.Code == code })
}

// Awaits reports whether something is noted that this proof, and no look at the Item or its accounts, shows to be over.
func (c Connection) Awaits(proof Proof) bool {
	return slices.ContainsFunc(c.troubles(), func(t Trouble) bool {
		over := signalOf(t.Code).over
		return slices.Contains(over, proof) && !slices.Contains(over, ByItem) && !slices.Contains(over, ByAccounts)
	})
}

// Waits reports whether it only takes time.
func (c Connection) Waits() bool {
	return slices.ContainsFunc(c.troubles(), func(t Trouble) bool { return t.Step == Wait })
}

func (c Connection) troubles() []Trouble {
	all := slices.Clone(c.Notices)
	if c.Error != nil {
		all = append(all, *c.Error)
	}
	return all
}

// settle works out the status: the worst trouble gives it, the others are notices.
func (c *Connection) settle(all []Trouble, now time.Time) bool {
	slices.SortStableFunc(all, func(a, b Trouble) int { return signalOf(b.Code).rank - signalOf(a.Code).rank })
	status := Active
	c.Error, c.Notices = nil, nil
	if len(all) > 0 && signalOf(all[0].Code).status != "" {
		status, c.Error, all = signalOf(all[0].Code).status, &all[0], all[1:]
	}
	if len(all) > 0 {
		c.Notices = all
	}
	if c.Status != status && c.Status != Removed {
		c.Status, c.Since = status, &now
	}
	c.UpdatedAt = now
	return true
}

// Answers reports whether asking Plaid for its data may show something: it works, or what is wrong is wrong with the
// accounts alone.
func (c Connection) Answers() bool {
	if c.Working() {
		return true
	}
	return c.Error != nil && c.Status != Removed && !slices.Contains(signalOf(c.Error.Code).over, ByItem) && len(signalOf(c.Error.Code).over) > 0
}

// Working reports whether Plaid may be asked for its data.
func (c Connection) Working() bool {
	return c.Status == Active || c.Status == PendingDisconnect || c.Status == PendingExpiration
}
