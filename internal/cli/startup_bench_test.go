package cli_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const bareCobra = `package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func main() {
	root := &cobra.Command{Use: "bare"}
	root.AddCommand(&cobra.Command{Use: "version", Run: func(*cobra.Command, []string) { fmt.Println("bare dev") }})
	_ = root.Execute()
}
`

// The libraries that bankctl links, in a program that does nothing with them. They are used, behind a condition that never holds: else the linker would leave most of them out.
const sameLibraries = `package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"text/template"

	_ "github.com/bankctl/bankctl/internal/aaterm"
	"github.com/charmbracelet/bubbles/spinner"
	tea "github.com/charmbracelet/bubbletea"
	"github.com/charmbracelet/lipgloss"
	"github.com/itchyny/gojq"
	"github.com/mdp/qrterminal/v3"
	"github.com/pkg/browser"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
	"golang.org/x/term"
)

func main() {
	if len(os.Args) > 99 {
		use()
	}
	root := &cobra.Command{Use: "bare"}
	root.AddCommand(&cobra.Command{Use: "version", Run: func(*cobra.Command, []string) { fmt.Println("bare dev") }})
	_ = root.Execute()
}

type model struct{ spinner.Model }

func (m model) Init() tea.Cmd { return m.Tick }

func (m model) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	m.Model, _ = m.Model.Update(msg)
	return m, nil
}

func use() {
	_, _ = tea.NewProgram(model{spinner.New()}).Run()
	fmt.Println(lipgloss.NewStyle().Bold(true).Render("x"))
	q, _ := gojq.Parse(os.Args[1])
	code, _ := gojq.Compile(q)
	code.Run(nil)
	qrterminal.GenerateWithConfig(os.Args[1], qrterminal.Config{Writer: io.Discard})
	_ = browser.OpenURL(os.Args[1])
	_, _ = yaml.Marshal(q)
	fmt.Println(term.IsTerminal(0))
	_, _ = http.Get(os.Args[1])
	t, _ := template.New("x").Parse(os.Args[1])
	_ = t.Execute(os.Stdout, q)
}
`

// BenchmarkStartup runs `bankctl version` in turn with a bare cobra program and with one that only links the same
// libraries, all built in this run, and reports the ratios of their medians.
func BenchmarkStartup(b *testing.B) {
	dir := b.TempDir()
	ours := filepath.Join(dir, "bankctl")
	compile(b, ours, "../../cmd/bankctl")
	bare, linked := fromSource(b, dir, "bare", bareCobra), fromSource(b, dir, "linked", sameLibraries)
	const rounds = 60
	times := map[string][]time.Duration{}
	for b.Loop() {
		for range rounds {
			for _, program := range []string{ours, bare, linked} {
				started := time.Now()
				if out, err := exec.Command(program, "version").CombinedOutput(); err != nil {
					b.Fatalf("%s: %v: %s", program, err, out)
				}
				times[program] = append(times[program], time.Since(started))
			}
		}
	}
	median := func(program string) float64 {
		all := times[program]
		slices.Sort(all)
		return float64(all[len(all)/2])
	}
	b.ReportMetric(median(ours)/1e6, "ms/version")
	b.ReportMetric(median(ours)/median(bare), "x-bare-cobra")
	b.ReportMetric(median(ours)/median(linked), "x-same-libraries")
	if info, err := os.Stat(ours); err == nil {
		b.ReportMetric(float64(info.Size())/1e6, "MB")
	}
}

func compile(b *testing.B, out, what string) {
	b.Helper()
	if text, err := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, what).CombinedOutput(); err != nil {
		b.Fatalf("build: %v: %s", err, text)
	}
}

// fromSource builds a main package as if it lay in this module, so that it gets the same versions.
func fromSource(b *testing.B, dir, name, source string) string {
	b.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		b.Fatal(err)
	}
	real := filepath.Join(dir, name+".go")
	if err := os.WriteFile(real, []byte(source), 0o600); err != nil {
		b.Fatal(err)
	}
	overlay := filepath.Join(dir, name+".json")
	text := fmt.Sprintf(`{"Replace":{%q:%q}}`, filepath.Join(root, "cmd", "startup-"+name, "main.go"), real)
	if err := os.WriteFile(overlay, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	out := filepath.Join(dir, name)
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-overlay", overlay, "-o", out, "./cmd/startup-"+name)
	cmd.Dir = root
	if text, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("build %s: %v: %s", name, err, strings.TrimSpace(string(text)))
	}
	return out
}
