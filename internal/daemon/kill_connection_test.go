package daemon_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/account"
	"github.com/bankctl/bankctl/internal/banktest"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/page"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/secret"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/trail"
)

// killing is one crash point of an action on a connection, with the failures of Plaid's that bankd must meet to come there.
type killing struct {
	action, point string
	needs         string // a route of Plaid's that must fail first
	kinds         []string
}

var unsure = []string{"500", "html502", "reset", "hang"} // nobody knows what Plaid did, and it did nothing

const swapRoute, removeRoute = "/item/access_token/invalidate", "/item/remove"

var killings = []killing{
	{action: "rotate", point: "rotate.ask"}, {action: "rotate", point: "rotate.intended"}, {action: "rotate", point: "rotate.asked"},
	{action: "rotate", point: "rotate.stored"}, {"rotate", "rotate.find", swapRoute, append([]string{"lost"}, unsure...)},
	{"rotate", "rotate.found", swapRoute, append([]string{"lost"}, unsure...)}, {"rotate", "rotate.ended", swapRoute, append([]string{"429"}, unsure...)},
	{"rotate", "rotate.lost", swapRoute, []string{"lost"}},

	{action: "remove", point: "remove.ask"}, {action: "remove", point: "remove.intended"}, {action: "remove", point: "remove.asked"},
	{action: "remove", point: "remove.stored"}, {"remove", "remove.again", removeRoute, []string{"429", "hang"}},

	{action: "update", point: "link.ask"}, {action: "update", point: "link.asked"}, {action: "update", point: "link.stored"},
	{action: "update", point: "page.walk"}, {action: "update", point: "page.walked"}, {action: "update", point: "poll.asked"},
	{action: "update", point: "poll.stored"}, {action: "update", point: "update.mended"}, {action: "update", point: "update.noted"},
	{action: "update", point: "check.ask"}, {action: "update", point: "check.asked"}, {action: "update", point: "check.stored"},
	{action: "update", point: "sync.ask"}, {action: "update", point: "sync.asked"}, {action: "update", point: "sync.stored"},
	{action: "update", point: "numbers.ask"}, {action: "update", point: "numbers.asked"}, {action: "update", point: "numbers.stored"},
	{action: "update", point: "update.checked"}, {action: "update", point: "update.closed"}, {action: "update", point: "update.refused"},

	{action: "import", point: "import.ask"}, {action: "import", point: "import.asked"}, {action: "import", point: "import.stored"},
	{action: "import", point: "webhook.ask"}, {action: "import", point: "webhook.asked"}, {action: "import", point: "webhook.stored"},
	{action: "import", point: "rotate.ask"}, {action: "import", point: "rotate.intended"}, {action: "import", point: "rotate.asked"},
	{action: "import", point: "rotate.stored"}, {action: "import", point: "sync.ask"}, {action: "import", point: "sync.asked"},
	{action: "import", point: "sync.stored"},
}

var connectionRoutes = []string{
	"/item/get", "/accounts/get", "/auth/get", "/item/remove", "/item/access_token/invalidate", "/item/webhook/update",
	"/link/token/create", "/link/token/get", "/institutions/get_by_id", "/hl/*",
}

