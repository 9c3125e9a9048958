package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bankctl/bankctl/internal/background"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/cli"
	"github.com/bankctl/bankctl/internal/daemon"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"bankctl": func() { os.Exit(cli.Main(os.Args[1:], cli.System())) },
		"bankd":   func() { os.Exit(daemon.Main(os.Args[1:], os.Stdout, os.Stderr, os.Getenv)) },
	})
}

// unhurried is a tempo without background looks, so that a script that prints an object twice prints the same.
func unhurried() background.Tempo {
	tempo := banktest.Quick
	tempo.Look, tempo.EmployeeOpen, tempo.EmployeeSettled = time.Hour, time.Hour, time.Hour
	return tempo
}

// TestScripts replays transcripts of the real bankctl against a real bankd, a fresh one each.
func TestScripts(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			t.Parallel()
			b := banktest.Start(t, banktest.Tempo(unhurried()))
			testscript.Run(t, testscript.Params{
				Files:               []string{file},
				RequireExplicitExec: true,
				Setup: func(env *testscript.Env) error {
					home := filepath.Join(env.WorkDir, "home")
					env.Setenv("HOME", home)
					env.Setenv("BANKD_SOCKET", b.Config.Socket)
					env.Setenv("ADMIN_ID", b.Client.ClientID)
					env.Setenv("ADMIN_SECRET", b.Client.Secret)
					return os.MkdirAll(home, 0o700)
				},
				Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "capture": capture, "completes": completes},
			})
		})
	}
}

// exits runs a command and wants one certain exit code: exits 3 bankctl …
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// completes asks for completions until one matches: completes REGEXP ARGS… . A shell is not kept waiting, so bankctl gives
// none when bankd is slow.
func completes(ts *testscript.TestScript, _ bool, args []string) {
	want := regexp.MustCompile("(?m)" + args[0])
	if !banktest.Eventually(func() bool {
		ts.Check(ts.Exec("bankctl", append([]string{"__complete"}, args[1:]...)...))
		return want.MatchString(ts.ReadFile("stdout"))
	}) {
		ts.Fatalf("no completion matches %s", args[0])
	}
}

// capture keeps the last stdout in a variable: capture ID
func capture(ts *testscript.TestScript, _ bool, args []string) {
	value := strings.TrimSpace(ts.ReadFile("stdout"))
	if value == "" {
		ts.Fatalf("nothing to keep in %s", args[0])
	}
	ts.Setenv(args[0], value)
}
