package nodetest

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/plaidspec"
)

// leastCalls is what one run of flows.js makes at least: fewer would mean that it stopped early without saying so.
const leastCalls = 150

func TestNodeSDK(t *testing.T) {
	t.Parallel()
	need(t)
	for name, behaviours := range map[string]string{"documented": "", "observed": "all=observed,sync-early=documented"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, rec := startSim(t, behaviours)
			cmd := exec.CommandContext(t.Context(), "node", "flows.js")
			cmd.Env = append(os.Environ(), "SIMULATOR="+url, "RE_EXCHANGE="+name, "PHONE="+name)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			var report struct {
				Calls, Processors int
				Methods           map[string]int
				Refused, Wrong    []string
			}
			if err := json.Unmarshal(out, &report); err != nil {
				t.Fatalf("flows.js printed no report: %v", err)
			}
			for _, line := range append(report.Refused, report.Wrong...) {
				t.Error(line)
			}
			for _, line := range rec.Violations() {
				t.Error("plaid openapi: " + line)
			}
			if report.Calls < leastCalls {
				t.Errorf("%d calls, want at least %d", report.Calls, leastCalls)
			}
			fmt.Printf("plaid-node, %s: %d calls of %d methods, %d processors, %d refused that Plaid takes\n",
				name, report.Calls, len(report.Methods), report.Processors, len(report.Refused))
		})
	}
}

// need skips loudly where Node or the SDK is missing, or fails under CI.
func need(t *testing.T) {
	t.Helper()
	missing := ""
	if _, err := exec.LookPath("node"); err != nil {
		missing = "there is no node on this machine"
	} else if _, err := os.Stat("node_modules/plaid"); err != nil {
		missing = "Plaid's Node SDK is not installed (npm ci)"
	}
	switch {
	case missing == "":
	case os.Getenv("CI") == "true":
		t.Fatalf("NOT TESTED: %s", missing)
	default:
		fmt.Fprintf(os.Stderr, "NOT TESTED: %s: %s\n", t.Name(), missing)
		t.Skip(missing)
	}
}

func startSim(t *testing.T, behaviours string) (string, *plaidspec.Recorder) {
	t.Helper()
	switches, err := plaidsim.ParseAs(behaviours)
	if err != nil {
		t.Fatal(err)
	}
	server, err := plaidsim.New(t.Context(), plaidsim.Options{Limits: plaidsim.LimitsOff, Switches: switches,
		Ready: plaidsim.Ready{Initial: 10 * time.Millisecond, History: 20 * time.Millisecond}})
	if err != nil {
		t.Fatal(err)
	}
	rec := plaidspec.Wrap(server)
	web := httptest.NewServer(rec)
	server.SetBaseURL(web.URL)
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return strings.TrimSuffix(web.URL, "/"), rec
}
