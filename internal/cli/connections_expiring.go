package cli

import (
	"cmp"
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/connection"
)

func newConnectionsExpiring(a *app) *cobra.Command {
	var within time.Duration
	cmd := &cobra.Command{
		Use: "expiring", Short: "List consents, accesses, deposits and balances that end soon", Args: none(),
		Example: "  bankctl connections expiring\n  bankctl connections expiring --within 168h -o json",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runConnectionsExpiring(cmd.Context(), a, within) },
	}
	durationFlag(cmd.Flags(), &within, "within", 30*24*time.Hour, "how far to look ahead")
	return cmd
}

func runConnectionsExpiring(ctx context.Context, a *app, within time.Duration) error {
	if within <= 0 {
		return usage("try --within 168h", "--within wants a time ahead")
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	rows, err := c.ListExpiring(ctx, within)
	if err != nil {
		return err
	}
	type e = connection.Expiring
	id := func(x e) string { return cmp.Or(x.ACHID, x.ConnectionID) }
	return list(a, rows, id, []column[e]{
		{name: "at", value: func(x e) string { return utc(x.At) }, short: func(x e) string { return a.timeUntil(x.At) }},
		{name: "what", value: func(x e) string { return endWords[x.Kind] }},
		{name: "bank", value: func(x e) string { return x.Institution }},
		{name: "id", value: id},
		{name: "owner", value: func(x e) string { return ownerOf(x.EmployerID, x.CarrierID) }},
		{name: "next", value: func(x e) string { return x.Hint }},
	})
}

var endWords = map[string]string{
	connection.EndDisconnect: "the bank's access", connection.EndConsent: "the user's consent",
	connection.EndMicroDeposit: "the time to confirm a deposit", connection.EndStaleBalance: "the worth of its balances",
}

// timeUntil writes the time from now to a moment.
func (a *app) timeUntil(t time.Time) string {
	if d := t.Sub(a.Now()); d > 0 {
		return "in " + round(d)
	}
	return "past"
}
