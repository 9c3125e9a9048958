package employee_test

import (
	"testing"

	"github.com/bankctl/bankctl/internal/employee"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/query"
	"github.com/google/go-cmp/cmp"
)

func TestCapabilities(t *testing.T) { // R116, A41
	c := employee.NoCapabilities("c1")
	if err := c.Require(employee.VerifyCapability); !fault.Is(err, fault.CapabilityDisabled) {
		t.Error("off is not refused:", err)
	}
	on := c.With(employee.VerifyCapability, employee.CapabilityParams{}, noon)
	if on.Require(employee.VerifyCapability) != nil || on.Policy() != employee.PolicyMask || c.Has(employee.VerifyCapability) {
		t.Error("enabling fails, or reaches back")
	}
	strict := on.With(employee.VerifyCapability, employee.CapabilityParams{TokenizedPolicy: employee.PolicyStrict}, noon)
	if d := cmp.Diff([]string{employee.VerifyCapability}, strict.Capabilities); d != "" {
		t.Error(d)
	}
	if strict.With(employee.VerifyCapability, employee.CapabilityParams{}, later).Policy() != employee.PolicyStrict {
		t.Error("a policy left out is forgotten")
	}
	off := strict.Without(employee.VerifyCapability, later)
	if off.Has(employee.VerifyCapability) || off.Capabilities == nil || !strict.Has(employee.VerifyCapability) || off.Policy() != employee.PolicyStrict {
		t.Error("disabling fails, or reaches back")
	}
	if (employee.Capabilities{}).Policy() != employee.PolicyMask { // A39
		t.Error("the default is not mask")
	}
}

func TestCapabilityParams(t *testing.T) {
	for _, p := range append([]employee.Policy{""}, employee.Policies...) {
		if err := (employee.CapabilityParams{TokenizedPolicy: p}).Check(); err != nil {
			t.Error(err)
		}
	}
	if e := fault.As(employee.CapabilityParams{TokenizedPolicy: "lax"}.Check()); e.Fields["tokenizedPolicy"] == "" {
		t.Error("an unknown policy passes")
	}
	if employee.CheckCapability(employee.VerifyCapability) != nil || employee.CheckCapability("PLAID_VERIFI") == nil {
		t.Error("capability words")
	}
}

func TestQuery(t *testing.T) {
	yes, no := true, false
	a := joined()
	a.AccountHolderName, a.Mask = "José Núñez", "0000"
	for _, c := range []struct {
		q    employee.Query
		want bool
	}{
		{employee.Query{}, true}, {employee.Query{IsVerified: &no}, true}, {employee.Query{IsVerified: &yes}, false},
		{employee.Query{CompanyID: "c1", EmployeeID: "e1", Reason: employee.NotStarted}, true},
		{employee.Query{CompanyID: "c2"}, false}, {employee.Query{EmployeeID: "e2"}, false}, {employee.Query{Reason: employee.Exited}, false},
		{employee.Query{Search: "nunez"}, true}, {employee.Query{Search: "NÚÑEZ jose 0000"}, true}, {employee.Query{Search: "platypus"}, true},
		{employee.Query{Search: "not started"}, true}, {employee.Query{Search: "nunez 1111"}, false}, {employee.Query{Search: "  "}, true},
	} {
		if got := c.q.Match(a); got != c.want {
			t.Errorf("%+v: %v", c.q, got)
		}
	}
	var good, bad fault.Problems
	query.Decode(map[string]string{"companyId": "c1", "employeeId": "e1", "reason": string(employee.RoutingReview), "search": "x"}, &good, &employee.Query{})
	if err := good.Err(); err != nil {
		t.Error(err)
	}
	query.Decode(map[string]string{"companyId": "a b", "employeeId": "a b", "reason": "because", "search": "\x00"}, &bad, &employee.Query{})
	for _, f := range []string{"companyId", "employeeId", "reason", "search"} {
		if bad[f] == "" {
			t.Errorf("%s is not named", f)
		}
	}
}
