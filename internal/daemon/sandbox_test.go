package daemon_test

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/daemon"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/secret"
	"github.com/bankctl/bankctl/internal/tenant"
)

// sandboxed starts a bankd on a simulator that it takes for Plaid's sandbox, with an admin client.
func sandboxed(t *testing.T, o plaidsim.Options) *client.Client {
	t.Helper()
	c, _ := sandboxedOn(t, o)
	return c
}

// sandboxedOn is sandboxed for a test that turns to the simulator itself.
func sandboxedOn(t *testing.T, o plaidsim.Options) (*client.Client, *plaidsim.Server) {
	t.Helper()
	o.Limits = plaidsim.LimitsOff
	sim, err := plaidsim.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	sim.SetBaseURL(srv.URL)
	t.Cleanup(func() { srv.Close(); sim.Close() })
	tempo := banktest.Quick
	tempo.SyncDivisor = 6 * 3600 // about a second between two syncs
	dir, err := os.MkdirTemp("", "sandboxed")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	socket := filepath.Join(dir, "run", "s")
	d, err := daemon.Start(t.Context(), config.Config{
		DataDir: filepath.Join(dir, "data"), KeyFile: filepath.Join(dir, "keys", "kek"), MayCreateKey: true, Socket: socket,
		Plaid: config.Sandbox, PlaidURL: srv.URL, PlaidClientID: "5f0000000000000000000000", PlaidSecret: secret.New("0f00000000000000000000000000aa"),
		TransactionsDays: 730,
		LinkProducts:     config.LinkProducts{Products: []string{"auth"}, RequiredIfSupported: []string{"identity"}, Optional: []string{"transactions"}},
	}, daemon.Options{Tempo: &tempo})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Stop(); err != nil {
			t.Error(err)
		}
	})
	c := client.New(socket)
	t.Cleanup(c.Close)
	m, err := c.AddClient(t.Context(), tenant.ClientParams{Name: "t", Role: tenant.Admin, Employers: tenant.Everything})
	if err != nil {
		t.Fatal(err)
	}
	c.ClientID, c.Secret = m.ID, m.Secret
	return c, sim
}

// An update of more pages than a minute has calls waits for its next page, and holds up nobody else's.
func TestHugeUpdateWaits(t *testing.T) {
	t.Parallel()
	c := sandboxed(t, plaidsim.Options{Ready: plaidsim.Ready{Initial: 1, History: 1}}) // the first sync finds it all
	link := func(owner, user string) string {
		link, err := c.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: owner, Exchange: true, HostedLink: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508", Username: user})
		if err != nil || s.ConnectionID == "" {
			t.Fatalf("%+v: %v", s, err)
		}
		return s.ConnectionID
	}
	small := link("e2", "user_good")
	huge := link("e1", "user_bulk_30000") // 60 pages, of which a minute has 50
	var spent time.Time                   // when the minute's calls were first seen to be spent
	waiting := false
	for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		conn, err := c.GetConnection(t.Context(), huge)
		if err != nil {
			t.Fatal(err)
		}
		other, err := c.GetConnection(t.Context(), small)
		if err != nil {
			t.Fatal(err)
		}
		if conn.Reading != nil && conn.Reading.Rows >= 25_000 {
			if spent.IsZero() {
				spent = time.Now()
			}
			waiting = waiting || other.Transactions != nil && other.Transactions.Total > 0 && other.Transactions.SyncedAt.After(spent)
		}
		if conn.Transactions != nil && conn.Transactions.Total > 0 {
			got, err := c.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: small}, Refresh: true})
			if err != nil || got.Left == nil || got.Left.PerMinute != 2 || got.Left.Left != 1 {
				t.Errorf("refreshes left: %+v, %v", got.Left, err)
			}
			if conn.Transactions.Total != 30_000 || !waiting {
				t.Errorf("%d rows; another connection was synced meanwhile: %v", conn.Transactions.Total, waiting)
			}
			return
		}
	}
	t.Fatal("it is not seen through")
}

// In the sandbox a link that is finished without its page asks for the page's own products: transactions too,
// unless the caller named the products.
func TestSandboxLinkHasEveryProduct(t *testing.T) {
	t.Parallel()
	c := sandboxed(t, plaidsim.Options{Ready: plaidsim.Ready{}})
	for _, products := range [][]string{nil, {"auth"}} {
		link, err := c.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e", Products: products, Exchange: true, HostedLink: true, AllowDuplicate: true})
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
		if err != nil || s.ConnectionID == "" {
			t.Fatalf("%+v: %v", s, err)
		}
		conn, err := c.GetConnection(t.Context(), s.ConnectionID)
		if err != nil {
			t.Fatal(err)
		}
		if got := slices.Contains(conn.Products, "transactions"); got != (products == nil) {
			t.Errorf("asked for %v it has %v", products, conn.Products)
		}
		link, err = c.UpdateLink(t.Context(), connection.UpdateLinkParams{ItemID: conn.ItemID, UserID: "u", HostedLink: true})
		if err != nil {
			t.Fatal(err)
		}
		if s, err = c.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"}); err != nil || s.State != connection.Succeeded {
			t.Errorf("update mode: %+v: %v", s, err)
		}
	}
}
