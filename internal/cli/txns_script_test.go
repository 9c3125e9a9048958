package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/bankctl/bankctl/internal/banktest"
)

// TestTxnsScripts replays the transcripts of transactions, which wait for a bank's whole history: complete CONNECTION.
func TestTxnsScripts(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/txns",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("BANKD_SOCKET", b.Config.Socket)
			return os.MkdirAll(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": exits, "capture": capture,
			"complete": func(ts *testscript.TestScript, _ bool, args []string) { complete(ts.Fatalf, b, args[0]) },
		},
	})
}

// complete waits until the schedule has a connection's whole history.
func complete(fatal func(string, ...any), b *banktest.Bank, connection string) {
	if !banktest.Eventually(func() bool {
		c, err := b.Client.GetConnection(context.Background(), connection)
		return err == nil && c.Transactions != nil && c.Transactions.Status == "HISTORICAL_UPDATE_COMPLETE"
	}) {
		fatal("the history of %s is not complete", connection)
	}
}