// kill -9 and random failures of Plaid's while a token is swapped, a connection removed, mended or imported: after a
// restart what was begun is finished or undone by bankd itself, and every Item that lives at the simulator is one
// connection's or told as lost. 17 times BANKD_CRASH_RUNS runs; BANKD_SEED repeats one.
func TestKillConnection(t *testing.T) {
	t.Parallel()
	bin, err := crashing()
	if err != nil {
		t.Fatal(err)
	}
	runs, seed := 5, uint64(time.Now().UnixNano())
	thorough := false
	if n, err := strconv.Atoi(os.Getenv("BANKD_CRASH_RUNS")); err == nil && n > 0 {
		runs, thorough = 17*n, 17*n >= 3*len(killings)
	}
	if n, err := strconv.ParseUint(os.Getenv("BANKD_SEED"), 10, 64); err == nil {
		seed, runs, thorough = n, 1, false
	}
	kept := keepConnections(t, bin)
	t.Run("overtaken", func(t *testing.T) { overtaken(t, bin, kept) })
	var mu sync.Mutex
	sums, total := map[killingName]*killTally{}, killTally{}
	t.Run("runs", func(t *testing.T) {
		for i := range runs {
			s := seed + uint64(i)*11 // so that a few runs come to every action
			k := killings[s%uint64(len(killings))]
			t.Run(fmt.Sprintf("%s/%s/%d", k.action, k.point, s), func(t *testing.T) {
				t.Parallel()
				one := newKillRun(t, bin, kept, k, s).run()
				mu.Lock()
				defer mu.Unlock()
				name := killingName{k.action, k.point}
				if sums[name] == nil {
					sums[name] = &killTally{}
				}
				sums[name].add(one)
				total.add(one)
			})
		}
	})
	var table strings.Builder
	row := func(action, point string, sum *killTally) {
		fmt.Fprintf(&table, "%-7s %-16s %5d %7d %16d %14d %6d %9d\n", action, point, sum.runs, sum.killed, sum.lost, sum.later, sum.kills, sum.faulty)
	}
	for _, k := range killings {
		if sum := sums[killingName{k.action, k.point}]; sum != nil {
			row(k.action, k.point, sum)
			if thorough && sum.killed == 0 {
				t.Errorf("%s never came to %s", k.action, k.point)
			}
		}
	}
	row("in all", "", &total)
	t.Logf("%d runs from seed %d\n%-7s %-16s %5s %7s %16s %14s %6s %9s\n%s", runs, seed,
		"action", "point", "runs", "killed", "relink_required", "removed later", "kills", "failures", &table)
}

// overtaken has a removal end while an older answer of Plaid's is still under way.
func overtaken(t *testing.T, bin string, kept *keptConnections) {
	for i, path := range []string{"/item/get", "/accounts/get", "/auth/get", "/item/get"} {
		action := "check"
		if i == 3 {
			action = "update"
		}
		t.Run(action+path, func(t *testing.T) {
			t.Parallel()
			v := newKillRun(t, bin, kept, killing{action: action}, uint64(i))
			v.run_.client = client.New(filepath.Join(v.run_.dir, "run", "s"))
			defer v.run_.client.Close()
			v.run_.client.ClientID, v.run_.client.Secret, v.ach = kept.clientID, kept.secret, connection.DisableACH
			v.countSwaps()
			v.prepare()
			v.relapse = false
			v.up("")
			v.mu.Lock()
			v.overtake = path
			v.mu.Unlock()
			v.act(false)
			if !banktest.Eventually(v.wasRemoved) { // the call that is overtaken may be one of the background
				v.fatal("nothing was removed")
			}
			v.settle()
			v.compare()
			select {
			case <-v.run_.bankd.done:
				v.fatal("bankd died of it")
			default:
			}
		})
	}
}

type killingName struct{ action, point string }

// killTally counts runs: those that were killed where it was meant, tokens lost with their reply, removals that bankd
// finished although no caller was told so, kills in all, and runs with failures of Plaid's.
type killTally struct{ runs, killed, lost, later, kills, faulty int }

func (k *killTally) add(o killTally) {
	k.runs, k.killed, k.lost = k.runs+o.runs, k.killed+o.killed, k.lost+o.lost
	k.later, k.kills, k.faulty = k.later+o.later, k.kills+o.kills, k.faulty+o.faulty
}

// keptConnections is a daemon at rest with two connections that ACH accounts rest on, and its simulator: each run begins
// with a copy of both.
type keptConnections struct {
	dir              string
	simulator        []byte
	clientID, secret string
	conns            []connection.Connection // numbers at one are aliases
	ach              map[string]int          // ACH accounts that rest on each
}

type memoryStore struct {
	mu sync.Mutex
	b  []byte
}

func (m *memoryStore) Load(context.Context) ([]byte, error) { return m.b, nil }

