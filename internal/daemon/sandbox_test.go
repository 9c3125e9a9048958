package daemon_test

import (
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/tenant"
)

// In the sandbox a link that is finished without its page asks for what the page would have: transactions too,
// unless the caller named the products.
func TestSandboxLinkHasEveryProduct(t *testing.T) {
	sim, err := plaidsim.New(t.Context(), plaidsim.Options{Limits: "off"})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	sim.SetBaseURL(srv.URL)
	t.Cleanup(func() { srv.Close(); sim.Close() })
	t.Setenv("PLAID_CLIENT_ID", "5f0000000000000000000000")
	t.Setenv("PLAID_SECRET", "0f00000000000000000000000000aa")
	h := newHome(t)
	p := h.start("--plaid", "sandbox", "--plaid-url", srv.URL, "--data-dir", h.data())
	defer p.stop()
	c := client.New(h.socket())
	defer c.Close()
	m, err := c.AddClient(t.Context(), tenant.ClientParams{Name: "t", Role: tenant.Admin, Employers: tenant.Everything})
	if err != nil {
		t.Fatal(err)
	}
	c.ClientID, c.Secret = m.ID, m.Secret
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
