package cli

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/bankctl/bankctl/internal/fault"
)

func nowhere(t *testing.T) Env {
	return Env{
		Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard, Context: t.Context(),
		Getenv: func(string) string { return "" }, Now: time.Now, Width: func() int { return 0 },
		HideTyping: func() (func(), error) { return nil, io.EOF },
		Executable: os.Executable,
	}
}

func everyCommand(t *testing.T, visit func(*cobra.Command)) {
	t.Helper()
	seen := 0
	var walk func(*cobra.Command)
	walk = func(c *cobra.Command) {
		seen++
		visit(c)
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(newRoot(&app{Env: nowhere(t)}, nil))
	if seen < 40 {
		t.Fatalf("only %d commands", seen)
	}
}

// Every command describes itself in the same form, and each that runs has an example.
func TestHelpOfEveryCommand(t *testing.T) {
	t.Parallel()
	verb := regexp.MustCompile(`^[A-Z][a-z]+ .*[^.]$`)
	topics := []string{"environment", "exit-codes", "formatting"}
	everyCommand(t, func(c *cobra.Command) {
		if !verb.MatchString(c.Short) {
			t.Errorf("%s: short help %q", c.CommandPath(), c.Short)
		}
		if slices.Contains(topics, c.Name()) || c.HasSubCommands() && c.Name() != "link" {
			return
		}
		if c.Example == "" {
			t.Errorf("%s has no example", c.CommandPath())
		}
		for line := range strings.Lines(c.Example) {
			if len(line) > 145 {
				t.Errorf("%s: a line of its example is %d long", c.CommandPath(), len(line))
			}
		}
	})
}

// Nothing secret can be given on the command line.
func TestNoSecretFlags(t *testing.T) {
	t.Parallel()
	everyCommand(t, func(c *cobra.Command) {
		for _, flag := range []string{"account-number", "password", "secret", "client-secret"} {
			if c.Flags().Lookup(flag) != nil {
				t.Errorf("%s has --%s", c.CommandPath(), flag)
			}
		}
	})
}

// A mistyped word is an error under every command that takes none.
func TestTyposUnderEveryCommand(t *testing.T) {
	t.Parallel()
	everyCommand(t, func(c *cobra.Command) {
		if !c.HasSubCommands() {
			return
		}
		args := append(strings.Fields(c.CommandPath())[1:], "zzzz")
		if code := Main(args, nowhere(t)); code != fault.ExitUsage {
			t.Errorf("%s: exit code %d", strings.Join(args, " "), code)
		}
	})
}

// One branch alone is the same as that branch of the whole tree.
func TestBranchesAlone(t *testing.T) {
	t.Parallel()
	whole := newRoot(&app{Env: nowhere(t)}, nil)
	for _, b := range branches() {
		for _, name := range b.names {
			alone := newRoot(&app{Env: nowhere(t)}, []string{name})
			found, _, err := alone.Find([]string{name})
			want, _, _ := whole.Find([]string{b.names[0]})
			if err != nil || found.Name() != b.names[0] || found.UsageString() != want.UsageString() {
				t.Errorf("%s alone is another command: %v", name, err)
			}
		}
	}
	if n := len(whole.Commands()); n != len(branches())+len(newHelpTopics()) {
		t.Errorf("%d commands below the root, want the branches and the topics of help", n)
	}
}

// The scripts that packages install are those that this program prints.
func TestCompletionScriptsAreFresh(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"bash", "zsh", "fish"} {
		var now strings.Builder
		env := nowhere(t)
		env.Stdout = &now
		if code := Main([]string{"completion", shell}, env); code != 0 {
			t.Fatalf("completion %s: exit code %d", shell, code)
		}
		kept, err := os.ReadFile(filepath.Join("../../completions", "bankctl."+shell))
		if err != nil {
			t.Fatal(err)
		}
		if string(kept) != now.String() {
			t.Errorf("completions/bankctl.%s is stale: run `make completions`", shell)
		}
	}
}

func TestExitCodesAreExplained(t *testing.T) {
	t.Parallel()
	explained := map[int]bool{}
	for _, m := range exitMeanings {
		explained[m.code] = true
	}
	for _, code := range fault.Codes() {
		if !explained[code.Exit()] {
			t.Errorf("help exit-codes does not explain %d of %s", code.Exit(), code)
		}
		if got := (&app{Env: nowhere(t)}).exitCode(t.Context(), fault.New(code, "x")); got != code.Exit() {
			t.Errorf("%s ends with %d, want %d", code, got, code.Exit())
		}
	}
}

// A command takes every name of its flags: those of earlier versions, of the contract, and of the API's fields.
func TestSynonymsOfFlags(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	everyCommand(t, func(c *cobra.Command) {
		for _, group := range synonyms {
			var own []string
			c.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if slices.Contains(group, f.Name) {
					own = append(own, f.Name)
				}
			})
			if len(own) != 1 {
				continue
			}
			for _, name := range group {
				if f := c.Flags().Lookup(name); f == nil || f.Name != own[0] {
					t.Errorf("%s does not take --%s for --%s", c.CommandPath(), name, own[0])
				}
				seen[c.CommandPath()+" --"+name] = true
				if strings.Contains(c.UsageString(), "--"+name+" ") != (name == own[0]) {
					t.Errorf("the help of %s: --%s", c.CommandPath(), name)
				}
			}
		}
	})
	for _, wanted := range []string{
		"bankctl employee verify --company", "bankctl employee verify --employee", "bankctl employee verify --account", "bankctl employee add --account-type",
		"bankctl txns list --item", "bankctl txns list --account", "bankctl link --products", "bankctl ach verify --connection", "bankctl ach list --bank-account",
	} {
		if !seen[wanted] {
			t.Errorf("%s is not tried", wanted)
		}
	}
}