func (m *memoryStore) Save(_ context.Context, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.b = bytes.Clone(b)
	return nil
}

func keepConnections(t *testing.T, bin string) *keptConnections {
	t.Helper()
	kept := &keptConnections{dir: t.TempDir(), ach: map[string]int{}}
	state := &memoryStore{}
	sim, url := simulate(t, state, nil)
	r := &run{t: t, dir: kept.dir, bin: bin, simURL: url}
	r.up("")
	c := client.New(filepath.Join(kept.dir, "run", "s"))
	defer c.Close()
	m, err := c.AddClient(t.Context(), tenant.ClientParams{Name: "ci", Role: tenant.Admin, Employers: tenant.Everything, Carriers: tenant.Everything})
	if err != nil {
		t.Fatal(err)
	}
	c.ClientID, c.Secret = m.ID, m.Secret
	kept.clientID, kept.secret = m.ID, m.Secret
	for _, bank := range []string{"ins_109508", "ins_127287"} {
		link, err := c.StartLink(t.Context(), connection.LinkParams{UserID: "u", EmployerID: "e1", HostedLink: true, Exchange: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.CompleteSession(t.Context(), link.SessionID, connection.CompleteParams{InstitutionID: bank}); err != nil {
			t.Fatal(err)
		}
		s, err := c.GetSession(t.Context(), link.SessionID, 20*time.Second)
		if err != nil || s.ConnectionID == "" {
			t.Fatalf("%+v %v", s, err)
		}
		conn, err := c.GetConnection(t.Context(), s.ConnectionID)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range conn.Accounts {
			if a.Type != "depository" {
				continue
			}
			p := account.FromPlaidParams{OwnerType: "employer", OwnerID: "e1", PlaidAccountID: a.PlaidAccountID, PlaidItemID: conn.ItemID}
			if _, err := c.AddACHFromPlaid(t.Context(), p); err != nil {
				t.Fatal(err)
			}
			kept.ach[conn.ID]++
		}
		kept.conns = append(kept.conns, conn)
	}
	r.bankd.stop()
	if err := sim.Close(); err != nil {
		t.Fatal(err)
	}
	kept.simulator = state.b
	return kept
}

func simulate(t *testing.T, state plaidsim.Store, around func(http.Handler) http.Handler) (*plaidsim.Server, string) {
	t.Helper()
	sim, err := plaidsim.New(t.Context(), plaidsim.Options{Seed: 1, Store: state, Limits: plaidsim.LimitsOff})
	if err != nil {
		t.Fatal(err)
	}
	var h http.Handler = sim
	if around != nil {
		h = around(sim)
	}
	web := httptest.NewServer(h)
	sim.SetBaseURL(web.URL)
	t.Cleanup(func() {
		_ = sim.Close()
		web.CloseClientConnections()
		web.Close()
	})
	return sim, web.URL
}

// killRun does one action on a copy of keptConnections.
type killRun struct {
	t    *testing.T
	k    killing
	seed uint64
	rnd  *rand.Rand
	run_ run
	sim  *plaidsim.Server
	kept *keptConnections

	mu       sync.Mutex
	tokens   map[string]string // hash of the live token, by Item
	swaps    map[string]int    // at the simulator, by Item
	overtake string            // a route whose next reply a removal overtakes
	relapse  bool              // the bank refuses again as soon as the user has signed in
	walked   bool              // the user has been on the page
	late     time.Duration     // how long replies about an Item's data are under way, so that others overtake them
	removed  bool              // a caller was told so

	conn      connection.Connection // whose action it is
	other     connection.Connection // nobody's: it must stay as it is
	imported  string                // the Item that is imported
	token     string                // its token, as the other tool has it
	keepToken bool
	ach       string
	session   string
	story     []string
	tally     killTally
}

func newKillRun(t *testing.T, bin string, kept *keptConnections, k killing, seed uint64) *killRun {
	t.Helper()
	v := &killRun{t: t, k: k, seed: seed, rnd: rand.New(rand.NewPCG(seed, 2)), kept: kept, tokens: map[string]string{}, swaps: map[string]int{}, tally: killTally{runs: 1}}
	dir, err := os.MkdirTemp("", "conn")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.CopyFS(dir, os.DirFS(kept.dir)); err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			return os.Chmod(path, 0o700)
		}
		return errors.Join(err, os.Chmod(path, 0o600))
	})
	if err != nil {
		t.Fatal(err)
	}
	var url string
	v.sim, url = simulate(t, &memoryStore{b: kept.simulator}, v.watch)
	v.run_ = run{t: t, dir: dir, bin: bin, simURL: url}
	i := v.rnd.IntN(2)
	v.conn, v.other = kept.conns[i], kept.conns[1-i]
	v.ach = connection.ACHChoices[v.rnd.IntN(3)]
	v.note("action %s on %s, kill at %s", k.action, v.conn.Institution.Name, k.point)
	return v
}

