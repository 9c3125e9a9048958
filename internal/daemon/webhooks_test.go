package daemon_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Webhooks in any order, twice, under load, while bankd is killed and started again: none is lost, and in the end the
// connections stand as a look at Plaid says they do. BANKD_WEBHOOKS says how many; make crash sends ten thousand.
func TestWebhookStorm(t *testing.T) {
	t.Parallel()
	many := 2_000
	if n, err := strconv.Atoi(os.Getenv("BANKD_WEBHOOKS")); err == nil && n > 0 {
		many = n
	}
	s := newStorm(t)
	s.up()
	defer func() { s.bankd.stop() }()
	s.link(6)
	stop := s.load()
	for round := range 4 {
		s.happen()
		sent := make(chan struct{})
		go func() { defer close(sent); s.send(many / 4) }()
		if round < 3 { // in the midst of them
			for before := s.accepted.Load(); s.accepted.Load() < before+int64(many/8); {
				time.Sleep(time.Millisecond)
			}
			s.bankd.kill()
			s.up()
		}
		<-sent
	}
	stop()
	taken := s.accepted.Load()
	s.settle()
	before := s.state()
	for _, id := range s.conns {
		if _, err := s.client.CheckConnection(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if conn := before[id]; conn.Status == connection.Active {
			if _, err := s.client.SyncTransactions(t.Context(), connection.SyncParams{ItemParams: connection.ItemParams{ItemID: conn.ItemID}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if diff := cmp.Diff(before, s.state()); diff != "" {
		t.Errorf("a look at Plaid found something that webhooks did not bring:\n%s", diff)
	}
	t.Logf("seed %d: %d webhooks signed and taken in, beside those of %d events, each sent twice by Plaid's simulator; %d tries failed and were repeated; 3 kills",
		s.seed, taken, s.events, s.failed.Load())
	if int(taken) != many/4*4 {
		t.Errorf("%d of %d taken in", taken, many/4*4)
	}
}

type storm struct {
	*testing.T
	home    home
	seed    uint64
	rnd     *rand.Rand
	sim     *plaidsim.Server
	plaid   string
	address string // where webhooks go
	bankd   *process
	client  *client.Client
	conns   []string
	items   []string
	events  int

	accepted, failed atomic.Int64
}

func newStorm(t *testing.T) *storm {
	sim, err := plaidsim.New(t.Context(), plaidsim.Options{
		Limits: "off", Ready: plaidsim.Ready{Initial: time.Millisecond, History: 2 * time.Millisecond},
		WebhookDuplicate: 1, WebhookShuffle: time.Second, WebhookRetry: plaidsim.WebhookRetry{First: 100 * time.Millisecond, Factor: 2, Cap: time.Second, For: time.Minute},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(sim)
	sim.SetBaseURL(srv.URL)
	t.Cleanup(func() { srv.Close(); sim.Close() })
	seed := uint64(time.Now().UnixNano())
	if n, err := strconv.ParseUint(os.Getenv("BANKD_SEED"), 10, 64); err == nil {
		seed = n
	}
	return &storm{T: t, home: newHome(t), seed: seed, rnd: rand.New(rand.NewPCG(seed, 1)), sim: sim, plaid: srv.URL, address: freePort(t)}
}

func freePort(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (s *storm) up() {
	s.Helper()
	s.bankd = s.home.start("--plaid-url", s.plaid, "--webhook-listen", s.address, "--log-level", "error")
	if s.client != nil {
		return
	}
	s.client = client.New(s.home.socket())
	s.Cleanup(s.client.Close)
	m, err := s.client.AddClient(s.Context(), tenant.ClientParams{Name: "t", Role: tenant.Admin, Employers: tenant.Everything})
	if err != nil {
		s.Fatal(err)
	}
	s.client.ClientID, s.client.Secret = m.ID, m.Secret
}

// kill ends it as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// link links banks, each with an ACH account that rests on it.
func (s *storm) link(n int) {
	s.Helper()
	for i := range n {
		owner := fmt.Sprintf("e%d", i)
		link, err := s.client.StartLink(s.Context(), connection.LinkParams{UserID: "u", EmployerID: owner, Exchange: true, HostedLink: true})
		if err != nil {
			s.Fatal(err)
		}
		done, err := s.client.CompleteSession(s.Context(), link.SessionID, connection.CompleteParams{InstitutionID: "ins_109508", Username: "user_transactions_dynamic"})
		if err != nil || done.ConnectionID == "" {
			s.Fatalf("%+v: %v", done, err)
		}
		conn, err := s.client.GetConnection(s.Context(), done.ConnectionID)
		if err != nil {
			s.Fatal(err)
		}
		for _, a := range conn.Accounts {
			if a.Mask == "0000" {
				if _, err := s.client.AddACHFromPlaid(s.Context(), account.FromPlaidParams{OwnerType: "employer", OwnerID: owner, PlaidAccountID: a.PlaidAccountID, PlaidItemID: conn.ItemID}); err != nil {
					s.Fatal(err)
				}
			}
		}
		s.conns, s.items = append(s.conns, conn.ID), append(s.items, conn.ItemID)
	}
}

// load reads all the while. It ignores failures, for bankd is down at times.
func (s *storm) load() (stop func()) {
	ctx, cancel := context.WithCancel(s.Context())
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for ctx.Err() == nil {
				if _, _, err := s.client.ListConnections(ctx, connection.Query{}, page.Request{}); err != nil {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	return func() { cancel(); readers.Wait() }
}

// happen lets something happen to every Item.
func (s *storm) happen() {
	s.Helper()
	for _, item := range s.items {
		kinds := []plaidsim.Event{
			{Kind: "login_required"}, {Kind: "login_repaired"}, {Kind: "pending_disconnect", After: 3 * 24 * time.Hour},
			{Kind: "numbers_changed", Mask: "0000", What: "both"}, {Kind: "account_renamed", Mask: "0000", Name: fmt.Sprintf("Name %d", s.rnd.IntN(1000))},
			{Kind: "txn_removed_late"}, {Kind: "txn_redated"},
		}
		for range 3 {
			e := kinds[s.rnd.IntN(len(kinds))]
			e.Item = item
			if err := s.sim.ApplyEvent(e); err == nil { // an event that does not fit the Item's state is refused
				s.events++
			}
		}
	}
}

var codes = [][2]string{
	{"ITEM", "ERROR"}, {"ITEM", "LOGIN_REPAIRED"}, {"AUTH", "DEFAULT_UPDATE"}, {"AUTH", "AUTOMATICALLY_VERIFIED"},
	{"TRANSACTIONS", "SYNC_UPDATES_AVAILABLE"}, {"TRANSACTIONS", "DEFAULT_UPDATE"}, {"IDENTITY", "DEFAULT_UPDATE"}, {"ITEM", "WEBHOOK_UPDATE_ACKNOWLEDGED"},
}

// send signs so many webhooks about random Items and sends each until it is taken in, many at a time.
func (s *storm) send(n int) {
	s.Helper()
	todo := make(chan []byte)
	var senders sync.WaitGroup
	for range 16 {
		senders.Go(func() {
			for body := range todo {
				s.deliver(body)
			}
		})
	}
	for i := range n {
		code := codes[s.rnd.IntN(len(codes))]
		body, err := json.Marshal(map[string]any{
			"webhook_type": code[0], "webhook_code": code[1], "item_id": s.items[s.rnd.IntN(len(s.items))], "environment": "sandbox", "n": i,
		})
		if err != nil {
			s.Error(err)
		}
		todo <- body
	}
	close(todo)
	senders.Wait()
}

func (s *storm) deliver(body []byte) {
	for range 200 {
		signed, err := s.sim.SignWebhook(body)
		if err != nil {
			s.Error(err)
			return
		}
		req, err := http.NewRequest("POST", "http://"+s.address+"/", bytes.NewReader(body))
		if err != nil {
			s.Error(err)
			return
		}
		req.Header.Set("Plaid-Verification", signed)
		resp, err := http.DefaultClient.Do(req)
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				s.accepted.Add(1)
				return
			}
		}
		s.failed.Add(1)
		time.Sleep(50 * time.Millisecond)
	}
	s.Error("a webhook was never taken in")
}

// settle waits until nothing changes any more: the simulator's own webhooks are held back, and bankd looks in turns.
func (s *storm) settle() {
	s.Helper()
	last, same := s.state(), 0
	for range 300 {
		time.Sleep(500 * time.Millisecond)
		now := s.state()
		if same++; !cmp.Equal(last, now) {
			same = 0
		}
		last = now
		if same >= 12 && s.true(now) {
			return
		}
	}
}

// true reports whether the connections that need their user are those that do at the simulator.
func (s *storm) true(now map[string]view) bool {
	broken := map[string]bool{}
	for _, it := range s.sim.Items() {
		broken[it.ID] = it.Error != ""
	}
	for _, v := range now {
		if broken[v.ItemID] != (v.Status == connection.NeedsReauth) {
			return false
		}
	}
	return true
}

// view is a connection as a user sees it, without times.
type view struct {
	ItemID, Status, Code string
	Notices, Accounts    []string
	ACH                  string
	Transactions         int
}

func (s *storm) state() map[string]view {
	s.Helper()
	out := map[string]view{}
	achs, _, err := s.client.ListACH(s.Context(), account.ACHQuery{}, page.Request{Limit: 200})
	if err != nil {
		s.Fatal(err)
	}
	for _, id := range s.conns {
		conn, err := s.client.GetConnection(s.Context(), id)
		if err != nil {
			s.Fatal(err)
		}
		v := view{ItemID: conn.ItemID, Status: conn.Status}
		if conn.Error != nil {
			v.Code = conn.Error.Code
		}
		for _, n := range conn.Notices {
			v.Notices = append(v.Notices, n.Code)
		}
		for _, a := range conn.Accounts {
			v.Accounts = append(v.Accounts, a.Mask+" "+a.Name)
		}
		slices.Sort(v.Accounts)
		slices.Sort(v.Notices)
		if conn.Transactions != nil {
			v.Transactions = conn.Transactions.Total
		}
		for _, a := range achs {
			if a.ConnectionID == id {
				v.ACH += strings.Join([]string{a.Status, a.AccountLast4, a.RoutingLast4}, " ")
			}
		}
		out[id] = v
	}
	return out
}
