package cli

import (
	"context"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/quota"
)

func newConnectionsUsage(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "usage [ID]", Short: "Count the calls to Plaid by connection and endpoint", Args: arguments(0, 1, "at most one connection"),
		Long: `Counts what was asked of Plaid: some endpoints are billed by the call, most are limited by
the minute. Left shows what a connection may still ask in this minute.`,
		Example:           "  bankctl connections usage\n  bankctl connections usage 6a1f0c -o csv",
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			typed := ""
			if len(args) > 0 {
				typed = args[0]
			}
			return runConnectionsUsage(cmd.Context(), a, typed)
		},
	}
}

// usageRow is one endpoint of one connection.
type usageRow struct {
	ConnectionID string `json:"connection_id"`
	Bank         string `json:"institution"`
	connection.Calls
}

func runConnectionsUsage(ctx context.Context, a *app, typed string) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	id := ""
	if typed != "" {
		conn, err := findConnection(ctx, c, typed)
		if err != nil {
			return err
		}
		id = conn.ID
	}
	all, err := c.ListUsage(ctx, id)
	if err != nil {
		return err
	}
	rows := []usageRow{}
	for _, u := range all {
		for _, calls := range u.Calls {
			rows = append(rows, usageRow{u.ConnectionID, u.Institution.Name, calls})
		}
	}
	return list(a, rows, func(r usageRow) string { return r.ConnectionID }, []column[usageRow]{
		{name: "connection", value: func(r usageRow) string { return r.ConnectionID }},
		{name: "bank", value: func(r usageRow) string { return r.Bank }},
		{name: "endpoint", value: func(r usageRow) string { return r.Endpoint }},
		{name: "billed", value: func(r usageRow) string { return yesNo(r.Billed) }},
		{name: "month", value: func(r usageRow) string { return strconv.FormatInt(r.Month, 10) }},
		{name: "total", value: func(r usageRow) string { return strconv.FormatInt(r.Total, 10) }},
		{name: "refused", value: func(r usageRow) string { return strconv.FormatInt(r.Refused, 10) }},
		{name: "left", value: allowanceText},
		{name: "last", value: func(r usageRow) string { return utc(timeOf(r.Last)) }, short: func(r usageRow) string { return a.ago(timeOf(r.Last)) }},
	})
}

func allowanceText(r usageRow) string {
	if r.Allowance == nil {
		return ""
	}
	text := strconv.Itoa(r.Allowance.Left) + "/" + strconv.Itoa(r.Allowance.PerMinute)
	if r.Allowance.ResetSeconds > 0 {
		text += ", all in " + round(time.Duration(r.Allowance.ResetSeconds)*time.Second)
	}
	return text
}

// warnNear warns on stderr when few limited calls are left, and says when they return.
func (a *app) warnNear(what string, left *quota.Allowance) {
	if left != nil && left.Near() {
		a.say("%d of %d %s calls a minute left for this connection; all of them again in %s", left.Left, left.PerMinute, what, round(time.Duration(left.ResetSeconds)*time.Second))
	}
}
