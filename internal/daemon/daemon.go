package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bankctl/bankctl/internal/background"
	"github.com/bankctl/bankctl/internal/bank"
	"github.com/bankctl/bankctl/internal/config"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/plaidsim"
	"github.com/bankctl/bankctl/internal/secret"
	"github.com/bankctl/bankctl/internal/server"
	"github.com/bankctl/bankctl/internal/socket"
	"github.com/bankctl/bankctl/internal/status"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/vault"
)

// Options lets tests replace parts; the zero value is the real daemon.
type Options struct {
	Log    *slog.Logger
	Engine store.Engine // nil: bbolt in the data directory
	KEK    vault.KEK    // goes with Engine
	Now    func() time.Time
	Tempo  *background.Tempo // nil = that of the configured Plaid
	Quotas *bank.Quotas      // nil = the usual ones
	Ready  plaidsim.Ready    // when the simulator has transactions; zero = its default
	As     plaidsim.Switches // the simulator's behaviours; zero = as documented
	// Around wraps the embedded simulator's handler, AroundAPI bankd's own.
	Around, AroundAPI func(http.Handler) http.Handler
	// Transport makes the calls to Plaid.
	Transport http.RoundTripper
	// AcceptRollback is why data that is older than its anchor is served; "" refuses it.
	AcceptRollback string
	// Notify tells systemd how the start goes; nil = nobody.
	Notify func(state string)
}

// Daemon is a running bankd.
type Daemon struct {
	config  config.Config
	log     *slog.Logger
	started time.Time

	lock           *socket.Lock
	socket         *socket.Listener
	nextKEK        vault.KEK       // the key file of an unfinished rotation; nil = none
	rewrapped      store.Rewrapped // by it; zero = nothing
	db             *store.DB
	sim            *simulator
	plaid          *plaid.Client
	plaidState     atomic.Pointer[plaidProblem] // nil: it takes the keys, as far as is known
	keysChanged    chan struct{}
	bank           *bank.Bank
	http           *http.Server
	webhookServer  *http.Server // nil without webhooks
	webhookAddress string       // the address they come in at
	hookURL        string       // what Plaid is told
	failed         chan error
	cancel         context.CancelFunc
	work           sync.WaitGroup

	anchors  *anchors
	checking store.Progress
	now      func() time.Time
	handler  atomic.Pointer[http.Handler]

	mu      sync.Mutex // guards what follows, and the anchors' state
	serving bool       // the start is over
}

// Start starts everything and serves; call Stop after it. ctx bounds the start only.
func Start(ctx context.Context, c config.Config, o Options) (d *Daemon, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Notify == nil {
		o.Notify = func(string) {}
	}
	background, cancel := context.WithCancel(context.Background())
	d = &Daemon{cancel: cancel, config: c, log: o.Log, now: o.Now, started: o.Now().UTC().Truncate(time.Second), failed: make(chan error, 2), keysChanged: make(chan struct{}, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Stop())
			d = nil
		}
	}()
	if o.Engine == nil {
		if d.lock, err = socket.AcquireLock(d.config.DataDir); err != nil {
			return d, err
		}
	}
	if err := d.listen(); err != nil {
		return d, err
	}
	telling, enough := context.WithCancel(background)
	defer enough()
	d.work.Go(func() { d.tellProgress(telling, o.Notify) })
	d.anchors = d.newAnchors(o)
	if err := d.openStore(ctx, o); err != nil {
		return d, err
	}
	if err := d.startBank(ctx, background, o); err != nil {
		return d, err
	}
	if err := d.beginAnchors(ctx); err != nil && !d.doWithout(err, "the anchor is not noted in the data") {
		return d, fmt.Errorf("keep anchor: %w", err)
	}
	if d.anchors.keeper != nil {
		d.work.Go(func() { d.keepAnchors(background) })
	}
	d.work.Go(func() { d.watchData(background) })
	d.work.Go(func() { d.wipeDeleted(background) })
	if d.config.Backups.Dir != "" {
		d.work.Go(func() { d.keepBackups(background) })
	}
	return d, d.serve(o)
}

