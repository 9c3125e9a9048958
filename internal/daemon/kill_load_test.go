package daemon_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/ach"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/keys"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/txn"
)

// kill -9 under a mixed load, again and again: every write that was acknowledged is there after the restart, one without
// an answer is wholly there or not at all, the audit chain holds, and every restart is ready. BANKD_KILLS is how often.
func TestKillUnderLoad(t *testing.T) {
	t.Parallel()
	kills := number(t, "BANKD_KILLS", 4)
	h := newHome(t)
	sim := start(t, nil, h.bin, "plaid-sim", "--limits", "off", "--ready", "initial=1ms,history=2ms", "--state", h.dir+"/sim.json")
	l := &killLoad{t: t, home: h, args: []string{"--plaid-url", strings.TrimPrefix(sim.line, "plaid-sim: ready url=")}}
	l.recipient, _ = h.recipient("key.txt")
	p := h.start(l.args...)
	l.c = h.client()
	l.item = link(t, l.c, "linked")
	for i := range 4 {
		w := &killWriter{load: l, c: l.clone(), employer: fmt.Sprintf("w%d", i), r: rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), uint64(i))), names: map[string][]string{}, gone: map[string]bool{}, maybe: map[string]bool{}}
		l.writers = append(l.writers, w)
	}
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for _, w := range l.writers {
		group.Go(func() { w.run(ctx) })
	}
	for _, other := range []func(context.Context){l.syncs, l.backups, l.tokens, l.clients, l.keys} {
		group.Go(func() { l.repeat(ctx, other) })
	}
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))
	for k := range kills {
		acked := l.acked.Load()
		banktest.Eventually(func() bool { return l.acked.Load() > acked+int64(r.IntN(40+360*(k%4/3))) })
		time.Sleep(time.Duration(r.IntN(30)) * time.Millisecond) // to hit any point: not a wait for an event
		p.kill()
		l.gate.Lock()
		p = h.start(l.args...)
		l.check()
		l.gate.Unlock()
		if t.Failed() {
			break
		}
	}
	stop()
	group.Wait()
	l.check()
	t.Logf("%d kills: %d writes acknowledged, %d without an answer, %d syncs, %d backups, %d tokens swapped, %d clients ended, %d rotations; 0 lost",
		kills, l.acked.Load(), l.unknown.Load(), l.synced.Load(), l.backedUp.Load(), l.swapped.Load(), l.revoked.Load(), l.turned.Load())
}

type killLoad struct {
	t         *testing.T
	home      home
	args      []string
	recipient string
	c         *client.Client
	item      connection.Connection
	gate      sync.RWMutex // held for writing while a restart is checked
	writers   []*killWriter
	ended     []*client.Client // whose revocation was acknowledged
	whole     []string         // Items whose sync was acknowledged

	acked, unknown, synced, backedUp, swapped, revoked, turned atomic.Int64
}

func (l *killLoad) clone() *client.Client {
	c := client.New(l.home.socket())
	l.t.Cleanup(c.Close)
	c.ClientID, c.Secret = l.c.ClientID, l.c.Secret
	return c
}

// repeat runs what is not modelled, over and over.
func (l *killLoad) repeat(ctx context.Context, do func(context.Context)) {
	for ctx.Err() == nil {
		l.gate.RLock()
		do(ctx)
		l.gate.RUnlock()
		time.Sleep(5 * time.Millisecond)
	}
}

// bulk is how many rows an Item of syncs has: more than bankd holds in memory. mostBulk bounds those Items.
const (
	bulk     = 2500
	mostBulk = 60
)

// syncs links an Item with many rows, whose update is staged, and syncs it.
func (l *killLoad) syncs(ctx context.Context) {
	if len(l.whole) >= mostBulk {
		return
	}
	token, err := l.publicToken()
	if err != nil {
		l.t.Error(err)
		return
	}
	x, err := l.c.Exchange(ctx, connection.ExchangeParams{PublicToken: token, UserID: "u", EmployerID: "bulk", AllowDuplicate: true})
	if err != nil {
		return
	}
	for ctx.Err() == nil {
		s, err := l.c.SyncTransactions(ctx, connection.SyncParams{ItemParams: connection.ItemParams{ItemID: x.ItemID}})
		if err != nil {
			return
		}
		if s.Total == bulk {
			l.synced.Add(1)
			l.whole = append(l.whole, x.ItemID)
			return
		}
	}
}

