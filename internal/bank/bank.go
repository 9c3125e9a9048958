// Package bank is the brain: one use case after the other, each "read, ask, decide, write". It owns the stored
// records and the bounds of transactions; rules live in the words it imports, and nothing here knows HTTP.
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

// Config is what a Bank works with.
type Config struct {
	Store  *store.DB
	Ledger *ledger.Ledger // of the same store
	Plaid  *plaid.Client
	Links  Links
	Log    *slog.Logger
	Now    func() time.Time  // nil = time.Now
	Tempo  *background.Tempo // nil = the environment's own
	Quotas *Quotas           // nil = UsualQuotas
}

// Links is what a new link asks for, unless its caller names other products.
type Links struct {
	Products, RequiredIfSupported, Optional []string
	Webhook                                 string // the URL where Plaid reaches bankd; empty = it does not
	Days                                    int    // of past transactions
}

// Bank holds what every use case needs and nothing else.
type Bank struct {
	db     *store.DB
	ledger *ledger.Ledger
	plaid  *plaid.Client
	links  Links
	log    *slog.Logger
	now    func() time.Time
	stats  Stats

	life  background.Life
	locks background.Locks // of an exchange, an employee's account, an Item, an import, an Idempotency-Key
	tempo background.Tempo
	work  schedules

	sessions *background.Followers
	clients  clientCache
	brakes   brakes
	refused  refusals
	forged   refusals // webhooks, for the log alone
	quotas   quotas
	linked   linkedCache
}

// schedules are the rounds of background work, each over things of its own.
type schedules struct {
	syncs, checks, removals, employees *background.Scheduler

	underway sync.Map           // connection id → *progress, while its transactions are read
	hooks    *background.Recent // webhooks, by what signs them
}

// Stats counts what an operator should hear of, since the start.
type Stats struct {
	Exchanges     atomic.Int64 // public tokens exchanged
	LostExchanges atomic.Int64 // Items that exist at Plaid and whose token was lost with the process
	LostTokens    atomic.Int64 // of them, those whose token was being swapped
	Webhooks      atomic.Int64 // taken in
	ForgedHooks   atomic.Int64 // refused: not Plaid's, stale, or about another body
	NumberFetches atomic.Int64 // calls that brought account numbers
	Refusals      atomic.Int64 // calls refused for role or scope
}

// turnsAtOnce is how many connections of one round are worked on side by side: one that waits for its next minute of
// calls holds up no other.
const turnsAtOnce = 4

// A signature is good for five minutes: a webhook that comes again later is refused as stale.
const (
	hooksKept = 10 * time.Minute
	mostHooks = 50_000
)

// New makes a bank over an open store. Start must run before sessions are followed.
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
		db: c.Store, ledger: c.Ledger, plaid: c.Plaid, links: c.Links, log: c.Log, now: c.Now, tempo: *c.Tempo,
		work: schedules{syncs: round(), checks: round(), removals: round(), employees: round(), hooks: background.NewRecent(hooksKept, mostHooks)},
	}
	b.quotas = quotas{of: *c.Quotas, now: c.Now, by: map[string]*rate.Limiter{}}
	b.sessions = background.NewFollowers(&b.life, b.tempo)
	return b
}

// Stats gives the counters.
func (b *Bank) Stats() *Stats { return &b.stats }

// Live reports whether real money is behind this bank: it decides the prefix of client ids.
func (b *Bank) Live() bool { return b.plaid.Environment() == plaid.Production }

// Start makes the default tenant where there is none, finishes what a crash cut off, and watches open sessions until
// ctx ends.
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
	b.life.Start(ctx)
	if err := b.resume(ctx); err != nil {
		return err
	}
	for _, round := range []func(context.Context){b.syncConnections, b.checkConnections, b.finishRemovals, b.checkEmployees} {
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

// Wait returns when the background work that Start began has ended, after its context did.
func (b *Bank) Wait() { b.life.Wait() }

// time is the clock, to the microsecond and in UTC: what is stored reads back equal.
func (b *Bank) time() time.Time { return b.now().UTC().Truncate(time.Microsecond) }

// missing turns the store's "not found" into the API's.
func missing(err error, noun string) error {
	if errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrBadName) {
		return fault.New(fault.NotFound, "no such %s", noun)
	}
	return err
}
