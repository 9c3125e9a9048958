package cli

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/status"
)

func newStatus(a *app) *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "Show whether bankd answers, and as whom you go", Args: none(),
		Example: "  bankctl status\n  bankctl status -o json --jq .simulator_url",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runStatus(cmd.Context(), a) },
	}
}

func runStatus(ctx context.Context, a *app) error {
	c, err := a.whoami()
	if err != nil {
		return err
	}
	cl := a.newClient(c)
	s, err := cl.GetStatus(ctx)
	if err != nil {
		return err
	}
	columns := []column[status.Status]{
		{name: "version", value: func(s status.Status) string { return s.Version }},
		{name: "plaid", value: func(s status.Status) string { return s.Plaid }},
		{name: "ready", value: func(s status.Status) string { return strconv.FormatBool(s.Ready) }},
		{name: "simulator url", value: func(s status.Status) string { return s.SimulatorURL }},
		{name: "started at", value: func(s status.Status) string { return utc(s.StartedAt) }},
	}
	return single(a, s, columns[1].value, columns, func() error {
		facts := []fact{
			{"bankd", "ready"}, {"version", s.Version}, {"plaid", s.Plaid}, {"simulator", s.SimulatorURL},
			{"socket", c.socket}, {"started", a.moment(s.StartedAt)},
		}
		if !s.Ready {
			facts[0].value = "NOT READY: " + s.Problem
		}
		if s.Simulation {
			facts[2].value = "SIMULATION: no real bank is involved (" + s.Plaid + ")"
		}
		if s.Version != status.Version {
			facts[1].value += " (this bankctl is " + status.Version + ")"
		}
		for _, notice := range s.Notices {
			facts = append(facts, fact{"notice", notice})
		}
		return a.card(append(facts, a.identityFacts(ctx, cl, c)...))
	})
}

// identityFacts show the client that bankctl acts as, and how much it sees.
func (a *app) identityFacts(ctx context.Context, cl *client.Client, c credentials) []fact {
	switch {
	case c.clientID == "":
		return []fact{{"client", "none yet: bankctl init makes one"}}
	case c.profile == "":
		c.profile = "from BANKCTL_CLIENT_ID"
	}
	facts := []fact{{"profile", c.profile}, {"client", c.clientID}}
	cl.ClientID, cl.Secret = c.clientID, c.secret
	_, links, err := cl.ListConnections(ctx, connection.Query{}, page.Request{Limit: 1})
	if err != nil {
		return append(facts, fact{"access", "refused: " + err.Error()})
	}
	facts = append(facts, fact{"connections", strconv.Itoa(links.Total)})
	_, metadata, err := cl.ListAccounts(ctx, account.Query{}, page.Request{Limit: 1})
	_, numbers, err2 := cl.ListACH(ctx, account.ACHQuery{}, page.Request{Limit: 1})
	if err == nil && err2 == nil {
		facts = append(facts, fact{"accounts", fmt.Sprintf("%d, and %d ACH accounts", metadata.Total, numbers.Total)})
	}
	return facts
}
