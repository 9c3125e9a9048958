package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/status"
)

func newDoctor(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check bankd, its surroundings and all data", Args: none(),
		Long: `Has bankd check the disk's room, write a probe, look at the permissions of its files, ask Plaid
whether it takes the keys, compare the clock with Plaid's, read every record and the audit
chain, and list broken and stale connections, consents that end, removals that Plaid has not
confirmed: each with what mends it. Exit code 1 says that something failed; what merely needs
attention is 0.`,
		Example: "  bankctl doctor\n  bankctl doctor --jq '.checks[] | select(.result != \"ok\")'",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDoctor(cmd.Context(), a) },
	}
}

func runDoctor(ctx context.Context, a *app) error {
	c, err := a.adminClient()
	if err != nil {
		return err
	}
	st, err := c.GetStatus(ctx)
	if err != nil {
		return err
	}
	e, err := c.Examine(ctx)
	if err != nil {
		return err
	}
	daemon := status.Check{Name: "bankd", Result: status.Fine, Detail: st.Version + ", Plaid " + st.Plaid}
	if !st.Ready {
		daemon.Result, daemon.Detail, e.OK = status.Broken, st.Problem, false
	}
	e.Checks = append([]status.Check{daemon}, e.Checks...)
	columns := []column[status.Check]{
		{name: "check", value: func(x status.Check) string { return x.Name }},
		{name: "result", value: func(x status.Check) string { return x.Result }},
		{name: "detail", value: func(x status.Check) string { return x.Detail }},
		{name: "next", value: func(x status.Check) string { return x.Hint }},
	}
	err = single(a, e, func(e status.Examination) string { return yesNo(e.OK) }, []column[status.Examination]{
		{name: "ok", value: func(e status.Examination) string { return yesNo(e.OK) }},
	}, func() error { return printTable(a, e.Checks, columns) })
	for _, check := range e.Checks {
		if err == nil && check.Result == status.Broken {
			err = exitError{fault.ExitInternal, check.Name + ": " + check.Detail, check.Hint}
		}
	}
	return err
}
