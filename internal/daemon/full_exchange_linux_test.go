package daemon_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/daemon"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Plaid gives an access token once. If the disk fills up between the question and the answer, bankd keeps the token until
// there is room: the connection is made, and none is lost.
func TestDiskFullWhenTheTokenComes(t *testing.T) {
	t.Parallel()
	dir, err := os.MkdirTemp("", "full")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	disk := filepath.Join(dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=8m,mode=700"); err != nil {
		t.Skipf("SKIPPED, NOTHING WAS TESTED: a disk to fill needs root and mount: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	sim, err := plaidsim.New(context.Background(), plaidsim.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	var full atomic.Bool
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/item/public_token/exchange" {
			fill(t, filler)
			full.Store(true)
		}
		sim.ServeHTTP(w, r)
	}))
	sim.SetBaseURL(srv.URL)
	t.Cleanup(func() { srv.Close(); sim.Close() })
	tempo := banktest.Quick
	socket := filepath.Join(dir, "run", "s")
	d, err := daemon.Start(t.Context(), config.Config{
		DataDir: filepath.Join(disk, "data"), KeyFile: filepath.Join(dir, "keys", "kek"), MayCreateKey: true, Socket: socket, Anchor: "off",
		Plaid: config.Simulated, PlaidURL: srv.URL, TransactionsDays: 730,
		LinkProducts: config.LinkProducts{Products: []string{"auth"}},
	}, daemon.Options{Tempo: &tempo})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.Stop() })
	go func() { // makes room once a write was refused
		for {
			st := d.Status()
			if full.Load() && len(st.Notices) > 0 && strings.Contains(st.Notices[0], "is full") {
				_ = os.Remove(filler)
				return
			}
			select {
			case <-t.Context().Done():
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	c := client.New(socket)
	t.Cleanup(c.Close)
	m, err := c.AddClient(t.Context(), tenant.ClientParams{Name: "t", Role: tenant.Admin, Employers: tenant.Everything})
	if err != nil {
		t.Fatal(err)
	}
	c.ClientID, c.Secret = m.ID, m.Secret
	link, err := c.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e", HostedLink: true, Exchange: true})
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508"})
	for deadline := time.Now().Add(patience); (err != nil || s.ConnectionID == "") && time.Now().Before(deadline); {
		s, err = c.GetSession(t.Context(), link.SessionID, time.Second)
	}
	if err != nil || s.ConnectionID == "" {
		t.Fatalf("%+v %v", s, err)
	}
	if lost := d.Bank().Stats().LostExchanges.Load(); lost != 0 {
		t.Errorf("%d tokens were lost", lost)
	}
	if _, err := os.Stat(filler); err == nil {
		t.Error("no write was refused: nothing was tested")
	}
}
