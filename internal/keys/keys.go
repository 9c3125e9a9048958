// Package keys owns the words on the keys to the data: the key-encryption key (KEK) that wraps every tenant's data keys,
// their rotation, and their escrow. No key is ever among them.
package keys

import (
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// Status is what the local owner may know of the keys.
type Status struct {
	KEK      string      `json:"kek_id" doc:"The key that wraps the data keys; its beginning names the provider"`
	Keysets  []Keysets   `json:"keysets" doc:"Wrapped data keys by the KEK that wrapped them; more than one row asks for bankctl keys rewrap"`
	Tenants  int         `json:"tenants"`
	Escrow   []Recipient `json:"escrow" doc:"Who can open the data keys without the KEK; empty where nobody can"`
	Rotation *Rotation   `json:"rotation,omitempty" doc:"The rotation of the data keys that is under way"`
}

// Keysets is a number of keysets that one KEK wrapped.
type Keysets struct {
	KEK     string `json:"kek_id"`
	Number  int    `json:"number"`
	Current bool   `json:"current"`
}

// Recipient is an age recipient of the escrow, a public key.
type Recipient struct {
	Name string `json:"name,omitempty" doc:"What its owner calls it"`
	Key  string `json:"key" doc:"age1…"`
}

// Rotation is a rotation of the data keys that is under way.
type Rotation struct {
	Phase   string    `json:"phase" enum:"keys,records,own,drop" doc:"New keys are made; records are sealed anew; the store's own entries are; the old keys are dropped"`
	Started time.Time `json:"started_at"`
	Done    uint64    `json:"done" doc:"Records looked at"`
	Total   uint64    `json:"total"`
	Rate    float64   `json:"rate" doc:"Records a second"`
	Problem string    `json:"problem,omitempty" doc:"Why it waits; bankd tries again by itself"`
}

// What RotateParams.Only selects.
const (
	OnlyKEK  = "kek"
	OnlyData = "data"
)

// RotateParams say which keys to turn.
type RotateParams struct {
	Only string `json:"only,omitempty" enum:"kek,data" doc:"kek: the key that wraps the data keys; data: the data keys; both where left out"`
}

// Check names every bad field.
func (p RotateParams) Check() error {
	var bad fault.Problems
	if p.Only != "" && p.Only != OnlyKEK && p.Only != OnlyData {
		bad.Add("only", "must be kek or data")
	}
	return bad.Err()
}

// Turned is what a rotation or rewrap did at once.
type Turned struct {
	From    string `json:"from_kek_id,omitempty"`
	To      string `json:"to_kek_id,omitempty"`
	Keysets int    `json:"keysets" doc:"Keysets wrapped anew"`
	Status  Status `json:"status"`
}

// RewrapParams have nothing to say.
type RewrapParams struct{}

// Check accepts.
func (RewrapParams) Check() error { return nil }

// EscrowParams replace the recipients of the escrow.
type EscrowParams struct {
	To []Recipient `json:"to" doc:"Two or more age recipients"`
}

const (
	mostRecipients = 20
	longestName    = 64
)

// Check names every bad field.
func (p EscrowParams) Check() error {
	var bad fault.Problems
	seen := map[string]bool{}
	for _, r := range p.To {
		switch {
		case !strings.HasPrefix(r.Key, "age1"):
			bad.Add("to", "must be age recipients, age1…, as age-keygen prints them; never an identity")
		case seen[r.Key]:
			bad.Add("to", "names a recipient twice")
		case len(r.Name) > longestName || strings.ContainsFunc(r.Name, func(c rune) bool { return c < ' ' || c > '~' }):
			bad.Add("to", "names must be of printable ASCII, at most 64 characters")
		}
		seen[r.Key] = true
	}
	if len(seen) < 2 {
		bad.Add("to", "must be two recipients or more: one identity that is lost must not be the last")
	}
	if len(p.To) > mostRecipients {
		bad.Add("to", "must be at most 20 recipients")
	}
	return bad.Err()
}

// Report is the result of reading everything with the keys.
type Report struct {
	OK       bool     `json:"ok"`
	KEK      string   `json:"kek_id"`
	Keysets  int      `json:"keysets" doc:"Keysets that the KEK unwrapped"`
	Records  int      `json:"records" doc:"Records decrypted"`
	Values   []Values `json:"values" doc:"Sealed values by data key; a record has one or two"`
	Old      uint64   `json:"old_values" doc:"Values under a key that seals nothing any more: 0 but in a rotation"`
	Problems []string `json:"problems" doc:"What does not open; empty where all is well"`
}

// Values is how many values a data key sealed.
type Values struct {
	Tenant  string `json:"tenant_id" doc:"system for what is no tenant's"`
	Key     string `json:"key_id"`
	Current bool   `json:"current" doc:"Whether it seals now"`
	Number  uint64 `json:"number"`
}
