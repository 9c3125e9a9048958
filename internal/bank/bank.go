// Package bank holds the use cases, each "read, ask, decide, write". It owns the stored records and the bounds of
// transactions. The rules are in the packages of types that it imports, and it knows nothing of HTTP.
package bank

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/bankctl/bankctl/internal/background"
	"github.com/bankctl/bankctl/internal/fault"
	"github.com/bankctl/bankctl/internal/ledger"
	"github.com/bankctl/bankctl/internal/plaid"
	"github.com/bankctl/bankctl/internal/store"
	"github.com/bankctl/bankctl/internal/tenant"
)

// Schema is the version of the stored form.
const Schema = 1

// Config is the input of New.
type Config struct {
	Store  *store.DB
	Ledger *ledger.Ledger // over the same store
	Plaid  *plaid.Client
	Links  Links
	Log    *slog.Logger
	Now    func() time.Time  // nil = time.Now
	Tempo  *background.Tempo // nil = the environment's own
	Quotas *Quotas           // nil = UsualQuotas
}

// Links are the products of new links whose callers name none.
type Links struct {
	Products, RequiredIfSupported, Optional []string
	Webhook                                 string // the URL at which Plaid reaches bankd; empty: none
	Days                                    int    // days of past transactions
}

// Bank holds what every use case needs and nothing else.
type Bank struct {
	db     *store.DB
	ledger *ledger.Ledger
	plaid  *plaid.Client
	links  atomic.Pointer[Links]
	log    *slog.Logger
	now    func() time.Time
	stats  Stats

	life  background.Life
	locks background.Locks // of an exchange, an employee's account, an Item, an import, an Idempotency-Key
	tempo background.Tempo
	work  schedules

	sessions *background.Followers
	bell     background.Bell // by tenant: rings after each write that the audit log tells of
	streams  openStreams
	waits    delays
	clients  clientCache
	guards   guards
	turning  turning
	linked   linkedCache
}

// schedules are the rounds of background work, each over its own objects.
type schedules struct {
	syncs, checks, removals, employees *background.Scheduler

	underway sync.Map           // connection id → *progress, during a sync of its transactions
	hooks    *background.Recent // webhooks by signature
}

// Stats counts events for the operator, since the start.
type Stats struct {
	Exchanges     atomic.Int64 // public tokens exchanged
	LostExchanges atomic.Int64 // Items at Plaid whose token was lost with the process
	LostTokens    atomic.Int64 // of these, lost during a swap of the token
	Webhooks      atomic.Int64 // accepted
	ForgedHooks   atomic.Int64 // refused: not Plaid's, too old, or signed for another body
	NumberFetches atomic.Int64 // calls that returned account numbers
	Refusals      atomic.Int64 // calls refused for role or scope
}

// turnsAtOnce is how many connections of one round are worked on in parallel, so that one that waits for its rate limit
// does not delay the others.
const turnsAtOnce = 4

// A signature is valid for five minutes: later repetitions of a webhook are refused as stale.
const (
	hooksKept = 10 * time.Minute
	mostHooks = 50_000
)

// New makes a bank over an open store. Call Start before following sessions.
func New(c Config) *Bank {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Tempo == nil {
		c.Tempo = &background.Real
		if c.Plaid.Environment() == plaid.Simulated {
			c.Tempo = &background.Simulated
		}
	}
	if c.Quotas == nil {
		c.Quotas = &UsualQuotas
	}
	round := func() *background.Scheduler { return background.NewScheduler(turnsAtOnce, c.Now) }
	b := &Bank{
		db: c.Store, ledger: c.Ledger, plaid: c.Plaid, log: c.Log, now: c.Now, tempo: *c.Tempo,
		work: schedules{syncs: round(), checks: round(), removals: round(), employees: round(), hooks: background.NewRecent(hooksKept, mostHooks)},
	}
	b.links.Store(&c.Links)
	b.guards.quotas = quotas{of: *c.Quotas, now: c.Now, by: map[string]*rate.Limiter{}}
	b.turning.wake = make(chan struct{}, 1)
	b.sessions = background.NewFollowers(&b.life, b.tempo)
	return b
}

// SetLinks replaces the products and bounds of new links.
func (b *Bank) SetLinks(l Links) { b.links.Store(&l) }

// Stats returns the counters.
func (b *Bank) Stats() *Stats { return &b.stats }

// Live reports whether the bank moves real money; it decides the prefix of client ids.
func (b *Bank) Live() bool { return b.plaid.Environment() == plaid.Production }

// Start makes the default tenant if it is missing, finishes work that a crash interrupted, and watches open sessions
// until ctx ends.
func (b *Bank) Start(ctx context.Context) error {
	if _, err := b.TenantByName(ctx, tenant.DefaultName); fault.Is(err, fault.NotFound) {
		if _, err := b.makeTenant(ctx, tenant.Caller{UID: -1}, tenant.DefaultName); err != nil {
			return fmt.Errorf("make default tenant: %w", err)
		}
	} else if err != nil {
		return fmt.Errorf("find default tenant: %w", err)
	}
	if err := b.fillIndexes(ctx); err != nil {
		return err
	}
	if err := b.tellAliases(ctx); err != nil {
		return err
	}
	b.life.Start(ctx)
	if err := b.finishDeletions(ctx); err != nil {
		return fmt.Errorf("finish deletion of tenants: %w", err)
	}
	if err := b.resume(ctx); err != nil {
		return err
	}
	for _, round := range []func(context.Context){b.syncConnections, b.checkConnections, b.finishRemovals, b.checkEmployees, b.continueRotations} {
		b.life.Go(round)
	}
	return nil
}

// OpenLedger reads the transactions of all tenants of a store. It writes nothing.
func OpenLedger(ctx context.Context, db *store.DB) (*ledger.Ledger, error) {
	all, err := tenantsOf(ctx, db)
	if err != nil {
		return nil, err
	}
	ids := make([]string, len(all))
	for i, t := range all {
		ids[i] = t.ID
	}
	return ledger.Open(ctx, db, ids)
}

// Wait waits for the background work of Start to end, after its context.
func (b *Bank) Wait() { b.life.Wait() }

// time is the current time in UTC, to the microsecond, so that stored times read back equal.
func (b *Bank) time() time.Time { return b.now().UTC().Truncate(time.Microsecond) }

// missing turns the store's ErrNotFound into the API's fault.
func missing(err error, noun string) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadName) {
		return fault.New(fault.NotFound, "no such %s", noun)
	}
	return err
}