// watch counts swaps of tokens at the simulator, and lets a bank refuse again right after the user has signed in.
func (v *killRun) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		defer func() {
			v.mu.Lock()
			relapse := v.relapse && v.walked && path == "/link/token/get"
			v.walked = v.walked || strings.HasPrefix(path, "/hl/") && r.Method == http.MethodPost
			v.relapse = v.relapse && !relapse
			late := v.late
			overtake := v.overtake == path && (v.k.action != "update" || v.walked)
			if overtake {
				v.overtake = ""
			}
			v.mu.Unlock()
			if path == "/item/get" || path == "/accounts/get" || path == "/auth/get" {
				time.Sleep(late)
			}
			if overtake {
				v.giveAway()
			}
			if relapse {
				_ = v.sim.ApplyEvent(plaidsim.Event{Kind: "login_required", Item: v.conn.ItemID})
			}
			if path == swapRoute {
				v.countSwaps()
			}
		}()
		next.ServeHTTP(w, r)
	})
}

func (v *killRun) countSwaps() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, it := range v.sim.Items() {
		if was, known := v.tokens[it.ID]; known && it.TokenHash != "" && it.TokenHash != was {
			v.swaps[it.ID]++
		}
		if it.TokenHash != "" {
			v.tokens[it.ID] = it.TokenHash
		}
	}
}

func (v *killRun) note(format string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.story = append(v.story, fmt.Sprintf(format, args...))
}

func (v *killRun) fatal(format string, args ...any) {
	v.t.Helper()
	v.t.Fatalf("seed %d: %s\n  %s", v.seed, fmt.Sprintf(format, args...), strings.Join(v.story, "\n  "))
}

func (v *killRun) errorf(format string, args ...any) {
	v.t.Helper()
	v.t.Errorf("seed %d: %s\n  %s", v.seed, fmt.Sprintf(format, args...), strings.Join(v.story, "\n  "))
}

// chance picks Plaid's failures: those that the point needs, and in half of the runs others too.
func (v *killRun) chance() {
	var all []plaidsim.Fault
	if v.k.needs != "" {
		all = append(all, plaidsim.Fault{Route: v.k.needs, Kind: v.k.kinds[v.rnd.IntN(len(v.k.kinds))], Count: 1})
	}
	if v.rnd.IntN(2) == 0 {
		for range 1 + v.rnd.IntN(2) {
			route := connectionRoutes[v.rnd.IntN(len(connectionRoutes))]
			all = append(all, plaidsim.Fault{Route: route, Kind: employeeFaults[v.rnd.IntN(len(employeeFaults))], Count: 1 + v.rnd.IntN(3)})
		}
	}
	if len(all) > 0 {
		v.tally.faulty = 1
		v.note("failures %+v", all)
	}
	v.sim.SetFaults(all)
}

func (v *killRun) up(crashAt string) {
	v.t.Helper()
	v.note("start bankd, BANKD_CRASH_AT=%q", crashAt)
	r := &v.run_
	p, ready, said := launch(v.t, []string{"BANKD_CRASH_AT=" + crashAt, "HOME=" + r.dir}, r.bin, "--data-dir", filepath.Join(r.dir, "data"),
		"--key-file", filepath.Join(r.dir, "kek"), "--socket", filepath.Join(r.dir, "run", "s"), "--plaid-url", r.simURL,
		"--plaid-timeout", "1s", "--log-level", "error")
	if r.bankd = p; !ready && (crashAt == "" || said != "") {
		v.fatal("bankd does not start: %s", said)
	}
}

