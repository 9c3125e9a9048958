package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type employeeWaitOptions struct {
	accountFlags
	mask string
}

func newEmployeeWait(a *app) *cobra.Command {
	var o employeeWaitOptions
	cmd := &cobra.Command{
		Use: "wait [SESSION]", Short: "Wait for a link that was sent, save it and read the verdict", Args: arguments(0, 1, ""),
		Long: `Finishes what ` + "`bankctl employee verify --send`" + ` began. Without a session it takes the
account's last one. Run again, it takes up where it was cut off.`,
		Example:           "  bankctl employee wait --company-id acme --employee-id e42 --account-id 6a1f0b8f2b3c4d5e6f708192 -o json",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			session := ""
			if len(args) == 1 {
				session = args[0]
			}
			return runEmployeeWait(cmd.Context(), a, o, session)
		},
	}
	o.accountFlags.flags(a, cmd)
	maskFlag(cmd, &o.mask)
	return cmd
}

func runEmployeeWait(ctx context.Context, a *app, o employeeWaitOptions, session string) error {
	c, err := o.open(ctx, a)
	if err != nil {
		return err
	}
	if session == "" {
		v, err := c.GetEmployeeAccount(ctx, o.company, o.employee, o.account)
		if err != nil {
			return err
		}
		if v.LastSession == nil {
			return usage("`bankctl employee verify "+o.asFlags()+" --send` starts one", "no link was ever started for this account")
		}
		session = v.LastSession.SessionID
	}
	s, err := c.GetSession(ctx, session, 0)
	if err != nil {
		return err
	}
	if s.AccountID != o.account {
		return usage("leave the session out to take the account's last one", "that link session is not this account's")
	}
	flow := newEmployeeFlow(a, c, o.accountFlags, s.ID, s.HostedLinkURL, s.Expiration, true, o.mask)
	if flow.over(s) {
		err = flow.outcome(s)
	} else {
		s, err = flow.wait(ctx)
	}
	if err != nil {
		return err
	}
	return flow.save(ctx, s)
}
