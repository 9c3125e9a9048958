package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
)

func newHelp() *cobra.Command {
	return &cobra.Command{
		Use: "help [COMMAND | TOPIC]", Short: "Explain a command, or environment, exit-codes, formatting",
		Example: "  bankctl help connections sync\n  bankctl help exit-codes",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return usage("see `bankctl --help`", "there is no command or topic %q", strings.Join(args, " "))
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

func newHelpTopics() []*cobra.Command {
	return []*cobra.Command{
		{Use: "environment", Short: "Environment variables that bankctl reads", Long: environmentText},
		{Use: "exit-codes", Short: "Exit codes and what they mean", Long: exitCodesText()},
		{Use: "formatting", Short: "Output formats, --jq and --template", Long: formattingText},
	}
}

const environmentText = `A flag beats its variable, a variable beats the profile.

BANKD_SOCKET           path of bankd's socket (--socket)
BANKCTL_PROFILE        profile to use (--profile)
BANKCTL_CLIENT_ID      client to go as, instead of any profile; with
BANKCTL_CLIENT_SECRET  its secret
BANKCTL_OUTPUT         default output format (--output)
BANKCTL_NO_INPUT       any value: never prompt (--no-input); so does CI
BANKCTL_BROWSER        command that opens a URL, instead of the desktop's own
NO_COLOR, TERM=dumb    no colour
SSH_CONNECTION         set: no browser is opened, the URL is printed alone
XDG_CONFIG_HOME        profiles are in bankctl/config.yaml below it, secrets in bankctl/secrets/
XDG_RUNTIME_DIR, XDG_STATE_HOME
                       where bankd's socket is looked for; marks of export --since-last are in
                       bankctl/ below the second`

var exitMeanings = []struct {
	code int
	what string
}{
	{fault.ExitOK, `done ("nothing new" is 0)`},
	{fault.ExitInternal, "internal or unexpected"},
	{fault.ExitUsage, "usage"},
	{fault.ExitNotFound, "not found"},
	{fault.ExitNotAllowed, "not authenticated or not allowed"},
	{fault.ExitUnavailable, "bankd is not reachable"},
	{fault.ExitConflict, "conflict or duplicate"},
	{fault.ExitInvalid, "invalid input"},
	{fault.ExitPlaid, "Plaid failed or is unreachable (retryable)"},
	{fault.ExitRateLimited, "rate limited"},
	{fault.ExitRelink, "re-authentication needed"},
	{fault.ExitNotVerified, "not verified"},
	{fault.ExitLeft, "the user left or the link expired"},
	{fault.ExitPartial, "partial: some of a bulk failed"},
	{fault.ExitInterrupted, "interrupted"},
}

func exitCodesText() string {
	var b strings.Builder
	for _, m := range exitMeanings {
		fmt.Fprintf(&b, "%3d  %s\n", m.code, m.what)
	}
	return b.String() + `
The error is on stderr: in words, or with -o json as the API's error object
{"code", "message", "hint", "fields", "retryable", "request_id"}.`
}

const formattingText = `Results go to stdout, everything else to stderr.

-o table   for people: aligned and cut to the terminal's width; through a pipe whole
           values between tabs, no colour, the names of the columns first
-o json    the API's data as it is
-o ndjson  the same, one object a line (also jsonl)
-o yaml    the same as YAML
-o csv     the table's columns, whole values; a cell that a spreadsheet would take for
           a formula gets a ' before it
-o tsv     the same between tabs
-o name    ids alone

--jq EXPR       a jq expression over the JSON; strings are printed bare. It sees no environment.
--template T    a Go template over the JSON; beside Go's own functions json, join SEP LIST, truncate N TEXT

Amounts in JSON are whole minor units (cents) with their currency, times RFC 3339 in UTC;
a table shows them as people read them.

  bankctl connections list --jq '.[] | select(.status != "active") | ._id'
  bankctl accounts list --template '{{range .}}{{.bank_name}} {{.mask}}{{"\n"}}{{end}}'`
