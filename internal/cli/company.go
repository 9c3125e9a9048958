package cli

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/employee"
)

func newCompany(a *app) *cobra.Command {
	return group("company", "Switch on what a company's employees may do",
		newCompanyEnable(a), newCompanyDisable(a), newCompanyShow(a))
}

func companyID(c employee.Capabilities) string { return c.CompanyID }

func companyColumns() []column[employee.Capabilities] {
	type c = employee.Capabilities
	return []column[c]{
		{name: "company", value: companyID},
		{name: "capabilities", value: func(x c) string { return strings.Join(x.Capabilities, " ") }},
		{name: "tokenized policy", value: func(x c) string { return string(x.TokenizedPolicy) }},
		{name: "updated", value: func(x c) string { return utc(x.UpdatedAt) }},
	}
}

// policyMeanings explain the policies for banks that give aliases instead of account numbers.
var policyMeanings = map[employee.Policy]string{
	employee.PolicyMask:   "the last four digits, the routing number and the owner's name must agree",
	employee.PolicyAdopt:  "the alias is paid to instead of the number entered",
	employee.PolicyStrict: "never verified",
}

func (a *app) showCompany(c employee.Capabilities) error {
	return single(a, c, companyID, companyColumns(), func() error {
		on := "off"
		if c.Has(employee.VerifyCapability) {
			on = "on"
		}
		return a.card([]fact{
			{"company", c.CompanyID}, {employee.VerifyCapability, on},
			{"aliased numbers", string(c.TokenizedPolicy) + ": " + policyMeanings[c.TokenizedPolicy]}, {"updated", a.moment(c.UpdatedAt)},
		})
	})
}

// checkCapability reads the second word of the company commands.
func checkCapability(name string) (string, error) {
	if err := employee.CheckCapability(strings.ToUpper(name)); err != nil {
		return "", usage("the capability there is is "+employee.VerifyCapability, "there is no capability %q", name)
	}
	return strings.ToUpper(name), nil
}

// completeCapability offers the capabilities after the company's id.
func completeCapability(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) == 1 {
		return employee.CapabilityWords, cobra.ShellCompDirectiveNoFileComp
	}
	return nil, cobra.ShellCompDirectiveNoFileComp
}
