package tenant_test

import (
	"encoding/json"
	"testing"

	"github.com/bankctl/bankctl/internal/tenant"
	"pgregory.net/rapid"
)

func TestScopeRoundTrips(t *testing.T) {
	id := rapid.StringMatching(`[A-Za-z0-9_-]{1,64}`)
	rapid.Check(t, func(t *rapid.T) {
		s := tenant.Scope{All: rapid.Bool().Draw(t, "all")}
		if !s.All {
			s.IDs = rapid.SliceOfN(id, 0, 5).Draw(t, "ids")
		}
		b, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var back tenant.Scope
		if err := json.Unmarshal(b, &back); err != nil {
			t.Fatal(err)
		}
		if back.All != s.All || len(back.IDs) != len(s.IDs) {
			t.Fatalf("%s came back %+v", b, back)
		}
		if other := id.Draw(t, "other"); back.Has(other) != s.Has(other) {
			t.Fatalf("%s holds %s for one alone", b, other)
		}
	})
}

func TestScopeWords(t *testing.T) {
	for text, want := range map[string]string{"*": "*", "none": "none", "": "none", "a, b": "a,b"} {
		s, err := tenant.ParseScope(text)
		if err != nil || s.String() != want {
			t.Errorf("%q: %s %v", text, s, err)
		}
	}
	for _, bad := range []string{"a b", "a,,b", "ä", "*,a"} {
		if _, err := tenant.ParseScope(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	if (tenant.Scope{}).Has("") || tenant.Everything.Has("") {
		t.Error("the empty id is in a scope")
	}
}

// With any scopes, a caller who owns an object sees it, and a caller without a scope owns none.
func TestOwningNeedsSeeing(t *testing.T) {
	ids := rapid.SampledFrom([]string{"", "a", "b"})
	scope := rapid.Custom(func(t *rapid.T) tenant.Scope {
		return tenant.Scope{All: rapid.Bool().Draw(t, "all"), IDs: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b"}), 0, 2).Draw(t, "ids")}
	})
	rapid.Check(t, func(t *rapid.T) {
		c := tenant.Caller{Client: tenant.Client{Employers: scope.Draw(t, "employers"), Carriers: scope.Draw(t, "carriers")}}
		employer, carrier := ids.Draw(t, "employer"), ids.Draw(t, "carrier")
		if c.Owns(employer, carrier) && !c.Sees(employer, carrier) {
			t.Fatalf("owns %q/%q unseen", employer, carrier)
		}
		if c.Client.Employers.Empty() && c.Client.Carriers.Empty() && c.Sees(employer, carrier) {
			t.Fatal("sees without a scope")
		}
	})
}

func TestEmployeeContext(t *testing.T) { // R115
	company := tenant.Scope{IDs: []string{"c1"}}
	for name, c := range map[string]struct {
		client tenant.Client
		act    tenant.Act
		want   bool
	}{
		"bound":                {tenant.Client{Role: tenant.Operator, BindCompany: "c1", BindEmployee: "e1"}, tenant.EmployeeWrite, true},
		"bound_to_another":     {tenant.Client{Role: tenant.Operator, BindCompany: "c1", BindEmployee: "e2"}, tenant.Read, false},
		"acting":               {tenant.Client{Role: tenant.Operator, Companies: company, ActAsEmployee: true}, tenant.EmployeeWrite, true},
		"not_acting":           {tenant.Client{Role: tenant.Operator, Companies: company}, tenant.EmployeeWrite, false},
		"not_acting_may_read":  {tenant.Client{Role: tenant.Viewer, Companies: company}, tenant.Read, true},
		"support_may_link":     {tenant.Client{Role: tenant.Support, Companies: company}, tenant.EmployeeLink, true},
		"support_never_writes": {tenant.Client{Role: tenant.Support, Companies: company}, tenant.EmployeeWrite, false},
		"other_company":        {tenant.Client{Role: tenant.Admin, Companies: tenant.Scope{IDs: []string{"c2"}}, ActAsEmployee: true}, tenant.Read, false},
	} {
		if got := (tenant.Caller{Client: c.client}).ActsFor("c1", "e1", c.act); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
