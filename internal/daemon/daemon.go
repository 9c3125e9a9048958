package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
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

// clientName is shown in Plaid Link.
const clientName = "bankctl"

// Options are what a test sets otherwise; the zero value is the real thing.
type Options struct {
	Log    *slog.Logger
	Engine store.Engine // nil = bbolt in the data directory
	KEK    vault.KEK    // with Engine
	Now    func() time.Time
	Tempo  *background.Tempo // nil = that of the configured Plaid
	Quotas *bank.Quotas      // nil = the usual ones
	Ready  plaidsim.Ready    // when the simulator has transactions; zero = its default
	// Around wraps the embedded simulator's handler, AroundAPI bankd's own.
	Around, AroundAPI func(http.Handler) http.Handler
	// Transport carries the calls to Plaid.
	Transport http.RoundTripper
}

// Daemon is a running bankd.
type Daemon struct {
	config  config.Config
	log     *slog.Logger
	started time.Time

	lock   *socket.Lock
	db     *store.DB
	sim    *simulator
	bank   *bank.Bank
	http   *http.Server
	hooks  *http.Server // nil without webhooks
	hookAt string       // where they come in
	failed chan error
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	problem string // why it is not ready
}

// Start brings everything up and serves; Stop must follow. ctx bounds the start alone.
func Start(ctx context.Context, c config.Config, o Options) (d *Daemon, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	background, cancel := context.WithCancel(context.Background())
	d = &Daemon{cancel: cancel, config: c, log: o.Log, started: o.Now().UTC().Truncate(time.Second), failed: make(chan error, 2)}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.Stop())
			d = nil
		}
	}()
	if err := d.openStore(ctx, o); err != nil {
		return d, err
	}
	verdict := d.checkStore(background)
	if err := d.startBank(ctx, background, o, verdict); err != nil {
		return d, err
	}
	return d, d.listen(o)
}

// startBank reads what the bank keeps in memory while the data is checked; nothing is written before the verdict.
func (d *Daemon) startBank(ctx, background context.Context, o Options, verdict func() error) error {
	opened, openErr := bank.OpenLedger(ctx, d.db)
	if err := verdict(); err != nil {
		return err
	}
	if openErr != nil {
		return fmt.Errorf("start bank: %w", openErr)
	}
	client, err := d.plaidClient(ctx, o)
	if err != nil {
		return err
	}
	l, hookURL, err := d.openWebhooks()
	if err != nil {
		return err
	}
	d.bank = bank.New(bank.Config{
		Store: d.db, Ledger: opened, Plaid: client, Log: d.log, Now: o.Now, Tempo: o.Tempo, Quotas: o.Quotas,
		Links: bank.Links{
			Products: d.config.LinkProducts.Products, RequiredIfSupported: d.config.LinkProducts.RequiredIfSupported,
			Optional: d.config.LinkProducts.Optional, Webhook: hookURL, Days: d.config.TransactionsDays,
		},
	})
	if err := d.bank.Start(background); err != nil {
		if l != nil {
			_ = l.Close()
		}
		return fmt.Errorf("start bank: %w", err)
	}
	d.serveWebhooks(l)
	d.work.Go(func() { d.sweep(background) })
	return nil
}

// plaidClient makes the client for the configured Plaid, starting the simulator where that is the embedded one.
func (d *Daemon) plaidClient(ctx context.Context, o Options) (*plaid.Client, error) {
	pc := plaid.Config{
		Environment: d.config.Plaid, BaseURL: d.config.PlaidURL, ClientID: d.config.PlaidClientID, Secret: d.config.PlaidSecret,
		ClientName: clientName, Days: d.config.TransactionsDays, Transport: o.Transport, Timeout: d.config.PlaidTimeout,
	}
	if d.config.Plaid == config.Simulated {
		pc.ClientID, pc.Secret = config.Simulated, secret.New(config.Simulated)
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

// sweep forgets kept replies and link sessions whose time is over, and stores what was counted of calls to Plaid.
func (d *Daemon) sweep(ctx context.Context) {
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
					d.log.Error("what is over could not be forgotten", "error", err.Error())
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

func (d *Daemon) listen(o Options) error {
	s, err := server.New(server.Config{Bank: d.bank, Log: d.log, Status: d.Status, Owner: server.OwnUID()})
	if err != nil {
		return fmt.Errorf("build server: %w", err)
	}
	l, err := socket.Listen(d.config.Socket)
	if err != nil {
		return err
	}
	d.http = s.HTTP()
	if o.AroundAPI != nil {
		d.http.Handler = o.AroundAPI(s)
	}
	d.work.Go(func() {
		if err := d.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.failed <- fmt.Errorf("serve: %w", err)
		}
	})
	d.log.Info("ready", "socket", d.config.Socket, "plaid", d.config.Plaid, "version", status.Version)
	return nil
}

// Stop drains calls under way, then closes everything in the order opposite to Start's. It may follow a failed Start.
func (d *Daemon) Stop() error {
	var errs []error
	d.cancel()
	if d.hooks != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		errs = append(errs, d.hooks.Shutdown(ctx))
		cancel()
	}
	if d.http != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		errs = append(errs, d.http.Shutdown(ctx))
		cancel()
	}
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
	if d.db != nil {
		errs = append(errs, d.db.Close())
	}
	if d.lock != nil {
		errs = append(errs, d.lock.Release())
	}
	return errors.Join(errs...)
}

// Poisoned is closed when a commit's outcome is unknown: the process must end and start anew.
func (d *Daemon) Poisoned() <-chan struct{} { return d.db.Poisoned() }

// Bank is the brain, for tests that look behind the API.
func (d *Daemon) Bank() *bank.Bank { return d.bank }

// WebhookAddress is where webhooks come in; empty where they do not.
func (d *Daemon) WebhookAddress() string { return d.hookAt }

// Simulator is the embedded one, for tests that inject faults; nil with another Plaid.
func (d *Daemon) Simulator() *plaidsim.Server {
	if d.sim == nil {
		return nil
	}
	return d.sim.sim
}

// SimulatorURL is where the simulator answers; empty with another Plaid.
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
	return status.Status{
		Version: status.Version, Plaid: d.config.Plaid, Simulation: d.config.Plaid == config.Simulated, SimulatorURL: d.SimulatorURL(),
		Ready: d.problem == "", Problem: d.problem, Schema: bank.Schema, StartedAt: d.started,
	}
}

func (d *Daemon) readyLine() string {
	parts := []string{"bankd: ready", "socket=" + d.config.Socket, "plaid=" + d.config.Plaid}
	if u := d.SimulatorURL(); u != "" {
		parts = append(parts, "simulator="+u)
	}
	return strings.Join(parts, " ")
}
