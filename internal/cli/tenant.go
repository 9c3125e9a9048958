package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/tenant"
)

func newTenant(a *app) *cobra.Command {
	return group("tenant", "Keep separate sets of books", newTenantList(a), newTenantCreate(a), newTenantDelete(a))
}

func tenantColumns(a *app) []column[tenant.Tenant] {
	type t = tenant.Tenant
	return []column[t]{
		{name: "name", value: func(t t) string { return t.Name }},
		{name: "id", value: func(t t) string { return t.ID }},
		{name: "created", value: func(t t) string { return utc(t.CreatedAt) }, short: func(t t) string { return a.ago(t.CreatedAt) }},
	}
}

func newTenantList(a *app) *cobra.Command {
	var p paging
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List tenants", Args: none(),
		Example: "  bankctl tenant list",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runTenantList(cmd.Context(), a, p) },
	}
	p.flags(cmd)
	return cmd
}

func runTenantList(ctx context.Context, a *app, p paging) error {
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	rows, err := fetch(ctx, a, p, c.ListTenants)
	if err != nil {
		return err
	}
	return list(a, rows, func(t tenant.Tenant) string { return t.ID }, tenantColumns(a))
}

func newTenantCreate(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "create NAME", Short: "Make a tenant with keys of its own", Args: one("the name of the tenant"),
		Example:           "  bankctl tenant create acme\n  bankctl init --tenant acme --profile acme",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return runTenantCreate(cmd.Context(), a, args[0]) },
	}
}

func runTenantCreate(ctx context.Context, a *app, name string) error {
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	c.Tenant = "" // it is not there yet
	t, err := c.AddTenant(ctx, tenant.AddParams{Name: name})
	if err != nil {
		return err
	}
	return single(a, t, func(t tenant.Tenant) string { return t.ID }, tenantColumns(a), func() error {
		return a.card([]fact{{"tenant", t.Name}, {"id", t.ID}, {"created", a.moment(t.CreatedAt)}})
	})
}