// startBank loads the bank's state in memory and starts what it does in the background.
func (d *Daemon) startBank(ctx, background context.Context, o Options) error {
	opened, err := bank.OpenLedger(ctx, d.db)
	if err != nil {
		return fmt.Errorf("start bank: %w", err)
	}
	client, err := d.plaidClient(ctx, o)
	if err != nil {
		return err
	}
	l, hookURL, err := d.openWebhooks()
	if err != nil {
		return err
	}
	d.plaid, d.hookURL = client, hookURL
	d.bank = bank.New(bank.Config{
		Store: d.db, Ledger: opened, Plaid: client, Log: d.log, Now: o.Now, Tempo: o.Tempo, Quotas: o.Quotas,
		Links: d.links(d.config),
	})
	if err := d.bank.Start(background); err != nil {
		if l != nil {
			_ = l.Close()
		}
		return fmt.Errorf("start bank: %w", err)
	}
	if err := d.noteOldData(ctx); err != nil {
		return fmt.Errorf("audit that the data is old: %w", err)
	}
	if err := d.bank.NoteRewrap(ctx, d.rewrapped); err != nil {
		return fmt.Errorf("audit a finished rotation: %w", err)
	}
	d.serveWebhooks(l)
	d.work.Go(func() { d.purge(background) })
	d.db.Guard(func() error { return lost(d.socket.Check()) })
	d.work.Go(func() { d.watchFiles(background) })
	d.work.Go(func() { d.watchPlaid(background) })
	return nil
}

// plaidClient makes the client for the configured Plaid, and starts the simulator if it is the embedded one.
func (d *Daemon) plaidClient(ctx context.Context, o Options) (*plaid.Client, error) {
	pc := plaid.Config{
		Environment: d.config.Plaid, BaseURL: d.config.PlaidURL,
		ClientName: cmp.Or(d.config.ClientName, "bankctl"), Days: d.config.TransactionsDays, Transport: o.Transport, Timeout: d.config.PlaidTimeout,
	}
	pc.ClientID, pc.Secret = plaidKeys(d.config)
	if d.config.Plaid == config.Simulated {
		if pc.BaseURL == "" {
			sim, err := startSimulator(ctx, d.config.SimulatorListen, d.db, o)
			if err != nil {
				return nil, err
			}
			d.sim, pc.BaseURL = sim, sim.url
		}
	}
	return plaid.New(pc)
}

// plaidKeys are the keys for the configured Plaid; the simulator takes any.
func plaidKeys(c config.Config) (clientID string, key secret.Text) {
	if c.Plaid == config.Simulated {
		return config.Simulated, secret.New(config.Simulated)
	}
	return c.PlaidClientID, c.PlaidSecret
}

// purge deletes expired replies and link sessions, and stores the counts of calls to Plaid.
func (d *Daemon) purge(ctx context.Context) {
	tick, count := time.NewTicker(time.Hour), time.NewTicker(time.Minute)
	defer tick.Stop()
	defer count.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-count.C:
			d.keepCounts(ctx, false)
		case <-tick.C:
			for _, forget := range []func(context.Context) error{d.bank.ForgetReplies, d.bank.ForgetSessions} {
				if err := forget(ctx); err != nil && ctx.Err() == nil {
					d.log.Error("cannot purge expired replies and sessions", "error", err.Error())
				}
			}
		}
	}
}

// keepCounts stores the counts of calls to Plaid, of refused calls and of the clients' last use.
func (d *Daemon) keepCounts(ctx context.Context, all bool) {
	for name, keep := range map[string]func(context.Context) error{
		"usage": d.bank.KeepUsage, "last uses": d.bank.KeepLastUses,
		"refusals": func(ctx context.Context) error { return d.bank.KeepRefusals(ctx, all) },
	} {
		if err := keep(ctx); err != nil && ctx.Err() == nil {
			d.log.Error("cannot store counts", "of", name, "error", err.Error())
		}
	}
}

