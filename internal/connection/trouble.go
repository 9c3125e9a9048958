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

var commands = map[string]string{
	Reauth:         "run `bankctl connections reauth ID`",
	ChooseAccounts: "run `bankctl connections reauth ID --accounts`",
	Consent:        "run `bankctl connections reauth ID --product …`",
	Relink:         "run `bankctl connections remove ID`, then `bankctl link`",
	Wait:           "bankd tries again by itself",
}

// Known reports whether a code says something of the connection, rather than of the call it answers.
func Known(code string) bool { return codes[code].Says != "" }

// Note takes up what Plaid says against the connection; until is when it stops working for that, nil where that is not
// known. It reports whether that is new.
func (c *Connection) Note(code string, now time.Time, until *time.Time) bool {
	s := trouble(code)
	all := c.troubles()
	if i := slices.IndexFunc(all, func(t Trouble) bool { return t.Code == code }); i >= 0 {
		if until == nil || all[i].Until != nil && until.Equal(*all[i].Until) {
			return false
		}
		all[i].Until = until
		return c.settle(all, now)
	}
	return c.settle(append(all, Trouble{Code: code, Hint: hintOf(c.ID, code, s.Step), Step: s.Step, At: now, Until: until}), now)
}

// Heal drops what a proof shows to be over: what was noted before Plaid was asked for it, for an answer that was on its
// way knows of nothing later. It reports whether there was any.
func (c *Connection) Heal(proof Proof, asked, now time.Time) bool {
	all := c.troubles()
	left := slices.DeleteFunc(slices.Clone(all), func(t Trouble) bool {
		return slices.Contains(trouble(t.Code).Over, proof) && !t.At.After(asked)
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
func (c Connection) Hint(code string) string { return hintOf(c.ID, code, trouble(code).Step) }

func hintOf(id, code, step string) string {
	return trouble(code).Says + ": " + strings.ReplaceAll(commands[step], "ID", id)
}

// Has reports whether a code is noted.
func (c Connection) Has(code string) bool {
	return slices.ContainsFunc(c.troubles(), func(t Trouble) bool { return t.Code == code })
}

// Awaits reports whether something is noted that this proof, and no look at the Item or its accounts, shows to be over.
func (c Connection) Awaits(proof Proof) bool {
	return slices.ContainsFunc(c.troubles(), func(t Trouble) bool {
		over := trouble(t.Code).Over
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
	slices.SortStableFunc(all, func(a, b Trouble) int { return trouble(b.Code).Rank - trouble(a.Code).Rank })
	status := Active
	c.Error, c.Notices = nil, nil
	if len(all) > 0 && trouble(all[0].Code).Status != "" {
		status, c.Error, all = trouble(all[0].Code).Status, &all[0], all[1:]
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
	return c.Error != nil && c.Status != Removed && !slices.Contains(trouble(c.Error.Code).Over, ByItem) && len(trouble(c.Error.Code).Over) > 0
}

// Working reports whether Plaid may be asked for its data.
func (c Connection) Working() bool {
	return c.Status == Active || c.Status == PendingDisconnect || c.Status == PendingExpiration
}
