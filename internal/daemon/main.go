// Package daemon assembles bankd: config, store, bank and server, their start and their end. It has no rules of its
// own.
package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
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
	root := newRoot(stdout, stderr, getenv)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.Execute()
	if err == nil {
		return exitOK
	}
	fmt.Fprintln(stderr, "bankd: error:", err)
	if _, ok := errors.AsType[usageError](err); ok || strings.HasPrefix(err.Error(), "unknown command") {
		fmt.Fprintln(stderr, "bankd: hint: see `bankd --help`")
		return exitUsage
	}
	return exitError
}

func newRoot(stdout, stderr io.Writer, getenv func(string) string) *cobra.Command {
	var reason string
	root := &cobra.Command{
		Use:   "bankd",
		Short: "Serve linked bank accounts over a Unix socket",
		Long: `bankd links bank accounts through Plaid, keeps them sealed on disk and serves them to
bankctl over a Unix socket, until SIGTERM or SIGINT. Without any flag it simulates
Plaid: no keys, no network, no real bank.

Every flag is also a key of the config file and an environment variable:
--data-dir, data_dir, BANKD_DATA_DIR. A flag beats the environment, the
environment beats the file.`,
		Example: `  bankd                                      everything simulated
  PLAID_CLIENT_ID=… PLAID_SECRET_FILE=… bankd --plaid sandbox`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(cmd.Flags(), getenv)
			if err != nil {
				return usageError{err}
			}
			if cmd.Flags().Changed(acceptRollback) && strings.TrimSpace(reason) == "" {
				return usageError{fmt.Errorf("--%s: say why, in a few words: the reason is kept in the audit log", acceptRollback)}
			}
			return serve(c, strings.TrimSpace(reason), stdout, stderr, getenv)
		},
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	config.RegisterFlags(root.Flags())
	root.Flags().StringVar(&reason, acceptRollback, "", "serve data that is older than its anchor, once, for this audited `REASON`")
	root.AddCommand(newPlaidSim(stdout, stderr), newRestore(stdout, stderr, getenv), newVerifyBackup(stdout, stderr, getenv), newVersion(stdout))
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

// serve runs the daemon until a signal comes or the store requires the process to end.
func serve(c config.Config, acceptRollback string, stdout, stderr io.Writer, getenv func(string) string) error {
	harden()
	buffer := &logBuffer{w: stderr}
	defer buffer.Flush()
	log := newLog(c, stderr, buffer)
	flushing, enough := context.WithCancel(context.Background())
	defer enough()
	go buffer.keepFlushing(flushing)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	notify := func(state string) {
		if err := socket.Notify(getenv, state); err != nil {
			log.Warn("cannot notify systemd", "error", err.Error())
		}
	}
	d, err := Start(ctx, c, Options{Log: log, AcceptRollback: acceptRollback, Notify: notify})
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, d.readyLine())
	notify(socket.Ready)
	select {
	case <-ctx.Done():
		err = nil
	case <-d.Poisoned():
		err = errors.New("a commit's outcome is unknown: start bankd again, it reads the file anew")
	case err = <-d.failed:
	}
	stop() // a second signal ends the process at once
	_ = socket.Notify(getenv, socket.Stopping)
	return errors.Join(err, d.Stop())
}

// newLog logs through the buffer; stderr is only used to see whether it is a terminal.
func newLog(c config.Config, stderr io.Writer, buffer *logBuffer) *slog.Logger {
	o := &slog.HandlerOptions{Level: c.LogLevel}
	f, isFile := stderr.(*os.File)
	if c.LogFormat == config.LogText || c.LogFormat == config.LogAuto && isFile && term.IsTerminal(int(f.Fd())) {
		return slog.New(flushingHandler{slog.NewTextHandler(buffer, o), buffer})
	}
	return slog.New(flushingHandler{slog.NewJSONHandler(buffer, o), buffer})
}