// dead waits a moment for the kill that may be on its way.
func (v *killRun) dead(wait time.Duration) bool {
	select {
	case <-v.run_.bankd.done:
		v.tally.kills++
		return true
	case <-time.After(wait):
		return false
	}
}

func (v *killRun) run() killTally {
	r := &v.run_
	r.client = client.New(filepath.Join(r.dir, "run", "s"))
	defer r.client.Close()
	r.client.ClientID, r.client.Secret = v.kept.clientID, v.kept.secret
	v.countSwaps()
	v.prepare()
	v.chance()
	crashAt := v.k.point
	if nth := 1 + v.rnd.IntN(4); strings.HasPrefix(crashAt, "check.") {
		crashAt = fmt.Sprintf("%s:%d", crashAt, nth)
	}
	v.up(crashAt)
	defer func() { r.bankd.stop() }()
	v.act(v.rnd.IntN(3) == 0)
	wait := 100 * time.Millisecond
	if v.k.needs != "" || v.k.action == "update" || strings.HasPrefix(v.k.point, "webhook.") {
		wait = 3 * time.Second // the background comes there
	}
	if v.dead(wait) {
		v.tally.killed = 1
		v.note("killed")
		if v.rnd.IntN(2) == 0 { // again, somewhere else, with the same failures of Plaid's
			other := killings[v.rnd.IntN(len(killings))]
			v.up(other.point)
			v.act(false)
			if v.dead(time.Duration(v.rnd.IntN(1500)) * time.Millisecond) {
				v.note("killed again")
			} else {
				r.bankd.stop()
			}
		}
	} else {
		r.bankd.stop()
	}
	v.sim.SetFaults(nil)
	v.up("")
	switch v.rnd.IntN(4) {
	case 0, 1:
		v.act(false)
	case 2:
		v.giveAway()
	}
	if v.rnd.IntN(3) == 0 {
		time.Sleep(800 * time.Millisecond) // the background comes round once more
	}
	v.settle()
	v.compare()
	return v.tally
}

// prepare brings the simulator into the state that the action needs.
func (v *killRun) prepare() {
	switch v.k.action {
	case "update":
		if err := v.sim.ApplyEvent(plaidsim.Event{Kind: "login_required", Item: v.conn.ItemID}); err != nil {
			v.fatal("%v", err)
		}
		v.relapse = v.k.point == "update.refused" || v.rnd.IntN(6) == 0
	case "import":
		made := v.ask("/sandbox/public_token/create", map[string]any{
			"institution_id": "ins_109508", "initial_products": []string{"auth", "transactions"}, "options": map[string]any{"webhook": "http://127.0.0.1:9/other"}})
		got := v.ask("/item/public_token/exchange", map[string]any{"public_token": made["public_token"]})
		v.token, v.imported = got["access_token"].(string), got["item_id"].(string)
		v.keepToken = !strings.HasPrefix(v.k.point, "rotate.") && v.rnd.IntN(4) == 0
		v.countSwaps()
		v.note("Item %s is another tool's; keep its token: %t", v.imported, v.keepToken)
	}
}

// ask speaks to the simulator as another tool with the same keys.
func (v *killRun) ask(path string, body map[string]any) map[string]any {
	body["client_id"], body["secret"] = "simulated", "simulated"
	b, err := json.Marshal(body)
	if err != nil {
		v.fatal("%v", err)
	}
	resp, err := http.Post(v.run_.simURL+path, "application/json", bytes.NewReader(b))
	if err != nil {
		v.fatal("%v", err)
	}
	defer resp.Body.Close()
	var out map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&out); err != nil || resp.StatusCode != http.StatusOK {
		v.fatal("%s: %d %v %v", path, resp.StatusCode, out, err)
	}
	return out
}

