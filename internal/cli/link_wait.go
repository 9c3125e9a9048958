package cli

import (
	"context"

	"github.com/spf13/cobra"
)

type linkWaitOptions struct {
	choiceOptions
}

func newLinkWait(a *app) *cobra.Command {
	var o linkWaitOptions
	cmd := &cobra.Command{
		Use: "wait SESSION", Short: "Wait for a link that was started, and make ACH accounts", Args: one("the id of a link session"),
		Long:              "Run again, it takes up where it was cut off.",
		Example:           "  bankctl link wait 6a1f0b8f2b3c4d5e6f708192 --all -o json",
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, args []string) error { return runLinkWait(cmd.Context(), a, args[0], o) },
	}
	o.choiceOptions.flags(cmd)
	return cmd
}

func runLinkWait(ctx context.Context, a *app, id string, o linkWaitOptions) error {
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	s, err := c.GetSession(ctx, id, 0)
	if err != nil {
		return err
	}
	owned := s.EmployerID != "" || s.CarrierID != ""
	if s.Mode != updateMode {
		if err := o.choiceOptions.check(a, owned); err != nil {
			return err
		}
	}
	flow := newLinkFlow(a, c, id, s.HostedLinkURL, s.Expiration, true)
	flow.patience = o.patience
	if flow.over(s) {
		err = flow.outcome(s)
	} else {
		s, err = flow.wait(ctx)
	}
	if err != nil {
		return flow.offerUpdate(ctx, err)
	}
	if s.Mode == updateMode {
		return runConnectionsGet(ctx, a, s.ConnectionID)
	}
	return flow.pick(ctx, s, o.choiceOptions)
}
