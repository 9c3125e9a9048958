package account

import (
	"strings"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// Recipient may be sent the numbers of verified ACH accounts, in a file that only its secret key opens.
type Recipient struct {
	Name      string    `json:"name" doc:"a-z, 0-9, - and _"`
	Key       string    `json:"key" doc:"Public key of age, age1…"`
	CreatedAt time.Time `json:"created_at"`
}

// RecipientParams registers a recipient.
type RecipientParams struct {
	Name string `json:"name" doc:"a-z, 0-9, - and _, up to 64"`
	Key  string `json:"key" doc:"Public key of age, age1…"`
}

// Check names every bad field; whether the key is one is for bank to see.
func (p RecipientParams) Check() error {
	var bad fault.Problems
	bad.Require("name", p.Name)
	bad.Require("key", p.Key)
	if len(p.Name) > 64 || strings.Trim(p.Name, "abcdefghijklmnopqrstuvwxyz0123456789-_") != "" {
		bad.Add("name", "must be of a-z, 0-9, - and _, up to 64")
	}
	return bad.Err()
}

// ReleaseParams says which numbers go to whom.
type ReleaseParams struct {
	To        string   `json:"to" doc:"Name of a registered recipient"`
	IDs       []string `json:"ids,omitempty" doc:"ACH accounts; left out: all verified ones of the owner"`
	OwnerType string   `json:"owner_type,omitempty" enum:"employer,carrier"`
	OwnerID   string   `json:"owner_id,omitempty"`
}

const maxReleased = 10_000

// Check names every bad field.
func (p ReleaseParams) Check() error {
	var bad fault.Problems
	bad.Require("to", p.To)
	switch {
	case len(p.IDs) > maxReleased:
		bad.Add("ids", "at most 10000 at once")
	case len(p.IDs) > 0 && (p.OwnerType != "" || p.OwnerID != ""):
		bad.Add("ids", "name accounts or an owner, not both")
	case len(p.IDs) == 0 && p.OwnerID == "":
		bad.Add("ids", "name accounts, or an owner by owner_type and owner_id")
	case len(p.IDs) == 0 && p.OwnerType != Employer && p.OwnerType != Carrier:
		bad.Add("owner_type", "must be employer or carrier")
	}
	return bad.Err()
}