// act does the action as a user would, with somebody else at the same connection where accompanied.
func (v *killRun) act(accompanied bool) {
	ctx, cancel := context.WithTimeout(v.t.Context(), time.Minute)
	defer cancel()
	var side sync.WaitGroup
	if accompanied {
		v.delay(time.Duration(v.rnd.IntN(150)) * time.Millisecond)
		defer v.delay(0)
		which := v.rnd.IntN(4)
		side.Go(func() { v.accompany(ctx, which) })
	}
	switch c := v.run_.client; v.k.action {
	case "check":
		_, err := c.CheckConnection(ctx, v.conn.ID)
		v.expected("check", err)
	case "rotate":
		_, err := c.RotateToken(ctx, v.conn.ID)
		v.expected("rotate", err)
	case "remove":
		_, err := c.RemoveConnection(ctx, v.conn.ID, connection.RemoveParams{ACH: v.ach})
		v.toldRemoved(err)
		v.expected("remove ach="+v.ach, err)
	case "import":
		p := connection.ImportParams{AccessToken: secret.New(v.token), UserID: "u", EmployerID: "e2", KeepToken: v.keepToken}
		_, err := c.ImportConnection(ctx, p)
		v.expected("import", err)
	case "update":
		if v.session == "" {
			link, err := c.UpdateLink(ctx, connection.UpdateLinkParams{UserID: "u", ItemID: v.conn.ItemID, HostedLink: true})
			v.expected("update link", err)
			v.session = link.SessionID
		}
		if v.session != "" {
			_, err := c.CompleteSession(ctx, v.session, connection.CompleteParams{InstitutionID: v.conn.Institution.ID})
			v.expected("complete", err)
			if fault.Is(err, fault.PlaidError) || fault.Is(err, fault.Conflict) {
				v.session = "" // the next time with a link of its own
			}
		}
	}
	side.Wait()
}

// giveAway removes the connection from any state.
func (v *killRun) giveAway() {
	id := v.conn.ID
	if v.imported != "" {
		id = v.imported
	}
	_, err := v.run_.client.RemoveConnection(v.t.Context(), id, connection.RemoveParams{ACH: v.ach})
	if v.imported != "" && fault.Is(err, fault.NotFound) {
		return // it never came here
	}
	v.toldRemoved(err)
	v.expected("then remove", err)
}

func (v *killRun) delay(d time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.late = d
}

func (v *killRun) accompany(ctx context.Context, which int) {
	id, c := v.conn.ID, v.run_.client
	time.Sleep(time.Duration(v.seed%80) * time.Millisecond)
	var err error
	switch which {
	case 0:
		_, err = c.CheckConnection(ctx, id)
	case 1:
		_, err = c.SyncAccounts(ctx, connection.ItemParams{ItemID: id})
	case 2:
		_, err = c.RotateToken(ctx, id)
	case 3:
		_, err = c.RemoveConnection(ctx, id, connection.RemoveParams{ACH: v.ach})
		v.toldRemoved(err)
	}
	v.expected("beside it "+[]string{"check", "sync", "rotate", "remove"}[which], err)
}

func (v *killRun) toldRemoved(err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.removed = v.removed || err == nil
}

func (v *killRun) wasRemoved() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.removed
}

// expected fails the test on an error that neither a kill nor a failure of Plaid's may cause.
func (v *killRun) expected(what string, err error) {
	v.note("%s: %v", what, err)
	switch fault.As(err).Code {
	case fault.Unavailable, fault.PlaidError, fault.PlaidTimeout, fault.RateLimited, fault.RelinkRequired, fault.Conflict, fault.Invalid, fault.Duplicate:
	default:
		if err != nil {
			v.t.Errorf("seed %d: %s: %v", v.seed, what, err)
		}
	}
}

