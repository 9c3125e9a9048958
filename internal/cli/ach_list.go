package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
)

type achListOptions struct {
	ownerFlags
	query account.ACHQuery
	paging
}

func newACHList(a *app) *cobra.Command {
	var o achListOptions
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List ACH accounts, newest first", Args: none(),
		Example: "  bankctl ach list --employer-id acme\n  bankctl ach list --status unverified -o name",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runACHList(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.employer, "employer-id", "", "of this employer")
	f.StringVar(&o.carrier, "carrier-id", "", "of this carrier")
	filterFlags(a, cmd, &o.query)
	o.paging.flags(cmd)
	return cmd
}

func runACHList(ctx context.Context, a *app, o achListOptions) error {
	if o.employer != "" || o.carrier != "" {
		var err error
		if o.query.OwnerType, o.query.OwnerID, err = o.pair(); err != nil {
			return err
		}
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	if err := wholeIDs(ctx, c, &o.query); err != nil {
		return err
	}
	rows, err := fetch(ctx, a, o.paging, filtered(c.ListACH, o.query))
	if err != nil {
		return err
	}
	return list(a, rows, achID, achColumns())
}
