package cli

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/trail"
)

type auditListOptions struct {
	query trail.Query
	since string
}

func newAuditList(a *app) *cobra.Command {
	var o auditListOptions
	cmd := &cobra.Command{
		Use: "list", Aliases: []string{"ls"}, Short: "List audit records, newest first", Args: none(),
		Example: "  bankctl audit list --since 30d\n  bankctl audit list --action ach.add -o ndjson",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runAuditList(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.IntVar(&o.query.Limit, "limit", 50, "records to show")
	filterFlags(a, cmd, &o.query)
	f.StringVar(&o.since, "since", "", "30m, 12h, 30d, 2w, a day or a time")
	return cmd
}

func runAuditList(ctx context.Context, a *app, o auditListOptions) error {
	if o.query.Limit < 1 {
		return usage("", "--limit cannot be %d", o.query.Limit)
	}
	if o.since != "" {
		var err error
		if o.query.Since, err = parseSince(o.since, a.Now()); err != nil {
			return err
		}
	}
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	rows, err := c.ListAudit(ctx, o.query)
	if err != nil {
		return err
	}
	return list(a, rows, func(r trail.Record) string { return strconv.FormatUint(r.Seq, 10) }, auditColumns(a))
}