// audited counts the lines of an action by object.
func (v *killRun) audited(action string) map[string]int {
	lines, err := v.run_.client.ListAudit(v.t.Context(), trail.Query{Action: action, Limit: 1000})
	if err != nil {
		v.fatal("%v", err)
	}
	out := map[string]int{}
	for _, l := range lines {
		out[strings.TrimPrefix(l.Object, "connection:")]++
	}
	return out
}

// conns are all connections, removed ones too.
func (v *killRun) conns() []connection.Connection {
	var out []connection.Connection
	for _, status := range []string{"", connection.Removed} {
		conns, _, err := v.run_.client.ListConnections(v.t.Context(), connection.Query{Status: status}, page.Request{})
		if err != nil {
			v.fatal("%v", err)
		}
		out = append(out, conns...)
	}
	return out
}

// settle waits until bankd has finished by itself every swap and removal that was begun.
func (v *killRun) settle() {
	why := ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(30 * time.Millisecond) {
		if why = v.unsettled(); why == "" {
			return
		}
	}
	v.fatal("not finished: %s", why)
}

func (v *killRun) unsettled() string {
	there := v.items() // before the audit log: a swap that shows here has its intent there
	asked, lost := v.audited("connection.intend_removal"), v.audited("connection.lose_token")
	begun, swapped, ended := v.audited("connection.intend_rotation"), v.audited("connection.rotate"), v.audited("connection.end_rotation")
	for _, c := range v.conns() {
		if n := swapped[c.ID] + ended[c.ID] + lost[c.ID]; begun[c.ID] != n {
			return fmt.Sprintf("%s: %d swaps begun, %d swapped, %d not done, %d lost", c.ID, begun[c.ID], swapped[c.ID], ended[c.ID], lost[c.ID])
		}
		if c.Status == connection.Removed {
			continue
		}
		item := there[c.ItemID]
		switch {
		case asked[c.ID] > 0:
			return c.ID + " was to be removed"
		case lost[c.ID] > 0:
		case c.ItemID == v.imported && !v.keepToken && item.TokenHash == hashOf(v.token):
			return "the other tool still has the token of what was imported"
		case c.SyncedAt == nil:
			return c.ID + " was never read"
		case item.Error == "" && c.Status != connection.Active:
			return fmt.Sprintf("%s is %s, and works at the simulator", c.ID, c.Status)
		case item.Error != "" && c.Status == connection.Active:
			return fmt.Sprintf("%s is %s, and %s at the simulator", c.ID, c.Status, item.Error)
		}
	}
	return ""
}

func (v *killRun) items() map[string]plaidsim.ItemInfo {
	out := map[string]plaidsim.ItemInfo{}
	for _, it := range v.sim.Items() {
		out[it.ID] = it
	}
	return out
}

func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}

// compare checks bankd's records against the simulator's own state.
func (v *killRun) compare() {
	lost, swapped, removed := v.audited("connection.lose_token"), v.audited("connection.rotate"), v.audited("connection.remove")
	owners := map[string][]connection.Connection{}
	all := v.conns()
	v.mu.Lock()
	swaps := maps.Clone(v.swaps)
	v.mu.Unlock()
	for _, c := range all {
		owners[c.ItemID] = append(owners[c.ItemID], c)
		if at := swaps[c.ItemID]; at != swapped[c.ID]+lost[c.ID] {
			v.errorf("%s: %d swaps at the simulator, %d here, %d told as lost", c.ID, at, swapped[c.ID], lost[c.ID])
		}
		v.tally.lost += lost[c.ID]
		if c.Status != connection.Removed {
			v.open(c, lost[c.ID] > 0)
			continue
		}
		if !v.removed {
			v.tally.later++
		}
		if removed[c.ID] != 1 {
			v.errorf("%s was removed %d times", c.ID, removed[c.ID])
		}
	}
	there := v.items()
	for id, it := range there {
		switch own := owners[id]; {
		case len(own) > 1:
			v.errorf("Item %s belongs to %d connections", id, len(own))
		case len(own) == 0 && (id != v.imported || it.TokenHash != hashOf(v.token)):
			v.errorf("Item %s is nobody's", id)
		case len(own) == 0:
		case own[0].Status == connection.Removed && !it.Removed && lost[own[0].ID] == 0:
			v.errorf("%s is removed, its Item lives, and nothing tells of it", own[0].ID)
		case own[0].Status != connection.Removed && it.Removed:
			v.errorf("%s is here, its Item is not there", own[0].ID)
		}
	}
	for _, c := range all {
		v.rests(c)
	}
	if c := owners[v.other.ItemID]; len(c) != 1 || c[0].Status != connection.Active || lost[v.other.ID]+swapped[v.other.ID] > 0 {
		v.errorf("the other connection has changed: %+v", c)
	}
	report, err := v.run_.client.VerifyAudit(v.t.Context())
	if err != nil || !report.Intact {
		v.errorf("audit chain: %+v %v", report, err)
	}
	exam, err := v.run_.client.Examine(v.t.Context())
	if err != nil {
		v.errorf("examination: %v", err)
	}
	for _, c := range exam.Checks {
		if c.Result == "failed" {
			v.errorf("examination: %+v", c)
		}
	}
}

