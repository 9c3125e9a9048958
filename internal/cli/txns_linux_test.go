package cli_test

import (
	"strings"
	"testing"

	"github.com/creack/pty"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/plaidsim"
)

// Filter as one types, look at one, resize, leave; then the same rows as a table, a chart and a sync on a terminal.
func TestTxnsOnTerminal(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("acme")
	complete(t.Fatalf, b, conn.ID)
	x := onTerminal(t, &pty.Winsize{Rows: 24, Cols: 80}, credentialsOf(b), "txns", "browse", "--employer-id", "acme")
	at := x.expect(0, "Transactions")
	at = x.expect(at, " USD")
	x.send("/uber")
	at = x.expect(at, "1 of 6")
	x.send("\r\r")
	x.expect(at, "plaid id")
	resized := len(x.text())
	if err := pty.Setsize(x.control, &pty.Winsize{Rows: 16, Cols: 60}); err != nil {
		t.Fatal(err)
	}
	at = x.expect(resized, "Uber")
	x.send("q")
	x.expect(at, "esc shows all")
	x.send("q")
	if code := x.end(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"txns", "list", "--limit", "5"}, []string{"showing 5 of 24", "OUT", "\x1b[31m", "Uber"}},
		{[]string{"txns", "summary", "--by", "month"}, []string{"MONTH", "█", "24 transactions, out"}},
		{[]string{"sync", "--all"}, []string{"reading accounts and transactions", "✓ synced", "First Platypus Bank", "24 transactions (0 new"}},
	} {
		x := onTerminal(t, usual, credentialsOf(b), c.args...)
		at := 0
		for _, w := range c.want {
			at = x.expect(at, w)
		}
		if code := x.end(); code != 0 {
			t.Errorf("%v exits %d", c.args, code)
		}
	}
}

// An interrupt says how far it came, and leaves the terminal as it was.
func TestInterruptedSync(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t)
	conn := b.Link("acme")
	complete(t.Fatalf, b, conn.ID)
	faults, err := plaidsim.ParseFaults("/transactions/sync:hang:5s")
	if err != nil {
		t.Fatal(err)
	}
	b.Daemon.Simulator().SetFaults(faults)
	x := onTerminal(t, usual, credentialsOf(b), "sync", "--all")
	x.expect(0, "reading accounts and transactions")
	x.send("\x03")
	x.expect(0, "interrupted: 0 of 1 connections are done")
	if code := x.end(); code != fault.ExitInterrupted || !strings.Contains(x.text(), "run it again") {
		t.Errorf("exit code %d: %q", code, x.text())
	}
	b.Daemon.Simulator().SetFaults(nil)
}
