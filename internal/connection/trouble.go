package connection

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Trouble is one problem that Plaid reports about a connection, and the step that mends it.
type Trouble struct {
	Code  string     `json:"code" doc:"Plaid's error_code or webhook_code"`
	Hint  string     `json:"hint" doc:"What happened, and the command that mends it"`
	Step  string     `json:"step" enum:"reauth,choose_accounts,consent,relink,wait" doc:"What mends it: sign in again, choose accounts, agree to a product, link anew, or nothing but time"`
	At    time.Time  `json:"at" doc:"Since when"`
	Until *time.Time `json:"until,omitempty" doc:"When it stops working"`
}

// SetAsideRows is the code of the notice that rows could not be read or stored; it is ours, not Plaid's.
const SetAsideRows = "ROWS_SET_ASIDE"

// RowsSetAside is the notice that rows of a connection could not be read or stored.
func RowsSetAside(id string, n int, at time.Time) Trouble {
	rows := "1 row of its transactions was"
	if n != 1 {
		rows = fmt.Sprintf("%d rows of its transactions were", n)
	}
	hint := rows + " set aside, for bankd cannot read or store them: `bankctl txns set-aside` lists them, `bankctl sync " + id + " --reread` tries again"
	return Trouble{Code: SetAsideRows, Hint: hint, Step: Wait, At: at}
}

// Steps that mend a connection.
const (
	Reauth         = "reauth"
	ChooseAccounts = "choose_accounts"
	Consent        = "consent"
	Relink         = "relink"
	Wait           = "wait"
)

// Proof is a result that shows that a trouble is over.
type Proof int

// Proofs. Each is a call that the trouble would have made fail.
const (
	ByTime     Proof = iota // /item/get gives no end of the consent, or one that is far off
	ByItem                  // /item/get gives no error
	ByAccounts              // the accounts could be read
	ByNumbers               // the accounts' numbers could be read
	ByUpdate                // an update session succeeded
)

var commands = map[string]string{
	Reauth:         "run `bankctl connections reauth ID`",
	ChooseAccounts: "run `bankctl connections reauth ID --accounts`",
	Consent:        "run `bankctl connections reauth ID --product …`",
	Relink:         "run `bankctl connections remove ID`, then `bankctl link`",
	Wait:           "bankd tries again by itself",
}

// Known reports whether a code is about the connection and not just about the call that it answers.
func Known(code string) bool { return codes[code].Says != "" }

// Note adds a trouble. until is when the connection stops working for that, or nil. Note reports whether the trouble is
// new.
func (c *Connection) Note(code string, now time.Time, until *time.Time) bool {
	s := trouble(code)
	all := c.troubles()
	if i := slices.IndexFunc(all, func(t Trouble) bool { return t.Code == code }); i >= 0 {
		if until == nil || all[i].Until != nil && until.Equal(*all[i].Until) {
			return false
		}
		all[i].Until = until
		return c.setTroubles(all, now)
	}
	return c.setTroubles(append(all, Trouble{Code: code, Hint: hintOf(c.ID, code, s.Step), Step: s.Step, At: now, Until: until}), now)
}

// Heal removes the troubles that a proof shows to be over. It keeps those noted after the proof was asked for, of which
// Plaid's answer knows nothing. It reports whether it removed any.
func (c *Connection) Heal(proof Proof, asked, now time.Time) bool {
	all := c.troubles()
	left := slices.DeleteFunc(slices.Clone(all), func(t Trouble) bool {
		return slices.Contains(trouble(t.Code).Over, proof) && !t.At.After(asked)
	})
	return len(left) < len(all) && c.setTroubles(left, now)
}

// Drop removes one code, and reports whether it was there.
func (c *Connection) Drop(code string, now time.Time) bool {
	all := c.troubles()
	left := slices.DeleteFunc(slices.Clone(all), func(t Trouble) bool { return t.Code == code })
	return len(left) < len(all) && c.setTroubles(left, now)
}

// Escalate changes a trouble's step to a new link, after the step before has failed.
func (c *Connection) Escalate(code string, now time.Time) bool {
	all := c.troubles()
	i := slices.IndexFunc(all, func(t Trouble) bool { return t.Code == code })
	if i < 0 || all[i].Step == Relink {
		return false
	}
	all[i].Step, all[i].Hint = Relink, hintOf(c.ID, code, Relink)
	return c.setTroubles(all, now)
}

// Hint describes a trouble, with the command that mends it.
func (c Connection) Hint(code string) string { return hintOf(c.ID, code, trouble(code).Step) }

func hintOf(id, code, step string) string {
	return trouble(code).Says + ": " + strings.ReplaceAll(commands[step], "ID", id)
}

// Has reports whether a code is noted.
func (c Connection) Has(code string) bool {
	return slices.ContainsFunc(c.troubles(), func(t Trouble) bool { return t.Code == code })
}

// AwaitsProof reports whether some trouble ends with this proof, and with no reading of the Item or its accounts.
func (c Connection) AwaitsProof(proof Proof) bool {
	return slices.ContainsFunc(c.troubles(), func(t Trouble) bool {
		over := trouble(t.Code).Over
		return slices.Contains(over, proof) && !slices.Contains(over, ByItem) && !slices.Contains(over, ByAccounts)
	})
}

// Waits reports whether a trouble only takes time.
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

// setTroubles stores the troubles and the status: that of the worst one, which becomes the error; the others are
// notices.
func (c *Connection) setTroubles(all []Trouble, now time.Time) bool {
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

// Answers reports whether a call to Plaid may succeed: the connection works, or only its accounts have a problem.
func (c Connection) Answers() bool {
	if c.Working() {
		return true
	}
	return c.Error != nil && c.Status != Removed && !slices.Contains(trouble(c.Error.Code).Over, ByItem) && len(trouble(c.Error.Code).Over) > 0
}

// Working reports whether the connection can be used to read data.
func (c Connection) Working() bool {
	return c.Status == Active || c.Status == PendingDisconnect || c.Status == PendingExpiration
}
