package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/status"
)

// app is one run of bankctl: its environment, the global flags, and the credentials chosen by both.
type app struct {
	Env
	interrupt context.CancelFunc

	socket, profile, tenant string
	output, jq, template    string
	timeout                 time.Duration
	idempotencyKey          string
	deadline                context.Context // ends with --timeout; nil without
	release                 context.CancelFunc
	life                    context.Context // ends with an interrupt
	resume                  string          // the command that goes on where an interrupt ends this one
	noInput, yes, noColor   bool
	quiet, verbose          bool
	stdin                   *bufio.Reader
	prepared                bool
	command                 *cobra.Command // that ran
	chosen                  *credentials
}

// globals registers the flags of every command. Environment variables give their defaults.
func (a *app) globals(flags *pflag.FlagSet) {
	flags.StringVar(&a.socket, "socket", "", "path of bankd's socket")
	flags.StringVar(&a.profile, "profile", "", "whose credentials to use (default \"default\")")
	flags.StringVar(&a.tenant, "tenant", "", "administer this tenant as the local owner")
	flags.StringVarP(&a.output, "output", "o", "", "table, json, ndjson, yaml, csv, tsv or name")
	flags.StringVar(&a.jq, "jq", "", "filter the JSON with a jq expression")
	flags.StringVar(&a.template, "template", "", "print the JSON through a Go template")
	durationFlag(flags, &a.timeout, "timeout", 0, "give up after this time, with exit code 5 (usually 30s for a call of bankd alone)")
	flags.StringVar(&a.idempotencyKey, "idempotency-key", "", "make the same call with the same key safe to repeat for a day")
	flags.BoolVar(&a.noInput, "no-input", false, "never prompt")
	flags.BoolVar(&a.yes, "yes", false, "say yes to what would be asked")
	flags.BoolVar(&a.noColor, "no-color", false, "no colour")
	flags.BoolVarP(&a.quiet, "quiet", "q", false, "results and errors alone")
	flags.BoolVarP(&a.verbose, "verbose", "v", false, "show each request on stderr")
	flags.SortFlags = false
}

// prepare settles the global flags: a flag beats the environment, the environment beats the default.
func (a *app) prepare(flags *pflag.FlagSet) error {
	if a.prepared {
		return nil
	}
	a.prepared = true
	for _, x := range []struct {
		flag, variable string
		value          *string
	}{{"socket", "BANKD_SOCKET", &a.socket}, {"profile", "BANKCTL_PROFILE", &a.profile}, {"output", "BANKCTL_OUTPUT", &a.output}} {
		if !flags.Changed(x.flag) {
			*x.value = a.Getenv(x.variable)
		}
	}
	if v := a.Getenv("BANKCTL_NO_INPUT"); v != "" && !flags.Changed("no-input") {
		a.noInput = v != "0" && v != "false"
	}
	return a.checkOutput()
}

// running is the context of the command.
func (a *app) running() context.Context { return cmp.Or(a.deadline, a.life, context.Background()) }

func (a *app) canPrompt() bool {
	return a.InTTY && a.ErrTTY && !a.noInput && a.Getenv("CI") == ""
}

// say writes a message for people: to stderr, and not with -q.
func (a *app) say(format string, args ...any) {
	if !a.quiet {
		fmt.Fprintf(a.Stderr, format+"\n", args...)
	}
}

// credentials are the client that bankctl acts as, and the socket that it calls.
type credentials struct {
	profile          string // "" for credentials from the environment, and for none
	socket           string
	clientID, secret string
}

// whoami chooses the credentials: the environment's, else those of the profile named, else of profile default if it
// exists.
func (a *app) whoami() (credentials, error) {
	if a.chosen != nil {
		return *a.chosen, nil
	}
	c := credentials{clientID: strings.TrimSpace(a.Getenv("BANKCTL_CLIENT_ID")), secret: strings.TrimSpace(a.Getenv("BANKCTL_CLIENT_SECRET"))}
	for name, value := range map[string]string{"BANKCTL_CLIENT_ID": c.clientID, "BANKCTL_CLIENT_SECRET": c.secret} {
		if strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return c, usage("set it to what `bankctl client create` printed, in one line", "%s holds white space or other characters that it cannot have", name)
		}
	}
	if (c.clientID == "") != (c.secret == "") {
		return c, usage("set both or neither", "BANKCTL_CLIENT_ID and BANKCTL_CLIENT_SECRET belong together")
	}
	book := a.profileBook()
	name, err := book.nameOr(a.profile)
	if err != nil && (c.clientID == "" || a.profile != "") { // the environment's credentials need no profile
		return c, err
	}
	p, err := book.find(cmp.Or(name, defaultProfile))
	switch {
	case errors.Is(err, fs.ErrNotExist) && (a.profile == "" || c.clientID != ""):
	case err != nil && c.clientID != "" && a.profile == "": // the environment's credentials need no profile
	case errors.Is(err, fs.ErrNotExist):
		return c, usage("`bankctl profile list` shows them; `bankctl init --profile "+name+"` makes one", "there is no profile %q", name)
	case err != nil:
		return c, err
	case c.clientID == "":
		c.profile, c.clientID, c.socket = name, p.ClientID, p.Socket
		if c.secret, err = book.secret(name); err != nil {
			return c, err
		}
	default:
		c.socket = p.Socket
	}
	if a.socket != "" {
		c.socket = a.socket
	}
	if c.socket == "" {
		if c.socket, err = a.defaultSocket(); err != nil {
			return c, err
		}
	}
	a.chosen = &c
	return c, nil
}

