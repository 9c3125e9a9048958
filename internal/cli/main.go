package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/tui"
)

// usageError is a wrong command line: exit 2, and nothing was done.
type usageError struct {
	message, hint string
}

func (u usageError) Error() string { return u.message }

func usage(hint, format string, args ...any) error {
	return usageError{fmt.Sprintf(format, args...), hint}
}

// exitError ends the command with an exit code that no fault has, such as "not verified".
type exitError struct {
	code          int
	message, hint string
}

func (e exitError) Error() string { return e.message }

var errInterrupted = errors.New("interrupted")

// exitNames name the exit codes that no fault has.
var exitNames = map[int]fault.Code{
	fault.ExitInternal: fault.Internal, fault.ExitNotVerified: "not_verified", fault.ExitLeft: "left", fault.ExitPartial: "partial",
}

// Main runs one command and gives its exit code.
func Main(args []string, env Env) int {
	ctx, cancel := context.WithCancel(cmp.Or(env.Context, context.Background()))
	defer cancel()
	a := &app{Env: env, interrupt: cancel, life: ctx}
	root := newRoot(a, args)
	root.SetArgs(args)
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	cmd, err := root.ExecuteContextC(ctx)
	a.command = cmd
	if a.release != nil {
		defer a.release()
	}
	if err == nil {
		return fault.ExitOK
	}
	if a.output == "" && wantsJSON(args, env.Getenv) {
		a.output = "json" // parsing stopped before the flag
	}
	return a.exitCode(ctx, err)
}

// limit ends the command after --timeout.
func (a *app) limit(cmd *cobra.Command) {
	if a.timeout <= 0 || a.deadline != nil {
		return
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), a.timeout)
	a.deadline, a.release = ctx, cancel
	cmd.SetContext(ctx)
}

// watchSignals makes the first interrupt end the command in order; the second one ends the process by itself.
func (a *app) watchSignals() {
	if a.Context != nil {
		return // the context's owner handles signals
	}
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		signal.Stop(signals)
		a.interrupt()
	}()
}

func wantsJSON(args []string, getenv func(string) string) bool {
	joined := " " + strings.Join(args, " ") + " "
	asked := slices.ContainsFunc([]string{" -o json ", " -ojson ", " --output json ", " --output=json ", " -o=json "}, func(form string) bool {
		return strings.Contains(joined, form)
	})
	return asked || getenv("BANKCTL_OUTPUT") == "json"
}

// exitCode prints an error and gives its exit code. No other place maps errors to exit codes.
func (a *app) exitCode(ctx context.Context, err error) int {
	if ctx.Err() == nil && a.deadline != nil && errors.Is(a.deadline.Err(), context.DeadlineExceeded) {
		f := fault.New(fault.Unavailable, "not done within %s", a.timeout).WithHint("what was asked may have been done; --timeout sets how long to wait")
		if a.resume != "" {
			f = f.WithHint("`%s` waits on", a.resume)
		}
		a.printError(f)
		return f.Code.Exit()
	}
	if ctx.Err() != nil || errors.Is(err, context.Canceled) || errors.Is(err, errInterrupted) || errors.Is(err, tui.ErrInterrupted) {
		f := &fault.Error{Code: "interrupted", Message: "interrupted"}
		if a.resume != "" {
			f.Hint = "`" + a.resume + "` waits on"
		}
		a.printError(f)
		return fault.ExitInterrupted
	}
	if errors.Is(err, syscall.EPIPE) {
		return fault.ExitOK // the reader closed the pipe
	}
	if u, ok := errors.AsType[usageError](err); ok {
		a.printError(&fault.Error{Code: "usage", Message: u.message, Hint: u.hint})
		return fault.ExitUsage
	}
	if e, ok := errors.AsType[exitError](err); ok {
		a.printError(&fault.Error{Code: exitNames[e.code], Message: e.message, Hint: e.hint})
		return e.code
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		if !a.printsJSON() {
			f = f.WithFieldNames(func(field string) string { return flagOf(a.command, field) })
		}
		a.printError(f)
		return f.Code.Exit()
	}
	a.printError(&fault.Error{Code: fault.Internal, Message: err.Error()})
	return fault.ExitInternal
}

// printsJSON reports whether errors are for programs: they name fields of the API, not flags.
func (a *app) printsJSON() bool { return a.output == "json" || a.output == "ndjson" }

// printError prints a failure as the API's error object where JSON was asked for, else as text.
func (a *app) printError(f *fault.Error) {
	if a.printsJSON() {
		b, err := json.Marshal(f)
		if err == nil {
			fmt.Fprintln(a.Stderr, string(b))
			return
		}
	}
	say := func(kind, text string) {
		if text != "" {
			fmt.Fprintf(a.Stderr, "bankctl: %s: %s\n", kind, clean(text))
		}
	}
	say("error", f.Message)
	if len(f.Fields) > 1 {
		for _, name := range sortedKeys(f.Fields) {
			fmt.Fprintf(a.Stderr, "  %s: %s\n", clean(name), clean(f.Fields[name]))
		}
	}
	if f.Plaid != nil && f.Plaid.ErrorCode != "" {
		say("plaid", strings.TrimSpace(f.Plaid.ErrorCode+" (request "+f.Plaid.RequestID+")"))
	}
	say("hint", f.Hint)
	say("request", f.RequestID)
}
