package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/txn"
)

func newSync(a *app) *cobra.Command {
	var all bool
	var how connection.SyncParams
	cmd := &cobra.Command{
		Use: "sync [--all | CONNECTION…]", Short: "Bring accounts and transactions up to date", Args: arguments(0, -1, ""),
		Long: `Reads the accounts of each linked bank anew, then its transactions. bankd does this by itself
from time to time; this does it now. Interrupted, it can be run again: what is stored stays.`,
		Example: "  bankctl sync --all\n  bankctl sync 6a1f0c -o json",
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
			return completeIDs(a, connectionIDs)(cmd, nil, typed)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runSync(cmd.Context(), a, all, how, args) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "every linked bank that was not removed")
	cmd.Flags().BoolVar(&how.Refresh, "refresh", false, "have Plaid look at the bank now first (billed by the call)")
	cmd.Flags().BoolVar(&how.Reread, "reread", false, "read all transactions once more, and try those again that were set aside")
	return cmd
}

// syncResult is the result for one connection.
type syncResult struct {
	ConnectionID string             `json:"connection_id"`
	Institution  string             `json:"institution"`
	Accounts     *connection.Synced `json:"accounts,omitempty"`
	Transactions *txn.Synced        `json:"transactions,omitempty"`
	Error        *fault.Error       `json:"error,omitempty"`
}

func runSync(ctx context.Context, a *app, all bool, how connection.SyncParams, typed []string) error {
	if all == (len(typed) > 0) {
		return usage("`bankctl connections list` shows their ids", "sync needs ids of connections, or --all, and not both")
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	conns, err := syncTargets(ctx, c, typed)
	if err != nil {
		return err
	}
	if len(conns) == 0 && a.output == "table" {
		a.say("no bank is linked")
		return nil
	}
	results, failures := []syncResult{}, []error{}
	lines := newSyncLines(a)
	for _, conn := range conns {
		stop := lines.begin(ctx, c, conn)
		r, err := syncOne(ctx, c, conn, how)
		stop()
		if t := r.Transactions; t != nil {
			a.warnNear("refresh", t.Left)
			if t.SetAside > 0 {
				a.say("%s of %s could not be read or stored: bankctl txns set-aside --connection-id %s", counted(t.SetAside, "row"), clean(conn.Institution.Name), conn.ID)
			}
		}
		if ctx.Err() != nil {
			a.say("interrupted: %d of %d connections are done; run it again for the others", len(results), len(conns))
			return ctx.Err()
		}
		if err != nil {
			failures = append(failures, err)
		}
		results = append(results, r)
		if err := lines.end(r); err != nil {
			return err
		}
	}
	if a.output != "table" {
		if err := list(a, results, func(r syncResult) string { return r.ConnectionID }, syncColumns()); err != nil {
			return err
		}
	}
	return syncVerdict(failures, len(conns))
}

// syncVerdict gives the error of a sync. A single connection fails with its own error, several with exit 13.
func syncVerdict(failures []error, of int) error {
	switch {
	case len(failures) == 0:
		return nil
	case of == 1:
		return failures[0]
	}
	return exitError{fault.ExitPartial, fmt.Sprintf("%d of %d connections could not be synced", len(failures), of), "`bankctl connections list` shows what is the matter with each"}
}

func syncTargets(ctx context.Context, c *client.Client, typed []string) ([]connection.Connection, error) {
	var conns []connection.Connection
	for _, id := range typed {
		conn, err := findConnection(ctx, c, id)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(conns, func(x connection.Connection) bool { return x.ID == conn.ID }) {
			conns = append(conns, conn)
		}
	}
	if len(typed) > 0 {
		return conns, nil
	}
	all, err := allConnections(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, id := range sortedKeys(all) {
		if all[id].Status != connection.Removed {
			conns = append(conns, all[id])
		}
	}
	return conns, nil
}

// syncOne reads the accounts, then the transactions where the Item has them.
func syncOne(ctx context.Context, c *client.Client, conn connection.Connection, p connection.SyncParams) (syncResult, error) {
	r := syncResult{ConnectionID: conn.ID, Institution: conn.Institution.Name}
	accounts, err := c.SyncAccounts(ctx, connection.ItemParams{ItemID: conn.ItemID})
	if err == nil {
		r.Accounts = &accounts
		if slices.Contains(conn.Products, "transactions") {
			var txns txn.Synced
			p.ItemID = conn.ItemID
			for txns.Reading = true; txns.Reading && err == nil; p.Refresh = false {
				txns, err = c.SyncTransactions(ctx, p)
			}
			if err == nil {
				r.Transactions = &txns
			}
		}
	}
	if err != nil {
		r.Error = &fault.Error{Code: fault.Internal, Message: err.Error()}
		if f, is := errors.AsType[*fault.Error](err); is {
			r.Error = f
		}
	}
	return r, err
}

func syncColumns() []column[syncResult] {
	type s = syncResult
	count := func(n func(txn.Synced) int) func(s) string {
		return func(r s) string {
			if r.Transactions == nil {
				return ""
			}
			return strconv.Itoa(n(*r.Transactions))
		}
	}
	return []column[s]{
		{name: "connection", value: func(r s) string { return r.ConnectionID }},
		{name: "bank", value: func(r s) string { return r.Institution }},
		{name: "state", value: syncState},
		{name: "accounts", value: func(r s) string {
			if r.Accounts == nil {
				return ""
			}
			return strconv.Itoa(len(r.Accounts.Accounts))
		}},
		{name: "added", value: count(func(t txn.Synced) int { return t.Added })},
		{name: "modified", value: count(func(t txn.Synced) int { return t.Modified })},
		{name: "removed", value: count(func(t txn.Synced) int { return t.Removed })},
		{name: "transactions", value: count(func(t txn.Synced) int { return t.Total })},
	}
}

// syncState writes a connection's progress, or its error's code.
func syncState(r syncResult) string {
	switch {
	case r.Error != nil:
		return string(r.Error.Code)
	case r.Transactions == nil:
		return "accounts only"
	}
	switch r.Transactions.Status {
	case "HISTORICAL_UPDATE_COMPLETE":
		return "complete"
	case "INITIAL_UPDATE_COMPLETE":
		return "older ones follow"
	case "NOT_READY":
		return "not ready yet"
	}
	return r.Transactions.Status
}