// listen opens the socket. Until serve it says how far the start is, and refuses everything else.
func (d *Daemon) listen() error {
	l, err := socket.Listen(d.config.Socket)
	if err != nil {
		return err
	}
	d.socket = l
	d.handle(server.Waiting(d.Status))
	d.http = server.HTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*d.handler.Load()).ServeHTTP(w, r) }), d.log)
	d.work.Go(func() {
		if err := d.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- fmt.Errorf("serve: %w", err)
		}
	})
	return nil
}

func (d *Daemon) handle(h http.Handler) { d.handler.Store(&h) }

// serve lets the calls in.
func (d *Daemon) serve(o Options) error {
	s, err := server.New(server.Config{Bank: d.bank, Log: d.log, Status: d.Status, Owner: server.OwnUID(), Damage: d.db.Damage, Checks: d.checks})
	if err != nil {
		return fmt.Errorf("build server: %w", err)
	}
	d.mu.Lock()
	d.serving = true
	d.mu.Unlock()
	d.handle(s)
	if o.AroundAPI != nil {
		d.handle(o.AroundAPI(s))
	}
	d.log.Info("ready", "socket", d.config.Socket, "plaid", d.config.Plaid, "version", status.Version)
	return nil
}

// Stop waits for calls under way, then closes everything in the reverse order of Start. It may follow a failed Start.
func (d *Daemon) Stop() error {
	var errs []error
	d.cancel()
	d.drain()
	if d.bank != nil {
		d.bank.Wait()
	}
	d.work.Wait()
	if d.bank != nil {
		d.keepCounts(context.Background(), true)
	}
	if d.sim != nil {
		errs = append(errs, d.sim.stop())
	}
	if d.bank != nil && d.anchors.keeper != nil && d.serving {
		d.keepAnchor(context.Background())
	}
	if d.db != nil {
		if d.serving {
			d.wipeRest()
		}
		errs = append(errs, d.db.Close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Release())
	}
	return errors.Join(errs...)
}

// Poisoned is closed when the store cannot be relied on any more: the process must end and start again.
func (d *Daemon) Poisoned() <-chan struct{} { return d.db.Poisoned() }

// Failure says why the store cannot be relied on.
func (d *Daemon) Failure() error {
	if d.db == nil {
		return nil
	}
	return d.db.Failure()
}

// Bank returns the use cases, for tests that bypass the API.
func (d *Daemon) Bank() *bank.Bank { return d.bank }

// WebhookAddress is the address for webhooks; empty if they are off.
func (d *Daemon) WebhookAddress() string { return d.webhookAddress }

// Simulator returns the embedded simulator, for tests that inject faults; nil with another Plaid.
func (d *Daemon) Simulator() *plaidsim.Server {
	if d.sim == nil {
		return nil
	}
	return d.sim.sim
}

// SimulatorURL is the simulator's address; empty with another Plaid.
func (d *Daemon) SimulatorURL() string {
	if d.sim != nil {
		return d.sim.url
	}
	if d.config.Plaid == config.Simulated {
		return d.config.PlaidURL
	}
	return ""
}

// Status tells what anyone on the socket may know.
func (d *Daemon) Status() status.Status {
	d.mu.Lock()
	defer d.mu.Unlock()
	s := status.Status{
		Version: status.Version, Plaid: d.config.Plaid, Simulation: d.config.Plaid == config.Simulated,
		Ready: true, Format: store.Format, Schema: bank.Schema, StartedAt: d.started,
	}
	d.startStatus(&s)
	if !d.serving {
		return s
	}
	s.SimulatorURL, s.Anchor, s.Notices = d.SimulatorURL(), d.anchorStatus(), d.notices()
	if d.db.Damage() != nil {
		s.Ready, s.Problem = false, "the data is damaged"
	}
	return s
}

func (d *Daemon) readyLine() string {
	parts := []string{"bankd: ready", "socket=" + d.config.Socket, "plaid=" + d.config.Plaid}
	if u := d.SimulatorURL(); u != "" {
		parts = append(parts, "simulator="+u)
	}
	return strings.Join(parts, " ")
}
