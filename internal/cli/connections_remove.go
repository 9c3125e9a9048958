package cli

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
)

func newConnectionsRemove(a *app) *cobra.Command {
	var p connection.RemoveParams
	cmd := &cobra.Command{
		Use: "remove ID", Aliases: []string{"rm"}, Short: "Remove a bank's access at Plaid and close what came from it",
		Args: one("the id of a connection, or Plaid's item id"),
		Long: `Ends the bank's access at Plaid, then here. ACH accounts whose numbers came from it are
disabled, kept or deleted, as --ach says; a terminal is asked. An alias that the bank made
for us dies with its access and is disabled even with --ach keep.`,
		Example:           "  bankctl connections remove 6a1f0c\n  bankctl connections remove 6a1f0c --ach keep --yes",
		ValidArgsFunction: completeIDs(a, connectionIDs),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runConnectionsRemove(cmd.Context(), a, args[0], p.ACH)
		},
	}
	filterFlags(a, cmd, &p)
	return cmd
}

func runConnectionsRemove(ctx context.Context, a *app, typed, ach string) error {
	if ach != "" && !slices.Contains(connection.ACHChoices, ach) {
		return usage("want disable, keep or delete", "--ach does not know %q", ach)
	}
	c, conn, err := a.openConnection(ctx, typed)
	if err != nil {
		return err
	}
	rest, err := countACH(ctx, c, conn.ID)
	if err != nil {
		return err
	}
	if ach == "" && rest > 0 && !a.yes && a.canPrompt() {
		if ach, err = a.askACH(ctx, rest); err != nil {
			return err
		}
	}
	question := "Remove " + conn.Institution.Name + " (" + conn.ID + ") with " + counted(len(conn.Accounts), "account") + "?"
	if rest > 0 {
		question += " " + counted(rest, "ACH account") + " whose numbers came from it: " + cmp.Or(ach, connection.DisableACH) + "."
	}
	if err := a.ask(ctx, question, "removing a connection"); err != nil {
		return err
	}
	r, err := c.RemoveConnection(ctx, conn.ID, connection.RemoveParams{ACH: ach})
	if err != nil {
		return err
	}
	if r.Unconfirmed {
		a.say("its token was dead, so Plaid could not confirm: remove Item %s in Plaid's dashboard too", clean(r.ItemID))
	}
	columns := []column[connection.RemovedReply]{
		{name: "id", value: func(r connection.RemovedReply) string { return r.ID }},
		{name: "removed", value: func(r connection.RemovedReply) string { return yesNo(r.Deleted) }},
		{name: "disabled ach accounts", value: func(r connection.RemovedReply) string { return strconv.Itoa(r.Disabled) }},
	}
	return single(a, r, columns[0].value, columns, func() error { return printTable(a, []connection.RemovedReply{r}, columns) })
}

// countACH counts the ACH accounts whose numbers came from a connection.
func countACH(ctx context.Context, c *client.Client, id string) (int, error) {
	n := 0
	rows, err := allRows(ctx, filtered(c.ListACH, account.ACHQuery{}))
	for _, r := range rows {
		if r.ConnectionID == id && r.Status != account.Disabled {
			n++
		}
	}
	return n, err
}

func (a *app) askACH(ctx context.Context, n int) (string, error) {
	for {
		answer, err := a.askLine(ctx, counted(n, "ACH account")+" rests on it: disable, keep or delete", "--ach")
		if err != nil {
			return "", err
		}
		if slices.Contains(connection.ACHChoices, answer) {
			return answer, nil
		}
		a.say("type disable, keep or delete")
	}
}
