// Package banktest starts a real bankd in a test's own process, with the simulator behind it and the real client before
// it, and watches both sides: every call is held against Plaid's OpenAPI document and against ours. Tests alone use it.
package banktest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bankctl/bankctl/internal/background"
	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/client"
	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/connection"
	"github.com/bankctl/bankctl/internal/daemon"
	"github.com/bankctl/bankctl/internal/linkbrowser"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/plaidspec"
	"github.com/bankctl/bankctl/internal/secret"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/store/mem"
	"github.com/bankctl/bankctl/internal/tenant"
	"github.com/bankctl/bankctl/internal/vault"
)

// Bank is a running bankd with an admin client of its default tenant.
type Bank struct {
	Client *client.Client // admin, all scopes
	Daemon *daemon.Daemon
	Plaid  *plaidspec.Recorder // records the calls between bankd and the simulator
	Dir    string              // holds everything on disk
	Config config.Config

	t       testing.TB
	onDisk  bool
	stopped bool
	engine  store.Engine
	kek     vault.KEK
	log     logBuffer
	api     *apiCheck
	tokens  tokenCatcher
	now     func() time.Time
	tempo   background.Tempo
	ready   plaidsim.Ready
	as      plaidsim.Switches
	sandbox bool
	quotas  *bank.Quotas
	replies func(path string, body []byte) []byte
	set     []func(*config.Config)
	between func(http.Handler) http.Handler
}

// Option changes how a Bank starts.
type Option func(*Bank)

// OnDisk keeps the data in bbolt, so that Restart finds it again.
func OnDisk(b *Bank) { b.onDisk = true }

// Clock sets the daemon's and the simulator's clock.
func Clock(now func() time.Time) Option { return func(b *Bank) { b.now = now } }

// With changes the operator's configuration.
func With(set func(*config.Config)) Option {
	return func(b *Bank) { b.set = append(b.set, set) }
}

// Tempo sets how long background work rests, in place of Quick.
func Tempo(tempo background.Tempo) Option { return func(b *Bank) { b.tempo = tempo } }

// Ready sets when the simulator has an Item's first transactions and its whole history, in place of quickReady.
func Ready(ready plaidsim.Ready) Option { return func(b *Bank) { b.ready = ready } }

// As sets the simulator's behaviours where Plaid's documents and what was seen differ.
func As(behaviours plaidsim.Switches) Option { return func(b *Bank) { b.as = behaviours } }

// Sandbox starts a simulator beside bankd, which takes it for Plaid's sandbox.
func Sandbox(b *Bank) { b.sandbox = true }

// quickReady still lets a sync find an Item in each of its three states.
var quickReady = plaidsim.Ready{Initial: 20 * time.Millisecond, History: 60 * time.Millisecond}

// Between puts a handler between bankd and the simulator, whose replies are not held against Plaid's document: for what
// Plaid's document does not allow and banks send all the same.
func Between(wrap func(http.Handler) http.Handler) Option {
	return func(b *Bank) { b.between = wrap }
}

// NoQuotas lifts the bounds of what one client may cost, for tests of very many calls.
func NoQuotas(b *Bank) {
	b.quotas = &bank.Quotas{Client: 1_000_000, Tenant: 1_000_000, Keys: 1_000_000}
}

// Start runs a bankd until the test ends. The test fails if a request or reply broke a contract on the way.
func Start(t testing.TB, opts ...Option) *Bank {
	t.Helper()
	dir, err := os.MkdirTemp("", "bank") // t.TempDir is too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &Bank{t: t, Dir: dir, api: &apiCheck{}, tempo: Quick, ready: quickReady}
	for _, o := range opts {
		o(b)
	}
	b.Config = config.Config{
		DataDir: filepath.Join(dir, "data"), KeyFile: filepath.Join(dir, "keys", "kek"), MayCreateKey: true,
		Socket: filepath.Join(dir, "run", "b.sock"), Plaid: config.Simulated, SimulatorListen: "127.0.0.1:0", TransactionsDays: 90,
		LinkProducts: config.LinkProducts{Products: []string{"auth"}, RequiredIfSupported: []string{"identity"}, Optional: []string{"transactions"}},
	}
	if b.sandbox {
		b.startSandbox()
	}
	for _, set := range b.set {
		set(&b.Config)
	}
	if !b.onDisk {
		b.engine = mem.New()
		if b.kek, err = vault.CreateFileKEK(b.Config.KeyFile); err != nil {
			t.Fatal(err)
		}
	}
	b.up()
	t.Cleanup(b.down)
	b.Client = b.NewClient(tenant.ClientParams{
		Name: "test admin", Role: tenant.Admin, Employers: tenant.Everything, Carriers: tenant.Everything,
		Companies: tenant.Everything, ActAsEmployee: true,
	})
	return b
}

