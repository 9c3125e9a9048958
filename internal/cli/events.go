package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/trail"
)

type eventsOptions struct {
	query  trail.EventQuery
	since  string
	follow bool
}

func newEvents(a *app) *cobra.Command {
	var o eventsOptions
	cmd := &cobra.Command{
		Use: "events", Short: "Show what happened, and what happens", Args: none(),
		Long: `Shows the events of what your client may see, oldest first: links that end, verdicts about
employees' accounts, syncs, connections that need attention. With --follow it goes on with
each as it comes, over restarts of bankd too. In a pipe each is one line of JSON.

Every event has an id: --after ID goes on behind it, with nothing lost and nothing twice.`,
		Example: "  bankctl events --since 2d\n  bankctl events --follow --type connection\n  bankctl events --follow --object session:6a1f0b8f2b3c4d5e6f708192 -o ndjson",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runEvents(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with each event as it comes")
	f.StringVar(&o.since, "since", "", "30m, 12h, 30d, 2w, a day or a time (default 1d, or now with --follow)")
	filterFlags(a, cmd, &o.query)
	return cmd
}

func runEvents(ctx context.Context, a *app, o eventsOptions) error {
	if o.since == "" && o.query.After == "" && !o.follow {
		o.since = "1d"
	}
	if o.since != "" {
		var err error
		if o.query.Since, err = parseSince(o.since, a.Now()); err != nil {
			return err
		}
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	if !o.follow {
		return listEvents(ctx, a, c, o.query)
	}
	return followEvents(ctx, a, c, o.query)
}

func listEvents(ctx context.Context, a *app, c *client.Client, q trail.EventQuery) error {
	no := false
	q.Follow = &no
	var all []trail.Event
	err := c.StreamEvents(ctx, q, func(e trail.Event) error {
		if e.Type != trail.Ready {
			all = append(all, e)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return list(a, all, eventID, eventColumns(a))
}

// followEvents prints each event as it comes: a line of a table on a terminal, a line of JSON elsewhere.
func followEvents(ctx context.Context, a *app, c *client.Client, q trail.EventQuery) error {
	streams := a.jq != "" || a.template != ""
	switch a.output {
	case "table":
		if !a.OutTTY {
			a.output = "ndjson"
		}
	case "json", "yaml", "csv", "tsv":
		if !streams {
			return usage("-o ndjson prints each event as a line of JSON", "--follow cannot print %s, which is one document: it has no end", a.output)
		}
	}
	away := false
	return c.FollowEvents(ctx, q, func(e trail.Event) error {
		a.resume = "bankctl events --follow --after " + e.ID
		if away {
			away = false
			a.say("bankd is back")
		}
		if e.Type == trail.Ready {
			return nil
		}
		return show(a, e, []trail.Event{e}, eventID, eventColumns(a), func() error {
			_, err := fmt.Fprintln(a.Stdout, eventLine(a, e))
			return err
		})
	}, func(err error) bool {
		if !away {
			away = true
			a.say("%v; waiting for it to come back", err)
		}
		return true
	})
}

func eventID(e trail.Event) string { return e.ID }

func eventColumns(a *app) []column[trail.Event] {
	return []column[trail.Event]{
		{name: "id", value: eventID},
		{name: "time", value: func(e trail.Event) string { return utc(e.Time) }, short: func(e trail.Event) string { return a.ago(e.Time) }},
		{name: "type", value: func(e trail.Event) string { return e.Type }},
		{name: "object", value: func(e trail.Event) string { return e.Object }},
		{name: "outcome", value: func(e trail.Event) string { return e.Outcome }},
		{name: "owner", value: eventOwner},
		{name: "details", value: eventDetails},
	}
}

// eventLine is an event on a terminal.
func eventLine(a *app, e trail.Event) string {
	parts := []string{e.Time.In(a.Now().Location()).Format(time.TimeOnly), e.Type, e.Object}
	if e.Outcome != "ok" {
		parts = append(parts, "("+e.Outcome+")")
	}
	for _, more := range []string{eventOwner(e), eventDetails(e)} {
		if more != "" {
			parts = append(parts, more)
		}
	}
	return clean(strings.Join(parts, "  "))
}

func eventOwner(e trail.Event) string {
	var parts []string
	for _, x := range []struct{ name, id string }{{"employer", e.EmployerID}, {"carrier", e.CarrierID}, {"company", e.CompanyID}, {"employee", e.EmployeeID}} {
		if x.id != "" {
			parts = append(parts, x.name+" "+x.id)
		}
	}
	return strings.Join(parts, ", ")
}

func eventDetails(e trail.Event) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(e.Details)) {
		parts = append(parts, name+"="+e.Details[name])
	}
	return strings.Join(parts, " ")
}