// open checks that a connection opens its Item, or says what to do.
func (v *killRun) open(c connection.Connection, lost bool) {
	before := time.Now().Add(-time.Millisecond)
	got, err := v.run_.client.CheckConnection(v.t.Context(), c.ID)
	if err != nil {
		v.errorf("check: %v", err)
		return
	}
	switch {
	case lost:
		if got.Status != connection.Failed || got.Error == nil || got.Error.Code != "TOKEN_LOST" || !strings.Contains(got.Error.Hint, "bankctl connections remove "+c.ID) {
			v.errorf("its token is lost, and it says %s %+v", got.Status, got.Error)
		}
	case v.items()[c.ItemID].Error != "":
		if got.Status != connection.NeedsReauth || got.Error == nil || !strings.Contains(got.Error.Hint, "bankctl connections reauth "+c.ID) {
			v.errorf("the bank refuses, and it says %s %+v", got.Status, got.Error)
		}
	case got.Status != connection.Active || got.SyncedAt == nil || got.SyncedAt.Before(before) || len(got.Notices) > 0:
		v.errorf("it does not open its Item: %s %+v %+v synced %v", got.Status, got.Error, got.Notices, got.SyncedAt)
	}
}

// rests checks a connection's accounts and the ACH accounts with numbers from it.
func (v *killRun) rests(c connection.Connection) {
	gone := c.Status == connection.Removed
	accounts, _, err := v.run_.client.ListAccounts(v.t.Context(), account.Query{ConnectionID: c.ID}, page.Request{Limit: 100})
	if err != nil {
		v.fatal("%v", err)
	}
	want := account.Active
	if gone {
		want = account.Inactive
	}
	for _, a := range accounts {
		if a.Status != want {
			v.errorf("%s is %s, and its account %s", c.ID, c.Status, a.Status)
		}
	}
	if len(accounts) != len(c.Accounts) {
		v.errorf("%d accounts of %d", len(accounts), len(c.Accounts))
	}
	found, _, err := v.run_.client.ListACH(v.t.Context(), account.ACHQuery{ConnectionType: account.Plaid}, page.Request{Limit: 100})
	if err != nil {
		v.fatal("%v", err)
	}
	found = slices.DeleteFunc(found, func(a account.ACH) bool { return a.ConnectionID != c.ID })
	count := v.kept.ach[c.ID]
	if gone && v.ach == connection.DeleteACH {
		count = 0
	}
	if len(found) != count {
		v.errorf("%s is %s with %d ACH accounts, ach=%s", c.ID, c.Status, len(found), v.ach)
	}
	for _, a := range found {
		status, reason := account.Verified, ""
		if gone && (v.ach == connection.DisableACH || a.Tokenized) {
			status, reason = account.Disabled, account.ConnectionRemoved
		}
		if a.Status != status || a.DisabledReason != reason {
			v.errorf("%s is %s with an ACH account that is %s %s, ach=%s", c.ID, c.Status, a.Status, a.DisabledReason, v.ach)
		}
	}
}
