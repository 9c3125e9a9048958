package cli

import (
	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/tenant"
)

func newClientGroup(a *app) *cobra.Command {
	return group("client", "Decide who may call the API", newClientCreate(a), newClientList(a), newClientRotate(a), newClientRevoke(a))
}

func clientColumns() []column[tenant.Client] {
	type c = tenant.Client
	return []column[c]{
		{name: "id", value: clientID},
		{name: "name", value: func(x c) string { return x.Name }},
		{name: "role", value: func(x c) string { return string(x.Role) }},
		{name: "employers", value: func(x c) string { return x.Employers.String() }},
		{name: "carriers", value: func(x c) string { return x.Carriers.String() }},
		{name: "companies", value: func(x c) string { return x.Companies.String() }},
		{name: "bound to", value: boundTo},
		{name: "last used", value: func(x c) string { return utc(timeOf(x.LastUsedAt)) }},
		{name: "revoked", value: func(x c) string { return utc(timeOf(x.RevokedAt)) }},
	}
}

func boundTo(c tenant.Client) string {
	if c.BindEmployee == "" {
		return ""
	}
	return c.BindCompany + "/" + c.BindEmployee
}

func clientFacts(c tenant.Client) []fact {
	act := ""
	if c.ActAsEmployee {
		act = "yes"
	}
	return []fact{
		{"client", c.ID}, {"name", c.Name}, {"tenant", c.Tenant}, {"role", string(c.Role)}, {"employers", c.Employers.String()},
		{"carriers", c.Carriers.String()}, {"companies", c.Companies.String()}, {"acts as employee", act}, {"bound to", boundTo(c)},
		{"last used", utc(timeOf(c.LastUsedAt))}, {"old secret ends", utc(timeOf(c.OldSecretEnds))}, {"revoked", utc(timeOf(c.RevokedAt))},
	}
}
