package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/secret"
)

type connectionsImportOptions struct {
	user, employer, carrier string
	keepToken               bool
}

func newConnectionsImport(a *app) *cobra.Command {
	var o connectionsImportOptions
	cmd := &cobra.Command{
		Use: "import", Short: "Take over Items that another tool made, from stdin", Args: none(),
		Long: `Reads access tokens from stdin, one a line, or one JSON object a line with access_token and,
where they differ from the flags, user_id, employer_id and carrier_id. Each Item is checked,
its webhooks are pointed here and its token is swapped: the other tool is locked out, unless
--keep-token. Tokens never go on the command line. Exit code 13 says that some failed.`,
		Example: `  pass show plaid/tokens | bankctl connections import --user-id u1 --employer-id acme
  bankctl connections import --user-id u1 < items.ndjson`,
		RunE: func(cmd *cobra.Command, _ []string) error { return runConnectionsImport(cmd.Context(), a, o) },
	}
	f := cmd.Flags()
	f.StringVar(&o.user, "user-id", "", "whose they are")
	f.StringVar(&o.employer, "employer-id", "", "the employer they belong to")
	f.StringVar(&o.carrier, "carrier-id", "", "the carrier they belong to")
	f.BoolVar(&o.keepToken, "keep-token", false, "leave the token as it is")
	return cmd
}

// imported is the result of one line.
type imported struct {
	Line         int          `json:"line"`
	ConnectionID string       `json:"connection_id,omitempty"`
	Institution  string       `json:"institution,omitempty"`
	Status       string       `json:"status,omitempty"`
	Error        *fault.Error `json:"error,omitempty"`
}

func runConnectionsImport(ctx context.Context, a *app, o connectionsImportOptions) error {
	if a.InTTY && !a.yes {
		return usage("pipe a file or a password manager into it", "import reads tokens from stdin, not from a terminal")
	}
	c, err := a.dataClient(ctx)
	if err != nil {
		return err
	}
	rows, failed := []imported{}, 0
	var end error
	for n := 1; ; n++ {
		var text string
		if text, end = a.nextLine(ctx); end != nil {
			break
		}
		if text = strings.TrimSpace(text); text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		row := imported{Error: fault.New(fault.Invalid, "the line is longer than any token or JSON object")}
		if len(text) <= longestLine {
			row = importLine(ctx, c, o, text)
			for row.Error != nil && row.Error.Code == fault.RateLimited && row.Error.RetryAfter > 0 && a.rest(ctx, n, row.Error.RetryAfter) {
				row = importLine(ctx, c, o, text)
			}
		}
		row.Line = n
		if row.Error != nil {
			failed++
			a.say("line %d: %s", n, clean(row.Error.Error()))
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 && errors.Is(end, io.EOF) {
		return usage("give one access token a line", "stdin holds no token")
	}
	err = list(a, rows, func(r imported) string { return r.ConnectionID }, importColumns())
	switch {
	case errors.Is(end, errInterrupted):
		a.say("interrupted after %s; run it again with all of them: those that are in say so", counted(len(rows), "line"))
		return end
	case !errors.Is(end, io.EOF):
		return fmt.Errorf("read stdin: %w", end)
	}
	if err == nil && failed > 0 {
		hint := "the others are in"
		if failed == len(rows) {
			hint = "nothing was imported"
		}
		err = exitError{fault.ExitPartial, fmt.Sprintf("%d of %d could not be imported", failed, len(rows)), hint}
	}
	return err
}

// rest waits out a rate limit in the middle of a bulk. It reports whether the wait was not interrupted.
func (a *app) rest(ctx context.Context, line, seconds int) bool {
	a.say("line %d: the rate limit is reached; going on in %d s", line, seconds)
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(seconds) * time.Second):
		return true
	}
}

// longestLine bounds a line of stdin: a token, or a small JSON object.
const longestLine = 8 << 10

func importLine(ctx context.Context, c *client.Client, o connectionsImportOptions, text string) imported {
	p := connection.ImportParams{UserID: o.user, EmployerID: o.employer, CarrierID: o.carrier, KeepToken: o.keepToken}
	if strings.HasPrefix(text, "{") {
		if json.Unmarshal([]byte(text), &p) != nil {
			return imported{Error: fault.New(fault.Invalid, "this is no JSON object with access_token, user_id, employer_id and carrier_id")}
		}
	} else {
		p.AccessToken = secret.New(text)
	}
	conn, err := c.ImportConnection(ctx, p)
	if err != nil {
		return imported{Error: fault.As(err)}
	}
	return imported{ConnectionID: conn.ID, Institution: conn.Institution.Name, Status: conn.Status}
}

func importColumns() []column[imported] {
	return []column[imported]{
		{name: "line", value: func(r imported) string { return fmt.Sprint(r.Line) }},
		{name: "connection", value: func(r imported) string { return r.ConnectionID }},
		{name: "bank", value: func(r imported) string { return r.Institution }},
		{name: "status", value: func(r imported) string {
			if r.Error != nil {
				return string(r.Error.Code)
			}
			return r.Status
		}},
	}
}
