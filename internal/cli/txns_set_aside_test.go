package cli_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/plaidsim"
)

// A user finds what was set aside, and has it tried again.
func TestSetAsideIsFound(t *testing.T) {
	t.Parallel()
	feed := banktest.NewFeed()
	feed.Change(func(accounts *[]map[string]any, rows map[string]any) {
		*accounts = []map[string]any{banktest.FeedAccount("acc", "Checking", "0000", "depository", "checking")}
		rows["good"] = banktest.FeedRow("good", "acc", "2026-03-04", "shop", 1)
		rows["bad"] = banktest.FeedRow("bad", "acc", "2026-03-04", "shop", "\x1b[2Jevil")
	})
	o, conn := fedOffice(t, feed)
	for args, want := range map[string]string{
		"connections get " + conn.ID: "notice", "txns set-aside": "bad", "txns set-aside -o json": `"reason": "is not a number"`, "txns set-aside --connection-id " + conn.ID + " -o csv": "amount",
		"txns list -o name": "",
	} {
		code, out, stderr := o.run("", strings.Fields(args)...)
		if code != 0 || !strings.Contains(out, want) || strings.Contains(out+stderr, "evil") {
			t.Errorf("%s: %d %s %s", args, code, out, stderr)
		}
	}
	code, _, stderr := o.run("", "sync", conn.ID)
	if code != 0 || !strings.Contains(stderr, "1 row of") || !strings.Contains(stderr, "bankctl txns set-aside --connection-id "+conn.ID) {
		t.Errorf("%d %s", code, stderr)
	}
	feed.Change(func(_ *[]map[string]any, rows map[string]any) { delete(rows, "bad") })
	if code, _, stderr := o.run("", "sync", conn.ID, "--reread"); code != 0 || strings.Contains(stderr, "set-aside") {
		t.Errorf("%d %s", code, stderr)
	}
	if _, out, _ := o.run("", "txns", "set-aside", "-o", "json"); strings.TrimSpace(out) != "[]" {
		t.Errorf("left: %s", out)
	}
}

// Found C11, of exports: a history that is still loading is told, and can be waited for.
func TestRowC11ExportWaitsForTheHistory(t *testing.T) {
	t.Parallel()
	o := newOffice(t, banktest.Ready(plaidsim.Ready{Initial: 500 * time.Millisecond, History: 1500 * time.Millisecond}))
	conn := o.Link("e1")
	code, _, stderr := o.run("", "txns", "export")
	if code != 0 || !strings.Contains(stderr, "the history of 1 connection is still loading") {
		t.Errorf("%d %s", code, stderr)
	}
	code, out, stderr := o.run("", "txns", "export", "--wait-for-history")
	conn, err := o.Client.GetConnection(t.Context(), conn.ID)
	if err != nil || code != 0 || strings.Contains(stderr, "still loading") || conn.Transactions.Status != "HISTORICAL_UPDATE_COMPLETE" || strings.Count(out, "\n") != conn.Transactions.Total+1 {
		t.Errorf("%d, %d lines, %s; %+v %v", code, strings.Count(out, "\n"), stderr, conn.Transactions, err)
	}
	if code, out, stderr := o.run("", "txns", "export", "--employer-id", "nobody"); code != 0 || strings.Contains(stderr, "loading") || strings.Count(out, "\n") != 1 {
		t.Errorf("another's: %d %s %s", code, out, stderr)
	}
}
