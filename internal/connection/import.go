package connection

import (
	"strings"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/secret"
	"github.com/bankctl/bankctl/internal/tenant"
)

// ImportParams imports an Item that another tool made with the same Plaid keys.
type ImportParams struct {
	AccessToken secret.Text `json:"access_token" doc:"Plaid's own token; never shown again, and swapped for a new one"`
	UserID      string      `json:"user_id" doc:"Your internal user identifier"`
	EmployerID  string      `json:"employer_id,omitempty"`
	CarrierID   string      `json:"carrier_id,omitempty"`
	KeepToken   bool        `json:"keep_token,omitempty" doc:"Do not swap the token: the other tool goes on using it"`
}

// Check names every bad field, never quoting the token.
func (p ImportParams) Check() error {
	var bad fault.Problems
	if t := p.AccessToken.Reveal(); bad.Require("access_token", t) && (len(t) > 256 || !strings.HasPrefix(t, "access-")) {
		bad.Add("access_token", "is not one of Plaid's: they begin with access-")
	}
	bad.Check("user_id", tenant.CheckText(p.UserID, 256))
	account.CheckOwners(&bad, p.EmployerID, p.CarrierID)
	return bad.Err()
}

// Wire is the request's body, the only place that writes the token out.
func (p ImportParams) Wire() map[string]any {
	body := map[string]any{"access_token": p.AccessToken.Reveal(), "user_id": p.UserID, "keep_token": p.KeepToken}
	if p.EmployerID != "" {
		body["employer_id"] = p.EmployerID
	}
	if p.CarrierID != "" {
		body["carrier_id"] = p.CarrierID
	}
	return body
}
