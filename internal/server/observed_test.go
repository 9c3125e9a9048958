package server_test

import (
	"testing"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaidsim"
)

func observed(t *testing.T, text string) banktest.Option {
	t.Helper()
	behaviours, err := plaidsim.ParseAs(text)
	if err != nil {
		t.Fatal(err)
	}
	return banktest.As(behaviours)
}

// TestLinkAsObserved: bankd follows Link with its phone step and with a session that nobody is behind, to a connection and
// to an exit.
func TestLinkAsObserved(t *testing.T) {
	t.Parallel()
	b := banktest.Start(t, observed(t, "phone=observed,junk-session=observed"))
	start := func() connection.Link {
		link, err := b.Client.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e", Exchange: true, HostedLink: true})
		if err != nil {
			t.Fatal(err)
		}
		return link
	}
	left := start()
	s, err := b.Client.CompleteSession(t.Context(), left.SessionID, connection.CompleteParams{Exit: true})
	if err != nil || s.State != connection.Exited {
		t.Errorf("a user who left: %s, %v", s.State, err)
	}
	s, err = b.Client.CompleteSession(t.Context(), start().SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
	if err != nil || s.State != connection.Succeeded || s.ConnectionID == "" {
		t.Fatalf("%s, connection %q: %v", s.State, s.ConnectionID, err)
	}
	conn, err := b.Client.GetConnection(t.Context(), s.ConnectionID)
	if err != nil {
		t.Fatal(err)
	}
	link, err := b.Client.UpdateLink(t.Context(), connection.UpdateLinkParams{ItemID: conn.ItemID, UserID: "u", HostedLink: true})
	if err != nil {
		t.Fatal(err)
	}
	if s, err = b.Client.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil || s.State != connection.Succeeded {
		t.Errorf("update mode: %s, %v", s.State, err)
	}
	if n := b.Daemon.Simulator().Counts()["items"]; n != 1 {
		t.Errorf("%d Items, want 1", n)
	}
}

// TestEmptyCursor: an Item without transactions may be complete under an empty cursor, and its first transaction comes all
// the same.
func TestEmptyCursor(t *testing.T) {
	t.Parallel()
	for _, as := range []string{"empty-cursor=observed", "empty-cursor=documented"} {
		b := banktest.Start(t, observed(t, as))
		linked := b.LinkAt(connection.LinkParams{UserID: "u", EmployerID: "e"}, connection.CompleteParams{InstitutionID: "ins_109508", Username: "user_custom",
			Password: `{"override_accounts":[{"type":"depository","subtype":"checking","transactions":[]}]}`})
		if !banktest.Eventually(func() bool {
			conn, err := b.Client.GetConnection(t.Context(), linked.ID)
			return err == nil && conn.Transactions != nil && conn.Transactions.Status == "HISTORICAL_UPDATE_COMPLETE"
		}) {
			t.Fatalf("%s: the history does not become complete", as)
		}
		before := b.Daemon.Simulator().Counts()["/transactions/sync"]
		for range 2 {
			if _, err := b.Client.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: linked.ID}}); err != nil {
				t.Errorf("%s: %v", as, err)
			}
		}
		if n := b.Daemon.Simulator().Counts()["/transactions/sync"] - before; n > 6 {
			t.Errorf("%s: two syncs took %d calls", as, n)
		}
	}
}
