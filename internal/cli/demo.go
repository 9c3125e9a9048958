package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
)

func newDemo(a *app) *cobra.Command {
	var keep bool
	cmd := &cobra.Command{
		Use: "demo", Short: "Take the whole tour on a throw-away daemon", Args: none(), Annotations: map[string]string{noData: "a tour"},
		Long: `Starts a bankd of its own on a temporary directory, with simulated banks, and goes through
everything: a client, a link through the simulator's real Hosted Link page, accounts, ACH
accounts, balances, the audit log. Nothing of yours is touched, and all of it is removed
at the end, unless --keep leaves it running for you to play with.`,
		Example: "  bankctl demo\n  bankctl demo --keep",
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), a, keep) },
	}
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the daemon running and say how to reach it")
	return cmd
}

// Numbers that Plaid publishes for its sandbox; no account has them.
const (
	publishedRouting = "021000021"
	publishedAccount = "1111222233330000"
)

func runDemo(ctx context.Context, a *app, keep bool) (err error) {
	bankd, err := a.findBankd()
	if err != nil {
		return err
	}
	// A reader may close the pipe (`| head`). That must fail a write, not kill us and leave a daemon behind.
	signal.Ignore(syscall.SIGPIPE)
	d, err := startDemoDaemon(ctx, bankd, a.Getenv("PATH"))
	if err != nil {
		return err
	}
	defer func() {
		if err != nil || !keep {
			err = errors.Join(err, d.remove())
		}
	}()
	t := tour{a, d}
	t.tell("A throw-away bankd is running. SIMULATION: no real bank is involved.")
	if err := t.walk(ctx); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errInterrupted
	}
	if !keep {
		t.tell("That was the tour. The daemon and all it stored are gone.")
		return nil
	}
	return t.leaveRunning()
}

// tour runs commands as a user would type them, and shows their output.
type tour struct {
	*app
	daemon *demoDaemon
}

func (t tour) walk(ctx context.Context) error {
	steps := []step{
		{"First, what the daemon says of itself:", "status", ""},
		{"Make a client for yourself; its secret goes into a file that only you can read:", "init", ""},
		{"Link a bank. Here bankd walks the simulator's Hosted Link page over HTTP, as your browser would:",
			"link --user-id ada --employer-id acme --institution ins_109508 --no-browser --all", ""},
		{"The linked bank:", "connections list", ""},
		{"Its accounts, as people see them:", "accounts list --employer-id acme", ""},
		{"The ACH accounts made of them; only the last four digits ever leave bankd:", "ach list --employer-id acme", ""},
		{"An account by hand. Its number comes from stdin, never from the command line:",
			"ach add --carrier-id north --bank-name Platypus --type checking --routing-number " + publishedRouting + " --account-number-stdin", publishedAccount},
		{"Balances, asked of the bank this moment:", "connections balance CONNECTION", ""},
		{"Every change left a record in a hash-chained log. Is it whole?", "audit verify", ""},
	}
	for _, s := range steps {
		if err := t.take(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

type step struct{ why, command, stdin string }

func (t tour) take(ctx context.Context, s step) error {
	args := strings.Fields(s.command)
	for i, arg := range args {
		if arg != "CONNECTION" {
			continue
		}
		var id bytes.Buffer
		if code := t.run(ctx, []string{"connections", "list", "-o", "name"}, "", &id); code != fault.ExitOK {
			return t.failed("connections list", code)
		}
		args[i] = strings.TrimSpace(id.String())
	}
	typed := "bankctl " + strings.Join(args, " ")
	if s.stdin != "" {
		typed = "cat number.txt | " + typed
	}
	t.tell(s.why)
	t.print(t.strong("$ " + typed))
	if code := t.run(ctx, args, s.stdin, t.Stdout); code != fault.ExitOK {
		return t.failed(args[0], code)
	}
	return nil
}

func (t tour) failed(command string, code int) error {
	return exitError{code, "the tour ended at `bankctl " + command + "`", t.daemon.lastLogLine()}
}

// run runs one command with the demo's socket and profiles instead of the user's. Tables are aligned even in a log, and
// stderr stays in order with stdout.
func (t tour) run(ctx context.Context, args []string, stdin string, out io.Writer) int {
	env := t.Env
	env.Context, env.Stdin, env.Stdout, env.Stderr, env.InTTY = ctx, strings.NewReader(stdin), out, t.Stdout, false
	if !t.OutTTY {
		env.OutTTY, env.Width = true, func() int { return 0 }
	}
	env.Getenv = func(name string) string {
		switch name {
		case "BANKD_SOCKET":
			return t.daemon.socket
		case "XDG_CONFIG_HOME":
			return t.daemon.configHome()
		case "NO_COLOR":
			if !t.color() {
				return "1"
			}
		}
		if strings.HasPrefix(name, "BANKCTL_") {
			return ""
		}
		return t.Getenv(name)
	}
	return Main(args, env)
}

func (t tour) tell(text string) { t.print("\n" + text) }

func (t tour) print(text string) { fmt.Fprintln(t.Stdout, text) }

func (t tour) strong(text string) string {
	if t.color() {
		return bold(text)
	}
	return text
}

func (t tour) leaveRunning() error {
	t.tell("The daemon goes on running. To reach it from this shell:")
	t.print("export BANKD_SOCKET=" + t.daemon.socket + " XDG_CONFIG_HOME=" + t.daemon.configHome())
	t.print("bankctl connections list")
	t.tell("And to end it:")
	t.print(fmt.Sprintf("kill %d && rm -r %s", t.daemon.pid(), filepath.Clean(t.daemon.dir)))
	return t.daemon.release()
}
