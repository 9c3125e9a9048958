package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tenant"
)

func newTenantDelete(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "delete TENANT", Short: "Delete a tenant with all it has, and destroy its keys", Args: one("the id or name of a tenant"),
		Long: `Deletes a tenant's records, its clients and its audit log, and destroys its keys and their
escrow, so that no copy made later can be read. Connections must have been removed before.
Backups and copies from before still hold it. For the local owner alone.`,
		Example:           "  bankctl tenant delete acme --yes",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return runTenantDelete(cmd.Context(), a, args[0]) },
	}
}

func runTenantDelete(ctx context.Context, a *app, typed string) error {
	c, err := a.ownerClient()
	if err != nil {
		return err
	}
	c.Tenant = ""
	rows, err := allRows(ctx, c.ListTenants)
	if err != nil {
		return err
	}
	var found tenant.Tenant
	for _, t := range rows {
		if t.ID == typed || t.Name == typed {
			found = t
		}
	}
	if found.ID == "" {
		return fault.New(fault.NotFound, "no such tenant").WithHint("`bankctl tenant list` shows them")
	}
	if err := a.ask(ctx, "Delete tenant "+found.Name+" ("+found.ID+") with all it has, and destroy its keys?", "deleting a tenant"); err != nil {
		return err
	}
	d, err := c.DeleteTenant(ctx, found.ID)
	if err != nil {
		return err
	}
	type t = tenant.Deleted
	columns := []column[t]{
		{name: "id", value: func(x t) string { return x.ID }},
		{name: "name", value: func(x t) string { return x.Name }},
		{name: "clients", value: func(x t) string { return strconv.Itoa(x.Clients) }},
	}
	return single(a, d, columns[0].value, columns, func() error {
		return a.card([]fact{{"deleted", d.Name}, {"id", d.ID}, {"clients", strconv.Itoa(d.Clients)}})
	})
}
