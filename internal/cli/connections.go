package cli

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
)

func newConnections(a *app) *cobra.Command {
	return group("connections", "Look after linked banks",
		newConnectionsList(a), newConnectionsGet(a), newConnectionsCheck(a), newConnectionsReauth(a), newConnectionsSync(a), newConnectionsBalance(a),
		newConnectionsExpiring(a), newConnectionsUsage(a), newConnectionsRotate(a), newConnectionsImport(a), newConnectionsRemove(a))
}

func connectionColumns(a *app) []column[connection.Connection] {
	type c = connection.Connection
	return []column[c]{
		{name: "id", value: connectionID},
		{name: "bank", value: bankOf},
		{name: "status", value: func(x c) string { return x.Status }, short: statusOf},
		{name: "next", value: nextStep},
		{name: "accounts", value: func(x c) string { return strconv.Itoa(len(x.Accounts)) }},
		{name: "owner", value: func(x c) string { return ownerOf(x.EmployerID, x.CarrierID) }},
		{name: "user", value: func(x c) string { return x.UserID }},
		{name: "synced", value: func(x c) string { return utc(timeOf(x.SyncedAt)) }, short: func(x c) string { return a.ago(timeOf(x.SyncedAt)) }},
	}
}

// bankOf names a connection's bank, which is not known before its accounts were read.
func bankOf(c connection.Connection) string {
	if c.Institution.Name == "" && c.SyncedAt == nil {
		return "(not known yet)"
	}
	return c.Institution.Name
}

// statusOf says of a connection without accounts whether they are still to be read.
func statusOf(c connection.Connection) string {
	if c.Status == connection.Active && c.SyncedAt == nil {
		return "active, its accounts are still to be read"
	}
	return c.Status
}

func ownerOf(employer, carrier string) string {
	var owners []string
	if employer != "" {
		owners = append(owners, "employer "+employer)
	}
	if carrier != "" {
		owners = append(owners, "carrier "+carrier)
	}
	return strings.Join(owners, ", ")
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// connectionCard shows one connection and, below it, its accounts.
func (a *app) connectionCard(c connection.Connection) error {
	facts := []fact{
		{"connection", c.ID}, {"bank", bankOf(c) + " (" + c.Institution.ID + ")"}, {"status", statusOf(c)},
		{"owner", ownerOf(c.EmployerID, c.CarrierID)}, {"user", c.UserID}, {"item", c.ItemID},
		{"products", strings.Join(c.Products, ", ")}, {"synced", a.moment(timeOf(c.SyncedAt))}, {"created", a.moment(c.CreatedAt)},
	}
	if c.Since != nil && c.Status != connection.Active {
		facts = append(facts, fact{"since", a.moment(*c.Since)})
	}
	if c.Error != nil {
		facts = append(facts, fact{"trouble", c.Error.Code + ": " + c.Error.Hint})
		if c.Error.Until != nil {
			facts = append(facts, fact{"ends", a.moment(*c.Error.Until)})
		}
	}
	for _, n := range c.Notices {
		facts = append(facts, fact{"notice", n.Code + ": " + n.Hint})
	}
	if c.ConsentEnds != nil {
		facts = append(facts, fact{"consent", "ends " + a.moment(*c.ConsentEnds)})
	}
	for _, acc := range c.Accounts {
		facts = append(facts, fact{"account", acc.ID + "  " + acc.Name + dots(acc.Mask) + "  " + acc.Type + " " + acc.Subtype})
	}
	return a.card(facts)
}

// nextStep names the action that a connection needs, in a word; "" if none.
func nextStep(c connection.Connection) string {
	t := c.Error
	if t == nil && len(c.Notices) > 0 {
		t = &c.Notices[0]
	}
	if t == nil || t.Step == connection.Wait {
		return ""
	}
	return strings.ReplaceAll(t.Step, "_", " ")
}

// findConnection completes the id that was typed and reads the connection.
func findConnection(ctx context.Context, c *client.Client, typed string) (connection.Connection, error) {
	id, err := resolve(ctx, "a connection", typed, connectionIDs(c))
	if err != nil {
		return connection.Connection{}, err
	}
	return c.GetConnection(ctx, id)
}

// openConnection is findConnection with a client of its own, which it returns too.
func (a *app) openConnection(ctx context.Context, typed string) (*client.Client, connection.Connection, error) {
	c, err := a.dataClient(ctx)
	if err != nil {
		return nil, connection.Connection{}, err
	}
	conn, err := findConnection(ctx, c, typed)
	return c, conn, err
}
