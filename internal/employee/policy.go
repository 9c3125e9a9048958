package employee

import (
	"slices"
	"time"

	"github.com/bankctl/bankctl/internal/fault"
)

// Policy is a company's rule for banks that give out aliases instead of account numbers (A39).
type Policy string

// The policies.
const (
	PolicyMask   Policy = "mask"   // last four digits, routing number and owner's name must match; the default
	PolicyAdopt  Policy = "adopt"  // pay to the alias instead of the typed number
	PolicyStrict Policy = "strict" // never verified
)

// Policies lists all policies.
var Policies = []Policy{PolicyMask, PolicyAdopt, PolicyStrict}

// VerifyCapability is on for a company whose employees verify through Plaid (R116).
const VerifyCapability = "PLAID_VERIFY"

// CapabilityWords lists all capabilities.
var CapabilityWords = []string{VerifyCapability}

// CheckCapability refuses an unknown capability.
func CheckCapability(name string) error {
	if !slices.Contains(CapabilityWords, name) {
		return fault.Field("capability", "must be "+VerifyCapability)
	}
	return nil
}

// Capabilities are the switches of a company. A new company has none.
type Capabilities struct {
	CompanyID       string    `json:"companyId"`
	Capabilities    []string  `json:"capabilities" doc:"PLAID_VERIFY where employees verify through Plaid"`
	TokenizedPolicy Policy    `json:"tokenizedPolicy" enum:"mask,adopt,strict" doc:"What is done about banks that hand out aliases (Chase, PNC, US Bank)"`
	UpdatedAt       time.Time `json:"updatedAt"`
}

// NoCapabilities is the initial state of a company.
func NoCapabilities(companyID string) Capabilities {
	return Capabilities{CompanyID: companyID, Capabilities: []string{}, TokenizedPolicy: PolicyMask}
}

// Has reports whether a capability is on.
func (c Capabilities) Has(name string) bool { return slices.Contains(c.Capabilities, name) }

// Require returns an error if a capability is off (A41).
func (c Capabilities) Require(name string) error {
	if c.Has(name) {
		return nil
	}
	return fault.New(fault.CapabilityDisabled, "%s is not enabled for this company", name).
		WithHint("an administrator enables it with `bankctl company enable COMPANY %s`", name)
}

// Policy returns the company's policy, or the default.
func (c Capabilities) Policy() Policy {
	if c.TokenizedPolicy == "" {
		return PolicyMask
	}
	return c.TokenizedPolicy
}

// With switches a capability on. Without a policy in p, the policy stays.
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

// Without switches a capability off; verified accounts stay verified (A41).
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