// publicToken finishes Link for an Item with many rows.
func (l *killLoad) publicToken() (string, error) {
	body := fmt.Sprintf(`{"client_id":"simulated","secret":"simulated","institution_id":"ins_109508","initial_products":["auth","transactions"],`+
		`"options":{"override_username":"user_bulk_%d","override_password":"pass_good","transactions":{"days_requested":730}}}`, bulk)
	resp, err := http.Post(l.args[1]+"/sandbox/public_token/create", "application/json", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	var reply struct {
		PublicToken string `json:"public_token"`
	}
	err = json.NewDecoder(resp.Body).Decode(&reply)
	return reply.PublicToken, err
}

func (l *killLoad) backups(ctx context.Context) {
	owner := client.New(l.home.socket())
	defer owner.Close()
	if _, err := owner.Backup(ctx, []string{l.recipient}, io.Discard); err == nil {
		l.backedUp.Add(1)
	}
}

func (l *killLoad) tokens(ctx context.Context) {
	if _, err := l.c.RotateToken(ctx, l.item.ID); err == nil {
		l.swapped.Add(1)
	}
}

// keys turns the key to the data and the data keys; 409 while that is under way.
func (l *killLoad) keys(ctx context.Context) {
	owner := client.New(l.home.socket())
	defer owner.Close()
	if _, err := owner.RotateKeys(ctx, keys.RotateParams{}); err == nil {
		l.turned.Add(1)
	}
	time.Sleep(100 * time.Millisecond)
}

// clients makes a client and ends it: from then on it must be refused.
func (l *killLoad) clients(ctx context.Context) {
	m, err := l.c.AddClient(ctx, tenant.ClientParams{Name: "short", Role: tenant.Viewer, Employers: tenant.Everything})
	if err != nil {
		return
	}
	if _, err := l.c.RevokeClient(ctx, m.ID); err == nil {
		c := l.clone()
		c.ClientID, c.Secret = m.ID, m.Secret
		l.revoked.Add(1)
		if len(l.ended) < 50 {
			l.ended = append(l.ended, c)
		}
	}
}

// check compares everything with what was acknowledged. The writers stand still.
func (l *killLoad) check() {
	l.t.Helper()
	for _, w := range l.writers {
		w.check()
	}
	report, err := l.c.VerifyAudit(l.t.Context())
	if err != nil || !report.Intact || int64(report.Records) < l.acked.Load() {
		l.t.Errorf("audit chain: %+v, %v, %d acknowledged", report, err, l.acked.Load())
	}
	for _, c := range l.ended {
		if _, _, err := c.ListAccounts(l.t.Context(), account.Query{}, page.Request{Page: 1, Limit: 1}); !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.RateLimited) {
			l.t.Errorf("a client that was ended is answered: %v", err)
		}
	}
	l.ended = nil
	for _, item := range l.whole {
		p, err := l.c.ListTransactions(l.t.Context(), txn.Query{Item: item, Request: page.Request{Page: 1, Limit: 1}})
		if err != nil || p.Info.Total != bulk {
			l.t.Errorf("Item %s has %d rows, %d were acknowledged: %v", item, p.Info.Total, bulk, err)
		}
	}
	if _, err := os.Stat(l.home.db()); err != nil {
		l.t.Error(err)
	}
}

// killWriter writes accounts of its own employer, and knows what is to be there.
type killWriter struct {
	load     *killLoad
	c        *client.Client
	employer string
	r        *rand.Rand
	n        int

	names map[string][]string // by id: the name acknowledged last, and one that may have come after it
	gone  map[string]bool
	maybe map[string]bool // names of accounts whose making had no answer
}

func (w *killWriter) run(ctx context.Context) {
	for ctx.Err() == nil {
		w.load.gate.RLock()
		w.step(ctx)
		w.load.gate.RUnlock()
	}
}

func (w *killWriter) step(ctx context.Context) {
	w.n++
	name := fmt.Sprintf("%s-%d", w.employer, w.n)
	id := w.any()
	var err error
	switch k := w.r.IntN(10); {
	case id == "" || k < 4:
		var a account.Account
		if a, err = w.c.AddAccount(ctx, account.AddParams{UserID: "u", Name: name, BankName: "b", EmployerID: w.employer}); err == nil {
			w.names[a.ID] = []string{name}
		} else {
			w.maybe[name] = true
		}
	case k < 7:
		_, err = w.c.UpdateAccount(ctx, id, account.UpdateParams{Name: &name})
		if err == nil {
			w.names[id] = []string{name}
		} else {
			w.names[id] = append(w.names[id], name)
		}
	case k < 8:
		_, err = w.c.SetDefaultAccount(ctx, id)
	case k < 9 || len(w.names) > 40:
		if _, err = w.c.DeleteAccount(ctx, id, false); err == nil {
			delete(w.names, id)
			w.gone[id] = true
		} else {
			w.names[id] = append(w.names[id], "") // may be gone
		}
	default:
		p := account.AddACHParams{OwnerType: "employer", OwnerID: w.employer, BankName: "b", AccountType: "checking"}
		p.RoutingNumber, p.AccountNumber = ach.NewRoutingNumber("011401533"), ach.NewAccountNumber(fmt.Sprintf("%d%010d", 1+len(w.employer), w.r.IntN(1e9)))
		_, err = w.c.AddACH(ctx, p)
	}
	switch {
	case err == nil:
		w.load.acked.Add(1)
	case fault.Is(err, fault.Unavailable) || ctx.Err() != nil:
		w.load.unknown.Add(1)
		time.Sleep(2 * time.Millisecond) // bankd is away
	case fault.Is(err, fault.NotFound) && len(w.names[id]) > 1, fault.Is(err, fault.Duplicate):
		delete(w.names, id) // it was gone after all
	default:
		w.load.t.Errorf("%s: %v", name, err)
	}
}

func (w *killWriter) any() string {
	for id := range w.names {
		return id
	}
	return ""
}

func (w *killWriter) check() {
	found := map[string]string{}
	for n, pages := 1, 1; n <= pages; n++ {
		rows, info, err := w.c.ListAccounts(w.load.t.Context(), account.Query{EmployerID: w.employer}, page.Request{Page: n, Limit: 200})
		if err != nil {
			w.load.t.Errorf("%s: %v", w.employer, err)
			return
		}
		for _, a := range rows {
			found[a.ID] = a.Name
		}
		pages = info.Pages
	}
	for id, names := range w.names {
		name, there := found[id]
		switch {
		case there && slices.Contains(names, name):
			w.names[id] = []string{name}
		case !there && slices.Contains(names, ""):
			delete(w.names, id)
		default:
			w.load.t.Errorf("account %s is %q, want one of %q", id, name, names)
		}
		delete(found, id)
	}
	for id, name := range found {
		if w.gone[id] || !w.maybe[name] {
			w.load.t.Errorf("account %s %q is there, which was deleted or never made", id, name)
		}
		w.names[id] = []string{name} // its making had no answer, and was done
	}
	w.maybe = map[string]bool{}
}
