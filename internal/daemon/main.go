// Package daemon assembles bankd: config, store, bank and server, their start and their end. It has no rules of its
// own.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	stdlog "log"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"

	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/status"
)

// Exit codes of bankd.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

const acceptRollback = "accept-rollback" // no setting: it must not stay

type usageError struct{ error }

// Main runs bankd and returns its exit code. The first line on stdout says that bankd is ready.
func Main(args []string, stdout, stderr io.Writer, getenv func(string) string) int {
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // a reader of the log that goes away ends nothing
	root := newRoot(stdout, stderr, getenv)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	last, code := newLogBuffer(stderr), exitError // a reader of stderr that stands does not keep the process
	fmt.Fprintln(last, "bankd: error:", err)
	if _, ok := errors.AsType[usageError](err); ok || strings.HasPrefix(err.Error(), "unknown command") {
		fmt.Fprintln(last, "bankd: hint: see `bankd --help`")
		code = exitUsage
	}
	last.Close()
	return code
}

func newRoot(stdout, stderr io.Writer, getenv func(string) string) *cobra.Command {
	var reason string
	root := &cobra.Command{
		Use:   "bankd",
		Short: "Serve linked bank accounts over a Unix socket",
		Long: `bankd links bank accounts through Plaid, keeps them sealed on disk and serves them to
bankctl over a Unix socket, until SIGTERM or SIGINT. SIGHUP reads the configuration
anew. Without any flag it simulates Plaid: no keys, no network, no real bank.

Every flag is also a key of the config file and an environment variable:
--data-dir, data_dir, BANKD_DATA_DIR. A flag beats the environment, the
environment beats the file.`,
		Example: `  bankd                                      everything simulated
  PLAID_CLIENT_ID=… PLAID_SECRET_FILE=… bankd --plaid sandbox`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed(acceptRollback) && strings.TrimSpace(reason) == "" {
				return usageError{fmt.Errorf("--%s: say why, in a few words: the reason is kept in the audit log", acceptRollback)}
			}
			return serve(cmd.Flags(), strings.TrimSpace(reason), stdout, stderr, getenv)
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	config.RegisterFlags(root.Flags())
	root.Flags().StringVar(&reason, acceptRollback, "", "serve data that is older than its anchor, once, for this audited `REASON`")
	root.AddCommand(newPlaidSim(stdout, stderr), newRestore(stdout, stderr, getenv), newVerifyBackup(stdout, stderr, getenv), newRecover(stdout, getenv), newVersion(stdout))
	return root
}

func newVersion(stdout io.Writer) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(stdout, "bankd", status.Version)
			return err
		},
	}
}

// endPatience bounds the end of a daemon whose store cannot be relied on: what hangs must not keep the process.
const endPatience = 4 * time.Second

// serve runs the daemon until a signal comes or the store requires the process to end.
func serve(flags *pflag.FlagSet, acceptRollback string, stdout, stderr io.Writer, getenv func(string) string) error {
	reload := make(chan os.Signal, 1)
	signal.Notify(reload, syscall.SIGHUP)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	c, err := config.Load(flags, getenv)
	if err != nil {
		if _, found := unsafe(err); found {
			return err // the command that it names is the help
		}
		return usageError{err}
	}
	harden()
	stdlog.SetOutput(io.Discard) // net/http's client logs there, and quotes what a server sent
	log, level, buffer := newLog(c, stderr)
	defer buffer.Close()
	warnings, err := c.CheckPlaces(getenv)
	if err != nil {
		return err
	}
	for _, w := range warnings {
		log.Warn("others can look into it", "what", w)
	}
	notify := func(state string) {
		if err := socket.Notify(getenv, state); err != nil {
			log.Warn("cannot notify systemd", "error", err.Error())
		}
	}
	d, err := Start(ctx, c, Options{Log: log, AcceptRollback: acceptRollback, Notify: notify})
	if err != nil {
		if ctx.Err() != nil && errors.Is(err, context.Canceled) {
			return nil // stopped before it was ready
		}
		return err
	}
	r := reloader{flags: flags, getenv: getenv, level: level, daemon: d, config: c}
	fmt.Fprintln(stdout, d.readyLine())
	notify(socket.Ready)
	for err == nil && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-reload:
			r.reload()
		case <-d.Poisoned():
			err = d.Failure()
		case err = <-d.failed:
		}
	}
	stop() // a second signal ends the process at once
	_ = socket.Notify(getenv, socket.Stopping)
	if err == nil {
		return d.Stop()
	}
	log.Error("bankd ends", "error", err.Error())
	return errors.Join(err, stopWithin(d, endPatience))
}

// stopWithin stops the daemon, and gives up what takes longer: the end of the process stops that too.
func stopWithin(d *Daemon, patience time.Duration) error {
	stopped := make(chan error, 1)
	go func() { stopped <- d.Stop() }()
	select {
	case err := <-stopped:
		return err
	case <-time.After(patience):
		return nil
	}
}

// newLog makes a log on stderr that nobody waits for, and the level that a reload changes.
func newLog(c config.Config, stderr io.Writer) (*slog.Logger, *slog.LevelVar, *logBuffer) {
	buffer, level := newLogBuffer(stderr), new(slog.LevelVar)
	level.Set(c.LogLevel)
	o := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewJSONHandler(buffer, o)
	f, isFile := stderr.(*os.File)
	if c.LogFormat == config.LogText || c.LogFormat == config.LogAuto && isFile && term.IsTerminal(int(f.Fd())) {
		h = slog.NewTextHandler(buffer, o)
	}
	log := slog.New(flushingHandler{h, buffer})
	buffer.report = func(lost int, cause error) {
		reason := "nobody read the log"
		if cause != nil {
			reason = cause.Error()
		}
		log.Warn("log lines were lost", "lines", lost, "cause", reason)
	}
	return log, level, buffer
}
