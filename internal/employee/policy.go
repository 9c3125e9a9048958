package employee

import (
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// Policy is what a company does about banks that hand out aliases instead of account numbers (A39).
type Policy string

// The policies.
const (
	PolicyMask   Policy = "mask"   // last four digits, routing number and owner's name must agree; the default
	PolicyAdopt  Policy = "adopt"  // pay to the alias instead of what was typed
	PolicyStrict Policy = "strict" // never verified
)

// Policies lists them all.
var Policies = []Policy{PolicyMask, PolicyAdopt, PolicyStrict}

// VerifyCapability is the word for a company whose employees verify through Plaid (R116).
const VerifyCapability = "PLAID_VERIFY"

// CapabilityWords lists the capabilities there are.
var CapabilityWords = []string{VerifyCapability}

// CheckCapability refuses a word that is no capability.
func CheckCapability(name string) error {
	if !slices.Contains(CapabilityWords, name) {
		return fault.Field("capability", "must be "+VerifyCapability)
	}
	return nil
}

// Capabilities are what a company has switched on. A company nobody spoke of has none.
type Capabilities struct {
	CompanyID       string    `json:"companyId"`
	Capabilities    []string  `json:"capabilities" doc:"PLAID_VERIFY where employees verify through Plaid"`
	TokenizedPolicy Policy    `json:"tokenizedPolicy" enum:"mask,adopt,strict" doc:"What is done about banks that hand out aliases (Chase, PNC, US Bank)"`
	UpdatedAt       time.Time `json:"updatedAt"`
}

// NoCapabilities is a company's state before anyone switched anything on.
func NoCapabilities(companyID string) Capabilities {
	return Capabilities{CompanyID: companyID, Capabilities: []string{}, TokenizedPolicy: PolicyMask}
}

// Has reports whether a capability is on.
func (c Capabilities) Has(name string) bool { return slices.Contains(c.Capabilities, name) }

// Require refuses what needs a capability that is off (A41).
func (c Capabilities) Require(name string) error {
	if c.Has(name) {
		return nil
	}
	return fault.New(fault.CapabilityDisabled, "%s is not enabled for this company", name).
		WithHint("an administrator enables it with `bankctl company enable COMPANY %s`", name)
}

// Policy is the company's, with the default where it chose none.
func (c Capabilities) Policy() Policy {
	if c.TokenizedPolicy == "" {
		return PolicyMask
	}
	return c.TokenizedPolicy
}

// With switches a capability on; a policy left out stays as it was.
func (c Capabilities) With(name string, p CapabilityParams, at time.Time) Capabilities {
	c.Capabilities = slices.Clone(c.Capabilities)
	if !c.Has(name) {
		c.Capabilities = append(c.Capabilities, name)
		slices.Sort(c.Capabilities)
	}
	if c.TokenizedPolicy = c.Policy(); p.TokenizedPolicy != "" {
		c.TokenizedPolicy = p.TokenizedPolicy
	}
	c.UpdatedAt = at
	return c
}

// Without switches a capability off; accounts verified before stay so (A41).
func (c Capabilities) Without(name string, at time.Time) Capabilities {
	c.Capabilities = slices.DeleteFunc(slices.Clone(c.Capabilities), func(have string) bool { return have == name })
	if c.Capabilities == nil {
		c.Capabilities = []string{}
	}
	c.TokenizedPolicy, c.UpdatedAt = c.Policy(), at
	return c
}

// CapabilityParams switches a capability on.
type CapabilityParams struct {
	TokenizedPolicy Policy `json:"tokenizedPolicy,omitempty" enum:"mask,adopt,strict" doc:"Left out: as it was, mask at first"`
}

// Check names every bad field.
func (p CapabilityParams) Check() error {
	var bad fault.Problems
	if p.TokenizedPolicy != "" && !slices.Contains(Policies, p.TokenizedPolicy) {
		bad.Add("tokenizedPolicy", "must be mask, adopt or strict")
	}
	return bad.Err()
}