// startSandbox starts a simulator of its own and points bankd at it.
func (b *Bank) startSandbox() {
	b.t.Helper()
	sim, err := plaidsim.New(b.t.Context(), plaidsim.Options{Limits: plaidsim.LimitsOff, Clock: b.now, Ready: b.ready, Switches: b.as})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Plaid = plaidspec.Wrap(b.tokens.around(sim))
	b.Plaid.Strict = true
	srv := httptest.NewServer(b.Plaid)
	sim.SetBaseURL(srv.URL)
	b.t.Cleanup(func() {
		srv.CloseClientConnections()
		srv.Close()
		if err := sim.Close(); err != nil {
			b.t.Error(err)
		}
	})
	b.Config.Plaid, b.Config.PlaidURL = config.Sandbox, srv.URL
	b.Config.PlaidClientID, b.Config.PlaidSecret = "5f0000000000000000000000", secret.New("0f00000000000000000000000000aa")
}

func (b *Bank) up() {
	b.t.Helper()
	o := daemon.Options{
		Log:    slog.New(slog.NewJSONHandler(&b.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Engine: b.engine, KEK: b.kek, Now: b.now, Tempo: &b.tempo, Ready: b.ready, As: b.as, Quotas: b.quotas,
		Around: func(h http.Handler) http.Handler {
			recorder := plaidspec.Wrap(b.tokens.around(h))
			recorder.Strict = true
			if b.Plaid != nil {
				recorder.Merge(b.Plaid)
			}
			b.Plaid = recorder
			if b.between != nil {
				return b.between(recorder)
			}
			return recorder
		},
		AroundAPI: b.api.around,
	}
	if b.replies != nil {
		o.Transport = changedReplies{http.DefaultTransport, b.replies}
	}
	d, err := daemon.Start(b.t.Context(), b.Config, o)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Daemon = d
}

func (b *Bank) down() {
	if !b.stopped {
		b.Stop()
	}
	for _, v := range b.Plaid.Violations() {
		b.t.Errorf("against Plaid's document: %s", v)
	}
	for _, v := range b.api.broken() {
		b.t.Errorf("against our document: %s", v)
	}
	if err := b.Plaid.Write(); err != nil {
		b.t.Error(err)
	}
	if found := Leaked(b.log.String()); found != "" {
		b.t.Errorf("the log holds %s", found)
	}
}

// Restart stops the daemon and starts it again on the same data; OnDisk alone.
func (b *Bank) Restart() {
	b.t.Helper()
	if err := b.Daemon.Stop(); err != nil {
		b.t.Fatal(err)
	}
	b.up()
}

// Again starts a daemon that was stopped.
func (b *Bank) Again() {
	b.t.Helper()
	b.up()
}

// Owner gives a client without credentials: the local owner.
func (b *Bank) Owner() *client.Client {
	c := client.New(b.Config.Socket)
	b.t.Cleanup(c.Close)
	return c
}

// NewClient mints a client and gives the Go client that goes by it.
func (b *Bank) NewClient(p tenant.ClientParams) *client.Client {
	b.t.Helper()
	return b.newClient(p, "")
}

// NewClientOf is NewClient in another tenant, which it makes if there is none of the name.
func (b *Bank) NewClientOf(tenantName string, p tenant.ClientParams) *client.Client {
	b.t.Helper()
	if _, err := b.Owner().AddTenant(b.t.Context(), tenant.AddParams{Name: tenantName}); err != nil && !strings.Contains(err.Error(), "there is a tenant") {
		b.t.Fatal(err)
	}
	return b.newClient(p, tenantName)
}

func (b *Bank) newClient(p tenant.ClientParams, tenantName string) *client.Client {
	b.t.Helper()
	owner := b.Owner()
	owner.Tenant = tenantName
	m, err := owner.AddClient(b.t.Context(), p)
	if err != nil {
		b.t.Fatal(err)
	}
	c := client.New(b.Config.Socket)
	c.ClientID, c.Secret = m.ID, m.Secret
	b.t.Cleanup(c.Close)
	return c
}

// Link links First Platypus Bank for an employer through the hosted page.
func (b *Bank) Link(employer string) connection.Connection {
	b.t.Helper()
	return b.LinkAt(connection.LinkParams{UserID: "user-1", EmployerID: employer}, connection.CompleteParams{InstitutionID: "ins_109508"})
}

// LinkAt links as asked, with the exchange included.
func (b *Bank) LinkAt(p connection.LinkParams, how connection.CompleteParams) connection.Connection {
	b.t.Helper()
	p.HostedLink, p.Exchange = true, true
	ctx := b.t.Context()
	link, err := b.Client.StartLink(ctx, p)
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := b.Client.CompleteSession(ctx, link.SessionID, how)
	if err == nil && s.ConnectionID == "" && s.State != connection.Exited {
		s, err = b.Client.GetSession(ctx, link.SessionID, 30*time.Second)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	if s.ConnectionID == "" {
		b.t.Fatalf("the session ended %s without a connection: %v", s.State, s.Trouble)
	}
	conn, err := b.Client.GetConnection(ctx, s.ConnectionID)
	if err != nil {
		b.t.Fatal(err)
	}
	return conn
}

// PublicToken makes an Item at the simulator without a session of ours, as Plaid's own widget would, and gives its
// public token.
func (b *Bank) PublicToken(institution string) string {
	b.t.Helper()
	body := fmt.Sprintf(`{"institution_id":%q,"initial_products":["auth","identity"]}`, institution)
	reply := b.AskPlaid("/sandbox/public_token/create", body)
	token, _ := reply["public_token"].(string)
	if token == "" {
		b.t.Fatalf("no public token: %v", reply["error_code"])
	}
	return token
}

// AskPlaid calls the simulator's API as bankd itself does.
func (b *Bank) AskPlaid(path, body string) map[string]any {
	b.t.Helper()
	req, err := http.NewRequest("POST", b.Daemon.SimulatorURL()+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("PLAID-CLIENT-ID", config.Simulated)
	req.Header.Set("PLAID-SECRET", config.Simulated)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	reply := map[string]any{}
	if err := json.NewDecoder(resp.Body).Decode(&reply); err != nil {
		b.t.Fatal(err)
	}
	return reply
}

// Call sends one request as a client would type it, and gives the status and the decoded reply.
func (b *Bank) Call(c *client.Client, method, path, body string, headers ...string) (int, map[string]any) {
	b.t.Helper()
	h := http.Header{}
	for i := 0; i+1 < len(headers); i += 2 {
		h.Set(headers[i], headers[i+1])
	}
	var payload io.Reader
	if body != "" {
		payload = strings.NewReader(body)
	}
	resp, err := c.Raw(context.Background(), method, path, h, payload)
	if err != nil {
		b.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	reply := map[string]any{}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		if err := json.Unmarshal(raw, &reply); err != nil {
			b.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return resp.StatusCode, reply
}

// Stop ends the daemon before the test does.
func (b *Bank) Stop() {
	b.t.Helper()
	if err := b.Daemon.Stop(); err != nil {
		b.t.Fatal(err)
	}
	b.stopped = true
}

// Tokens is every access, public and link token that the simulator has handed out.
func (b *Bank) Tokens() []string { return b.tokens.all() }

// Log is the daemon's log so far.
func (b *Bank) Log() string { return b.log.String() }

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// Walk goes through a hosted page without bankd's help, as the user's browser would.
func (b *Bank) Walk(hostedURL string, p connection.CompleteParams) error {
	b.t.Helper()
	return linkbrowser.Walk(b.t.Context(), hostedURL, p)
}