// defaultSocket finds bankd's default socket. Without a runtime directory the path depends on bankd's environment: the
// first that exists is taken.
func (a *app) defaultSocket() (string, error) {
	var all []string
	for _, environment := range []string{"simulated", "sandbox", "production"} {
		path := socket.DefaultPath(a.Getenv, socket.DefaultDataDir(a.Getenv, environment))
		if !filepath.IsAbs(path) { // never a socket that happens to lie in the working directory
			return "", usage("name it with --socket or BANKD_SOCKET, or set HOME", "bankd's socket cannot be found: there is no home directory")
		}
		if _, err := os.Lstat(path); err == nil {
			return path, nil
		}
		all = append(all, path)
	}
	return all[0], nil
}

func (a *app) newClient(c credentials) *client.Client {
	cl := client.New(c.socket)
	cl.Agent = "bankctl/" + status.Version
	cl.Named, cl.Starting, cl.Key = a.socket != "", startingPatience, a.idempotencyKey
	if a.verbose {
		cl.OnReply = func(method, path string, code int, took time.Duration, requestID string) {
			fmt.Fprintf(a.Stderr, "%s %s: %d in %s (request %s)\n", method, clean(path), code, took.Round(100*time.Microsecond), clean(requestID))
		}
	}
	return cl
}

// startingPatience is how long a call waits for a bankd that is starting.
const startingPatience = time.Minute

// dataClient gives a client for accounts and connections. It never acts as the local owner, who may administer alone.
func (a *app) dataClient(ctx context.Context) (*client.Client, error) {
	c, err := a.whoami()
	if err != nil {
		return nil, err
	}
	cl := a.newClient(c)
	if a.tenant != "" {
		return nil, usage("leave --tenant out", "--tenant is for administration: a client belongs to its own tenant")
	}
	if c.clientID == "" {
		if _, err := cl.GetStatus(ctx); err != nil {
			return nil, err
		}
		return nil, fault.New(fault.Unauthenticated, "there is no profile yet").
			WithHint("`bankctl init` makes a client and saves it; or set BANKCTL_CLIENT_ID and BANKCTL_CLIENT_SECRET")
	}
	cl.ClientID, cl.Secret = c.clientID, c.secret
	return cl, nil
}

// adminClient gives a client for administration: the profile's, or the local owner's without a profile or with --tenant.
func (a *app) adminClient() (*client.Client, error) {
	c, err := a.whoami()
	if err != nil {
		return nil, err
	}
	cl := a.newClient(c)
	if a.tenant != "" {
		cl.Tenant = a.tenant
		return cl, nil
	}
	cl.ClientID, cl.Secret = c.clientID, c.secret
	return cl, nil
}

// ownerClient gives the local owner's client, ignoring the profile's credentials.
func (a *app) ownerClient() (*client.Client, error) {
	c, err := a.whoami()
	if err != nil {
		return nil, err
	}
	cl := a.newClient(c)
	cl.Tenant = a.tenant
	return cl, nil
}

// arguments checks the number of arguments. The error describes them in the command's own words.
func arguments(least, most int, what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		see := fmt.Sprintf("see `%s --help`", cmd.CommandPath())
		if len(args) < least {
			return usage(see, "%s needs %s", cmd.CommandPath(), what)
		}
		if most >= 0 && len(args) > most {
			if near := nearestCommand(cmd, args[most]); near != "" {
				see = fmt.Sprintf("did you mean `%s %s`?", cmd.CommandPath(), near)
			}
			if extra := args[most]; len(extra) > 24 || strings.ContainsAny(extra, "0123456789") {
				return usage(see, "%s takes no such argument", cmd.CommandPath()) // it may be a secret, so it is not repeated
			}
			return usage(see, "%s takes no argument %q", cmd.CommandPath(), args[most])
		}
		return nil
	}
}

func none() cobra.PositionalArgs { return arguments(0, 0, "") }

func one(what string) cobra.PositionalArgs { return arguments(1, 1, what) }
