package browsertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

const paneWait = time.Minute

// browser starts Chromium once for the package.
var browser = sync.OnceValues(func() (context.Context, error) {
	path, err := chromium()
	if err != nil {
		return nil, err
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("no-first-run", true))
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, _ := chromedp.NewContext(allocator)
	return ctx, chromedp.Run(ctx)
})

func chromium() (string, error) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Chromium on this machine")
}

func TestMain(m *testing.M) {
	code := m.Run()
	if ctx, err := browser(); err == nil {
		_ = chromedp.Cancel(ctx)
	}
	fmt.Printf("axe-core ran on %d panes\n", axeRuns.Load())
	os.Exit(code)
}

// need skips loudly, or fails under CI.
func need(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("NOT TESTED: %s", what)
	}
	fmt.Fprintf(os.Stderr, "NOT TESTED: %s: %s\n", t.Name(), what)
	t.Skip(what)
}

// tab is one browser tab on a simulator of its own.
type tab struct {
	t    *testing.T
	ctx  context.Context
	sim  *simulator
	name string

	mu      sync.Mutex
	strange []string // requests to other hosts, and complaints of the browser
}

type simulator struct {
	t   *testing.T
	url string
}

func startSim(t *testing.T) *simulator {
	t.Helper()
	return startSimAs(t, plaidsim.Switches{})
}

func startSimAs(t *testing.T, behaviours plaidsim.Switches) *simulator {
	t.Helper()
	server, err := plaidsim.New(t.Context(), plaidsim.Options{Limits: plaidsim.LimitsOff, Switches: behaviours})
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(server)
	server.SetBaseURL(web.URL)
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &simulator{t: t, url: web.URL}
}

// openTab opens a hosted link in a new tab of the given width.
func openTab(t *testing.T, s *simulator, hosted string, width, height int64) *tab {
	t.Helper()
	parent, err := browser()
	if err != nil {
		need(t, err.Error())
	}
	ctx, cancel := chromedp.NewContext(parent)
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, sim: s, name: strings.ReplaceAll(t.Name(), "/", "-")}
	chromedp.ListenTarget(ctx, b.listen)
	// the first Run owns the tab, so it must not carry a deadline
	if err := chromedp.Run(ctx); err != nil {
		t.Fatal(err)
	}
	b.run(network.Enable(), cdplog.Enable(), emulation.SetFocusEmulationEnabled(true), chromedp.EmulateViewport(width, height), chromedp.Navigate(hosted))
	return b
}

func (b *tab) listen(ev any) {
	switch ev := ev.(type) {
	case *network.EventRequestWillBeSent:
		if u := ev.Request.URL; !strings.HasPrefix(u, b.sim.url) && !strings.HasPrefix(u, "data:") {
			b.note("request to another host")
		}
	case *cdplog.EventEntryAdded:
		b.note(string(ev.Entry.Source) + ": " + ev.Entry.Text)
	case *page.EventJavascriptDialogOpening:
		b.note("dialog")
	}
}

func (b *tab) note(what string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.strange = append(b.strange, what)
}

func (b *tab) run(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, paneWait)
	defer cancel()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.t.Fatal(err)
	}
}

// want waits for a pane and inspects it.
func (b *tab) want(pane string) *tab {
	b.t.Helper()
	b.run(chromedp.WaitVisible(`form[data-pane="`+pane+`"]`, chromedp.ByQuery))
	b.inspect(pane)
	return b
}

// complains waits for the pane to come back with an error and inspects it.
func (b *tab) complains(pane string) *tab {
	b.t.Helper()
	b.run(chromedp.WaitVisible(`form[data-pane="`+pane+`"] [role=alert]`, chromedp.ByQuery))
	b.inspect(pane + "-error")
	return b
}

func (b *tab) fill(name, value string) *tab {
	b.t.Helper()
	field := `[name="` + name + `"]`
	b.run(chromedp.Clear(field, chromedp.ByQuery), chromedp.SendKeys(field, value, chromedp.ByQuery))
	return b
}

func (b *tab) press(name, value string) *tab {
	b.t.Helper()
	b.run(chromedp.Click(`button[name="`+name+`"][value="`+value+`"]`, chromedp.ByQuery))
	return b
}

func (b *tab) pick(mask string) *tab {
	b.t.Helper()
	b.run(chromedp.Click(`input[data-mask="`+mask+`"]`, chromedp.ByQuery))
	return b
}

func (b *tab) choose(name, value string) *tab {
	b.t.Helper()
	b.run(chromedp.Click(`input[name="`+name+`"][value="`+value+`"]`, chromedp.ByQuery))
	return b
}

// inspect holds what every pane must keep: one heading, the banner in view, no
// sideways scrolling, nothing loaded from elsewhere, no accessibility breach.
func (b *tab) inspect(name string) {
	b.t.Helper()
	b.picture(name)
	var facts struct {
		Headings, Labels, Wide int
		Banner                 bool
		Lang, Title            string
	}
	b.run(chromedp.Evaluate(`({
		Headings: document.querySelectorAll('h1').length,
		Labels: [...document.querySelectorAll('input')].filter(i => i.labels.length !== 1).length,
		Wide: document.documentElement.scrollWidth - window.innerWidth,
		Banner: document.querySelector('.banner').getBoundingClientRect().top >= 0 && document.body.innerText.includes('SIMULATION'),
		Lang: document.documentElement.lang, Title: document.title})`, &facts))
	if facts.Headings != 1 || facts.Labels != 0 || facts.Wide > 0 || !facts.Banner || facts.Lang != "en" || !strings.Contains(facts.Title, "simulation") {
		b.t.Errorf("pane %s: %+v", name, facts)
	}
	b.axe(name)
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, what := range b.strange {
		b.t.Errorf("pane %s: %s", name, what)
	}
	b.strange = nil
}

func (b *tab) picture(name string) {
	b.t.Helper()
	dir := os.Getenv("SCREENSHOT_DIR")
	if dir == "" {
		return
	}
	var png []byte
	b.run(chromedp.FullScreenshot(&png, 100))
	if err := os.WriteFile(filepath.Join(dir, b.name+"-"+name+".png"), png, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// axeSource is axe-core, which is fetched by npm and not part of the
// repository.
var axeSource = sync.OnceValues(func() (string, error) {
	path := os.Getenv("AXE_JS")
	if path == "" {
		path = filepath.Join("node_modules", "axe-core", "axe.min.js")
	}
	raw, err := os.ReadFile(path)
	return string(raw), err
})

var (
	axeMissing sync.Once
	axeRuns    atomic.Int64
)

func (b *tab) axe(name string) {
	b.t.Helper()
	source, err := axeSource()
	if err != nil {
		if os.Getenv("CI") == "true" {
			b.t.Fatal("NOT TESTED: axe-core is not installed")
		}
		axeMissing.Do(func() { fmt.Fprintln(os.Stderr, "NOT TESTED: accessibility rules: axe-core is not installed (npm ci)") })
		return
	}
	var result string
	b.run(chromedp.Evaluate(source+";0", nil), chromedp.Evaluate(`axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify({
		passes: r.passes.length, violations: r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.target.join(' ')).join(', '))}))`,
		&result, chromedp.EvalAsValue, awaitPromise))
	var got struct {
		Passes     int
		Violations []string
	}
	if err := json.Unmarshal([]byte(result), &got); err != nil {
		b.t.Fatal(err)
	}
	if got.Passes == 0 {
		b.t.Errorf("pane %s: axe checked nothing", name)
	}
	for _, v := range got.Violations {
		b.t.Errorf("pane %s: axe: %s", name, v)
	}
	axeRuns.Add(1)
}
